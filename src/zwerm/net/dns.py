"""Questions to the domain name system (RFC 1035, RFC 2308), by dnspython.

Which servers are asked is the owner's choice: those of this machine, named ones, or none, as in tests. Answers come
with the seconds they may be kept, also the answer that there is nothing; keeping them is the caller's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, TransportError

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

SYSTEM: Final = "system"  # as a server: those of this machine
MAX_TEXTS: Final = 256  # strings of one answer that are looked at
NOTHING_KEPT: Final = 60.0  # seconds for an answer of nothing that does not say how long it holds

_SERVER: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::(?P<port>\d{1,5}))?")
_LIFETIME: Final = 8.0  # seconds for one question, over all servers and repetitions


class DnsFailed(TransportError):
    """No server answered, or none is to be asked; whether the name exists is not known."""


class NoNameServer(DnsFailed):
    """Nobody is to be asked, by the owner's choice."""


class Answer(NamedTuple):
    """What there is under a name; empty when there is nothing."""

    texts: tuple[str, ...]
    lifetime: float  # seconds


def parse_server(text: str) -> tuple[str, int]:
    """Read the address of a name server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.

    Raises:
        LocalProtocolError: it is none.
    """
    match = _SERVER.fullmatch(text)
    host = (match["six"] or match["four"]) if match else text
    port = int(match["port"] or 53) if match else 53
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not 0 < port < 65_536:
        raise LocalProtocolError(f"{text[:64]!r} is not a name server; expected an address such as 192.0.2.53:53")
    return str(address), port


class Dns:
    """Asks the servers it was given. Keeps nothing between questions, so it needs no closing."""

    def __init__(self, servers: Sequence[str] = (SYSTEM,)) -> None:
        """Say whom to ask: addresses, or `SYSTEM`; nobody when empty.

        Raises:
            LocalProtocolError: one of them is no address.
        """
        self._servers = tuple(servers)
        self._addresses = [parse_server(server) for server in servers if server != SYSTEM]
        self._resolver: Resolver | None = None

    async def texts(self, name: str) -> Answer:
        """Return the TXT records of a name, each as one string; bytes that are no UTF-8 are replaced.

        Raises:
            DnsFailed: nobody could say.
        """
        return await self._ask(name, "TXT")

    async def addresses(self, name: str, *, version: int) -> Answer:
        """Return the IP addresses of a name, of version 4 or 6; DnsFailed as `texts`."""
        return await self._ask(name, "A" if version == 4 else "AAAA")

    async def _ask(self, name: str, kind: str) -> Answer:
        import dns.asyncbackend
        import dns.asyncresolver
        import dns.exception
        import dns.resolver
        from dns.rdtypes.txtbase import TXTBase

        if not self._servers:
            raise NoNameServer(f"{name} was not looked up: no name server is configured (dns.servers)")
        try:
            if self._resolver is None:
                self._resolver = await asyncio.to_thread(self._open)
            backend = dns.asyncbackend.get_backend("asyncio")
            answer = await self._resolver.resolve(
                name, kind, raise_on_no_answer=False, search=False, lifetime=_LIFETIME, backend=backend
            )
        except dns.resolver.NXDOMAIN as error:
            responses = error.kwargs.get("responses", {})
            lifetimes = [response.resolve_chaining().minimum_ttl for response in responses.values()]
            return Answer((), _negative(min(lifetimes, default=None)))
        except dns.exception.DNSException as error:
            raise DnsFailed(f"{name} could not be looked up: {_reason(error)}") from None
        except (OSError, UnicodeError) as error:
            raise DnsFailed(f"{name} could not be looked up: {error}") from None
        if answer.rrset is None:
            return Answer((), _negative(answer.chaining_result.minimum_ttl))
        texts = [
            b"".join(data.strings).decode(errors="replace") if isinstance(data, TXTBase) else str(data)
            for data in list(answer.rrset)[:MAX_TEXTS]
        ]
        return Answer(tuple(texts), float(answer.chaining_result.minimum_ttl))

    def _open(self) -> Resolver:
        from dns.asyncresolver import Resolver
        from dns.nameserver import Do53Nameserver, Nameserver

        resolver = Resolver(configure=SYSTEM in self._servers)
        if self._addresses:
            servers: list[str | Nameserver] = [Do53Nameserver(host, port) for host, port in self._addresses]
            resolver.nameservers = [*servers, *(resolver.nameservers if SYSTEM in self._servers else [])]
        return resolver


def _negative(lifetime: int | None) -> float:
    """RFC 2308 section 5: the SOA record beside it says how long nothing stays nothing."""
    return NOTHING_KEPT if lifetime is None or lifetime >= 2**31 - 1 else float(lifetime)


def _reason(error: Exception) -> str:
    return str(error).split("\n")[0][:200] or type(error).__name__
