"""A network address translator, by the two behaviours of RFC 4787 that decide who can reach whom.

*Mapping* (section 4.1): when one inside address talks to two peers, do they see one outside port or two? *Filtering*
(section 5): who may send to that port? Both are endpoint-independent, address-dependent or address-and-port-dependent,
which gives the nine kinds; the old names are in `FULL_CONE` and its neighbours.

Here is only translation; `tests.sim.network` puts one between a `Lan` and the network outside.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.core.machine import Address, Instant
from zwerm.core.random import seeded

PORTS: Final = range(1_024, 65_536)  # what a mapping can get, unless the translator was given fewer


class Behaviour(enum.Enum):
    """How much of the peer's address counts."""

    ENDPOINT_INDEPENDENT = "nothing of it"
    ADDRESS_DEPENDENT = "its IP address"
    ADDRESS_AND_PORT_DEPENDENT = "its IP address and its port"

    def part(self, peer: Address) -> Address | str | None:
        """The part of `peer` that counts."""
        if self is Behaviour.ENDPOINT_INDEPENDENT:
            return None
        return peer[0] if self is Behaviour.ADDRESS_DEPENDENT else peer


class PortChoice(enum.Enum):
    """Which outside port a new mapping gets (RFC 4787 section 4.2.1)."""

    PRESERVE = "the inside port, when it is free"
    SEQUENTIAL = "the one after the last"
    RANDOM = "any"


@dataclasses.dataclass(frozen=True, slots=True)
class NatKind:
    """How a translator behaves."""

    mapping: Behaviour = Behaviour.ENDPOINT_INDEPENDENT
    filtering: Behaviour = Behaviour.ADDRESS_AND_PORT_DEPENDENT
    ports: PortChoice = PortChoice.PRESERVE
    hairpinning: bool = True  # inside addresses reach each other by their outside addresses (section 6)
    timeout: float = 300.0  # seconds a mapping lives without traffic (section 4.3: 5 minutes recommended)
    inbound_refreshes: bool = True  # whether what comes in keeps the mapping alive too (REQ-6)


FULL_CONE: Final = NatKind(filtering=Behaviour.ENDPOINT_INDEPENDENT)
RESTRICTED_CONE: Final = NatKind(filtering=Behaviour.ADDRESS_DEPENDENT)
PORT_RESTRICTED_CONE: Final = NatKind()
SYMMETRIC: Final = NatKind(mapping=Behaviour.ADDRESS_AND_PORT_DEPENDENT, ports=PortChoice.RANDOM)

ALL_KINDS: Final = {
    f"{mapping.name.lower()}-mapping/{filtering.name.lower()}-filtering": NatKind(mapping, filtering)
    for mapping in Behaviour
    for filtering in Behaviour
}


@dataclasses.dataclass(slots=True)
class _Mapping:
    inside: Address
    outside: Address
    key: tuple[Address, object]
    expires_at: Instant
    permitted: set[object]


class Nat:
    """Translates between one inside and the addresses it has outside."""

    def __init__(
        self,
        addresses: tuple[str, ...],
        kind: NatKind = PORT_RESTRICTED_CONE,
        *,
        ports: range = PORTS,
        seed: int | str = 0,
    ) -> None:
        """`addresses` are its own in the network outside; each inside host is given one for good (REQ-2, "paired")."""
        self.addresses = addresses
        self.kind = kind
        self._ports = ports
        self._random = seeded(seed, "nat")
        self._by_key: dict[tuple[Address, object], _Mapping] = {}
        self._by_outside: dict[Address, _Mapping] = {}
        self._pairs: dict[str, str] = {}
        self._next_port = 0  # index in `_ports` of the one after the last

    def outbound(self, source: Address, destination: Address, now: Instant) -> Address | None:
        """Return the address outside from which a datagram goes on; None when every port is taken."""
        key = (source, self.kind.mapping.part(destination))
        mapping = self._by_key.get(key)
        if mapping is None or mapping.expires_at <= now:
            mapping = self._map(key, now)
        if mapping is None:
            return None
        mapping.expires_at = now + self.kind.timeout
        mapping.permitted.add(self.kind.filtering.part(destination))
        return mapping.outside

    def inbound(self, source: Address, destination: Address, now: Instant) -> Address | None:
        """Return the address inside that a datagram is for; None when it is to be dropped."""
        mapping = self._by_outside.get(destination)
        if mapping is None or mapping.expires_at <= now:
            return None
        if self.kind.filtering.part(source) not in mapping.permitted:
            return None
        if self.kind.inbound_refreshes:
            mapping.expires_at = now + self.kind.timeout
        return mapping.inside

    def forget(self) -> None:
        """Lose every mapping, as a reboot does."""
        self._by_key.clear()
        self._by_outside.clear()

    def _map(self, key: tuple[Address, object], now: Instant) -> _Mapping | None:
        self._by_key.pop(key, None)
        source = key[0]
        address = self._pairs.setdefault(source[0], self.addresses[len(self._pairs) % len(self.addresses)])
        port = self._choose_port(address, source[1], now)
        if port is None:
            return None
        mapping = _Mapping(source, (address, port), key, now, set())
        self._by_key[key] = self._by_outside[mapping.outside] = mapping
        return mapping

    def _choose_port(self, address: str, wanted: int, now: Instant) -> int | None:
        if self.kind.ports is PortChoice.PRESERVE and wanted in self._ports and self._is_free((address, wanted), now):
            return wanted
        count = len(self._ports)
        start = self._random.randrange(count) if self.kind.ports is PortChoice.RANDOM else self._next_port
        for index in range(start, start + count):
            port = self._ports[index % count]
            if self._is_free((address, port), now):
                self._next_port = (index + 1) % count
                return port
        return None

    def _is_free(self, outside: Address, now: Instant) -> bool:
        mapping = self._by_outside.get(outside)
        if mapping is not None and mapping.expires_at <= now:
            del self._by_outside[outside]
            self._by_key.pop(mapping.key, None)
            mapping = None
        return mapping is None
