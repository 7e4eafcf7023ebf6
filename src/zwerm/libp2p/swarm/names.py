"""Addresses with names of the domain name system, made into ones with IP addresses before they are dialled.

libp2p specs, "addressing/README.md", section "Human-readable addressing"; multiaddr, "protocols/DNSADDR.md". `/dns4`,
`/dns6` and `/dns` ask for IP addresses. `/dnsaddr` asks for TXT records of whole multiaddrs, of which those count that
end as the address that was asked for does; these may hold names again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from zwerm.core.errors import TransportError, WireError
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

MAX_DEPTH: Final = 4  # names that lead to names
MAX_QUESTIONS: Final = 32  # for the addresses of one peer
MAX_ADDRESSES: Final = 64  # that come of them

_PREFIX: Final = "dnsaddr="
_VERSIONS: Final = {"dns": (6, 4), "dns4": (4,), "dns6": (6,)}


class Answer(Protocol):
    """What there is under a name, as `zwerm.net.dns.Answer`."""

    @property
    def texts(self) -> tuple[str, ...]: ...


class NameSource(Protocol):
    """Who can be asked, as `zwerm.net.dns.Dns`. Both raise TransportError when nobody could say."""

    async def texts(self, name: str) -> Answer: ...

    async def addresses(self, name: str, *, version: int) -> Answer: ...


class Resolved(NamedTuple):
    """What came of addresses."""

    addresses: list[Multiaddr]
    reasons: dict[Multiaddr, str]  # why names came to nothing


async def resolve(
    addresses: Iterable[Multiaddr], peer: PeerId, names: NameSource, can_dial: Callable[[Multiaddr], bool]
) -> Resolved:
    """Return the addresses of `peer` without names, but in those that a transport dials as they are.

    Raises nothing for a name. What came of a `/dnsaddr` still ends in the peer's `/p2p/`.
    """
    resolver = _Resolver(names, can_dial)
    end = Multiaddr.from_text(f"/p2p/{peer}").components
    for address in dict.fromkeys(addresses):
        is_alias = address.components[0].protocol.name == "dnsaddr" and address.components[-1] != end[0]
        await resolver.add(Multiaddr(address.components + end) if is_alias else address, MAX_DEPTH)
    return Resolved(list(dict.fromkeys(resolver.found))[:MAX_ADDRESSES], resolver.reasons)


class _Resolver:
    def __init__(self, names: NameSource, can_dial: Callable[[Multiaddr], bool]) -> None:
        self.found: list[Multiaddr] = []
        self.reasons: dict[Multiaddr, str] = {}
        self._names = names
        self._can_dial = can_dial
        self._questions = 0

    async def add(self, address: Multiaddr, depth: int) -> None:
        kind = address.components[0].protocol.name
        if (kind != "dnsaddr" and kind not in _VERSIONS) or self._can_dial(address):
            self.found.append(address)
            return
        try:
            following = await (self._aliases(address) if kind == "dnsaddr" else self._hosts(address, _VERSIONS[kind]))
        except TransportError as error:
            self.reasons[address] = str(error)
            return
        if not following or not depth:
            self.reasons[address] = "there is nothing under its name" if depth else "its name leads on too often"
        elif depth:
            for each in following:
                await self.add(each, depth - 1)

    async def _hosts(self, address: Multiaddr, versions: tuple[int, ...]) -> list[Multiaddr]:
        found = []
        for version in versions:
            self._ask()
            answer = await self._names.addresses(address.components[0].text, version=version)
            for text in answer.texts:
                ip = Multiaddr.from_text(f"/ip{version}/{text}")
                found.append(Multiaddr(ip.components + address.components[1:]))
        return found

    async def _aliases(self, address: Multiaddr) -> list[Multiaddr]:
        self._ask()
        answer = await self._names.texts(f"_dnsaddr.{address.components[0].text}")
        found, end = [], address.components[1:]
        for text in answer.texts[:MAX_ADDRESSES]:
            if not text.startswith(_PREFIX):
                continue
            try:
                alias = Multiaddr.from_text(text.removeprefix(_PREFIX))
            except WireError:
                continue  # of a transport that we do not know, or nonsense
            if not end or alias.components[-len(end) :] == end:
                found.append(alias)
        return found

    def _ask(self) -> None:
        if self._questions >= MAX_QUESTIONS:
            raise TransportError(f"its peer's addresses take more than {MAX_QUESTIONS} questions")
        self._questions += 1
