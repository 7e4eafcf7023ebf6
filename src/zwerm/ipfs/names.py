"""From a mutable name to the content it stands for now: the interface that `/ipns/` paths go through."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Protocol

from zwerm.core.errors import NotFoundError, ResourceLimitError, WireError

if TYPE_CHECKING:
    from zwerm.ipfs.dnslink.resolver import DnslinkResolver
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.ipfs.ipns.resolver import IpnsResolver

MAX_NAMES: Final = 32  # names behind one another


class NameNotFound(NotFoundError):
    """Nobody who could be asked knows the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing is published under /ipns/{name} as far as this node can tell")
        self.name = name


@dataclasses.dataclass(frozen=True, slots=True)
class ResolvedName:
    """Where a name points."""

    path: ContentPath  # below /ipfs/
    time_to_live: float | None = None  # seconds the answer may be kept; None when the publisher does not say
    record: bytes | None = None  # the signed IPNS record, when the name is a key


class NameResolver(Protocol):
    """Resolves keys (IPNS) and domains (DNSLink)."""

    async def resolve(self, name: str) -> ResolvedName:
        """Follow `name` to the end.

        Raises:
            NameNotFound: it points nowhere.
            ResourceLimitError: more names behind one another than the limit.
        """
        ...


class NoNames:
    """Resolves nothing: a node that keeps no names and asks nobody."""

    async def resolve(self, name: str) -> ResolvedName:
        raise NameNotFound(name)


class Names:
    """Follows keys by their records and domains by their DNSLinks, through one another."""

    def __init__(self, ipns: IpnsResolver, dnslink: DnslinkResolver) -> None:
        self._ipns = ipns
        self._dnslink = dnslink

    async def resolve(self, name: str, *, fresh: bool = False) -> ResolvedName:
        """Follow a name to content below /ipfs/.

        Args:
            name: a key in any of its forms, or a domain.
            fresh: ask the network even when an answer is still good.

        Raises:
            NameNotFound: it, or a name behind it, points nowhere.
            ResourceLimitError: more than `MAX_NAMES` names behind one another, as in a circle.
            WireError: there are records, and none of them can be believed.
            DnsFailed: whether a domain points somewhere is not known.
        """
        step = await self.step(name, fresh=fresh)
        record, lifetime = step.record, step.time_to_live
        for _ in range(MAX_NAMES):
            path = step.path
            if path.namespace == "ipfs":
                return ResolvedName(path, lifetime, record)
            step = await self.step(path.root, fresh=fresh)
            step = dataclasses.replace(step, path=step.path.child(*path.segments))
            if step.time_to_live is not None:
                lifetime = min(lifetime if lifetime is not None else step.time_to_live, step.time_to_live)
        raise ResourceLimitError(f"/ipns/{name} leads through more than {MAX_NAMES} names")

    async def step(self, name: str, *, fresh: bool = False) -> ResolvedName:
        """Follow one name by one step: the path may lie below /ipns/. Arguments and errors as `resolve`."""
        from zwerm.ipfs.ipns.name import from_text
        from zwerm.ipfs.ipns.record import RecordRefused
        from zwerm.net.dns import NoNameServer

        try:
            key = from_text(name)
        except WireError:
            try:
                link = await self._dnslink.find(name, fresh=fresh)
            except NoNameServer:
                link = None
            if link is None:
                raise NameNotFound(name) from None
            return ResolvedName(link.path, link.fresh)
        found = await self._ipns.find(key, fresh=fresh)
        if found is None:
            raise NameNotFound(name)
        try:
            path = found.record.path
        except WireError as error:
            raise RecordRefused(f"the record of /ipns/{name} points at no path: {error}") from None
        return ResolvedName(path, found.fresh, found.record.encoded)
