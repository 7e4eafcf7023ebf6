"""What a connection may use of this machine's network: which addresses, which ports, TCP or not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from zwerm.core.errors import LocalProtocolError
from zwerm.net.interfaces import InterfaceAddress, list_addresses


@dataclasses.dataclass(frozen=True, slots=True)
class LocalNetwork:
    """The default is everything but loopback and link-local addresses, and those of IPv6 that are to go."""

    include_loopback: bool = False  # for two ends on one machine
    interfaces: tuple[str, ...] | None = None  # names ("eth0") or addresses; None: all. Multicast keeps to them too
    ports: tuple[int, int] | None = None  # the first and the last one to bind, UDP and TCP; None: the system chooses
    tcp: bool = True  # candidates of RFC 6544: connections made, and taken
    tcp_delay: float = 0.0  # seconds after UDP that they come: most connections stand by then and need none

    def __post_init__(self) -> None:
        """Refuse a range that is none.

        Raises:
            LocalProtocolError: the ports are not two in order, between 1 and 65535.
        """
        if self.ports is not None and not 0 < self.ports[0] <= self.ports[1] < 65_536:
            raise LocalProtocolError(f"ports {self.ports[0]} to {self.ports[1]}, expected two in order up to 65535")

    def hosts(self, addresses: Iterable[InterfaceAddress] | None = None) -> list[str]:
        """The addresses to gather from, of those given or of what the system tells now, each once.

        Raises:
            TransportError: the system does not tell.
        """
        found = list_addresses() if addresses is None else addresses
        return list(dict.fromkeys(one.address for one in found if self._is_used(one)))

    def _is_used(self, one: InterfaceAddress) -> bool:
        if one.is_link_local or one.is_deprecated or (one.is_loopback and not self.include_loopback):
            return False
        return self.interfaces is None or one.interface in self.interfaces or one.address in self.interfaces
