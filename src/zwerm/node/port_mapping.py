"""Ports of the router that lead to this node, asked for while it listens on addresses that only its network reaches.

What the router gives is announced, and taken back with it. `zwerm.net.mapping` speaks to the router: by PCP or NAT-PMP,
and by UPnP while neither gives the port.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import TYPE_CHECKING, Final, TypeAlias

from zwerm.core.errors import TransportError
from zwerm.libp2p.host import AddressesChanged, HostEvent
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.mapping.aio import MappedPort, address_towards, default_gateway
from zwerm.net.mapping.client import Event, Mapped
from zwerm.net.mapping.message import Transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.net.mapping.upnp import UpnpPort, UpnpRouter

Key: TypeAlias = tuple[str, Transport, int]  # own address, transport, port

MAX_PORTS: Final = 8  # that are mapped

log: Final = logging.getLogger("zwerm.network")


class PortMapper:
    """The mapped ports of one swarm."""

    def __init__(self, swarm: Swarm, *, gateway: Callable[[], str | None] = default_gateway) -> None:
        self._swarm = swarm
        self._gateway = gateway
        self._ports: dict[Key, MappedPort] = {}
        self._upnp: dict[Key, UpnpPort] = {}  # those that PCP and NAT-PMP did not give
        self._router: UpnpRouter | None = None
        self._announced: dict[Key, list[Multiaddr]] = {}

    def start(self, stack: AsyncExitStack) -> None:
        """Map what is listened on, now and when that changes; removed with `stack`."""
        stack.push_async_callback(self.close)
        stack.callback(self._swarm.subscribe(self._hear))
        self._look()

    async def close(self) -> None:
        """Remove every mapping; those by UPnP are waited for, for 2 s at most. Idempotent."""
        by_upnp = list(self._upnp.values())
        self._upnp.clear()
        for key in list(self._ports):
            self._end(key)
        await asyncio.gather(*(each.close() for each in by_upnp))

    def _hear(self, event: HostEvent) -> None:
        if isinstance(event, AddressesChanged):
            self._look()

    def _look(self) -> None:
        """Map what is new and let go of what is listened on no more."""
        gateway = self._gateway()
        own = None if gateway is None else address_towards(gateway)
        wanted: dict[Key, None] = {}
        if own is not None and ipaddress.ip_address(own).is_private:
            for address in self._swarm.listen_addresses:
                for transport in Transport:
                    port = address.value(transport.name.lower())
                    if address.value("ip4") == own and port is not None:
                        wanted[own, transport, int(port)] = None
        for key in [key for key in self._ports if key not in wanted]:
            self._end(key)
        for key in list(wanted)[:MAX_PORTS]:
            if key not in self._ports and gateway is not None:
                self._begin(key, gateway)

    def _begin(self, key: Key, gateway: str) -> None:
        own, transport, port = key
        try:
            self._ports[key] = MappedPort(
                transport, port, gateway=gateway, client=own, on_event=lambda event: self._hear_gateway(key, event)
            )
        except (OSError, TransportError) as error:
            log.info("no mapping of port %d: %s", port, error)

    def _end(self, key: Key) -> None:
        self._ports.pop(key).close()
        self._end_upnp(key)
        self._withdraw(key)

    def _end_upnp(self, key: Key) -> None:
        if (by_upnp := self._upnp.pop(key, None)) is not None:
            self._swarm.spawn(by_upnp.close(), "UPnP")

    def _hear_gateway(self, key: Key, event: Event) -> None:
        """Take what PCP or NAT-PMP says; while they give nothing, UPnP is asked and has the word."""
        if isinstance(event, Mapped):
            self._end_upnp(key)
        elif key in self._upnp:
            return
        else:
            self._ask_by_upnp(key)
        self._tell(key, event)

    def _ask_by_upnp(self, key: Key) -> None:
        from zwerm.net.mapping.upnp import UpnpPort, UpnpRouter

        own, transport, port = key
        gateway = self._gateway()
        if gateway is None:
            return
        if self._router is None or (self._router.gateway, self._router.client) != (gateway, own):
            self._router = UpnpRouter(gateway, own)
        self._upnp[key] = UpnpPort(self._router, transport, port, on_event=lambda event: self._tell(key, event))

    def _tell(self, key: Key, event: Event) -> None:
        own, transport, port = key
        self._withdraw(key)
        if not isinstance(event, Mapped):
            log.info("port %d is not mapped: %s", port, event.reason)
            return
        if not ipaddress.ip_address(event.external).is_global:
            log.info("the router maps port %d to %s, which is not public: there is another NAT", port, event.external)
            return
        name = transport.name.lower()
        log.info("the router leads %s port %d to port %d here", event.external, event.port, port)
        for address in self._swarm.listen_addresses:
            if address.value("ip4") == own and address.value(name) == str(port):
                outside = f"/ip4/{event.external}/{name}/{event.port}"
                rest = "".join(str(component) for component in address.components[2:])
                mapped = Multiaddr.from_text(outside + rest)
                self._announced.setdefault(key, []).append(mapped)
                self._swarm.add_external_address(mapped)

    def _withdraw(self, key: Key) -> None:
        for address in self._announced.pop(key, []):
            self._swarm.remove_external_address(address)
