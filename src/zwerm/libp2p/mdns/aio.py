"""Discovery on the interfaces of this machine, for one host: who is found is connected to.

Only addresses of this link are told to it: what the host announces of private and link-local networks, and of global
ones that an interface has. Nothing is told of loopback.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.core.machine import Address
from zwerm.core.random import SYSTEM, Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import AddressesChanged, Host, HostEvent
from zwerm.libp2p.mdns.discovery import Discovery, DiscoveryConfig, PeerFound
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.alarm import Alarm
from zwerm.net.interfaces import list_addresses
from zwerm.net.mdns.link import MulticastLink

LIFETIME: Final = 600.0  # seconds that an address of a peer of this link is remembered
MAX_CONNECTING: Final = 16  # peers that are connected to at once; others wait for the next answer

_LOG: Final = logging.getLogger("zwerm.libp2p")


class LanDiscovery:
    """The search of one host. `async with` it."""

    def __init__(
        self,
        host: Host,
        *,
        hosts: Callable[[], Iterable[str]] | None = None,
        config: DiscoveryConfig | None = None,
        random: Random = SYSTEM,
    ) -> None:
        """Make it; nothing is sent before it is entered. `hosts` gives the local addresses of the interfaces to use."""
        self._host = host
        self._hosts = hosts or lan_hosts
        self._loop = asyncio.get_running_loop()
        self._link = MulticastLink(self._receive, self._pump)
        self._machine = Discovery(host.peer_id, random=random, now=self._loop.time(), config=config)
        self._alarm = Alarm(self._loop, self._wake, self._loop.time)
        self._unsubscribe: Callable[[], None] | None = None
        self._connecting: dict[PeerId, asyncio.Task[None]] = {}
        self.found: dict[PeerId, tuple[Multiaddr, ...]] = {}  # since the start, the latest last, at most `max_peers`
        self._max_peers = (config or DiscoveryConfig()).max_peers

    async def __aenter__(self) -> Self:
        self._unsubscribe = self._host.subscribe(self._hear)
        self.look_again()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._machine.say_goodbye()
        self._pump()
        self._alarm.set(None)
        self._link.close()
        tasks = list(self._connecting.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def look_again(self) -> None:
        """Use the interfaces that there are now, and ask at once."""
        self._link.join(self._hosts())
        now = self._loop.time()
        self._machine.set_addresses(link_addresses(self._host.addresses), now)
        self._machine.ask_again(now)
        self._pump()

    def _hear(self, event: HostEvent) -> None:
        if isinstance(event, AddressesChanged):
            self._machine.set_addresses(link_addresses(event.addresses), self._loop.time())
            self._pump()

    def _receive(self, data: bytes, source: Address) -> None:
        self._machine.receive_datagram(data, source, self._loop.time())

    def _wake(self) -> None:
        self._machine.handle_timeout(self._loop.time())
        self._pump()

    def _pump(self) -> None:
        while (transmit := self._machine.next_transmit()) is not None:
            self._link.send(transmit)
        while (found := self._machine.next_event()) is not None:
            self._meet(found)
        self._alarm.set(self._machine.next_timeout() if self._link else None)

    def _meet(self, found: PeerFound) -> None:
        addresses = link_addresses(found.addresses)
        self.found.pop(found.peer, None)
        self.found[found.peer] = tuple(addresses)
        while len(self.found) > self._max_peers:
            del self.found[next(iter(self.found))]
        self._host.peers.add_addresses(found.peer, addresses, LIFETIME)
        if found.peer in self._connecting or len(self._connecting) >= MAX_CONNECTING:
            return
        if addresses and not self._host.connections_to(found.peer):
            task = self._loop.create_task(self._connect(found.peer, addresses), name=f"meet {found.peer}")
            self._connecting[found.peer] = task
            task.add_done_callback(lambda _: self._connecting.pop(found.peer, None) and None)

    async def _connect(self, peer: PeerId, addresses: Sequence[Multiaddr]) -> None:
        try:
            await self._host.connect(peer, addresses)
        except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
            _LOG.info("found %s on this network, and did not reach it: %s", peer, error)


def lan_hosts() -> list[str]:
    """The local addresses of the interfaces that lead to others, one network each."""
    try:
        known = list_addresses()
    except TransportError:
        return []
    return [one.address for one in known if not ipaddress.ip_address(one.address).is_loopback]


def link_addresses(addresses: Iterable[Multiaddr]) -> list[Multiaddr]:
    """Those that somebody on the same link may dial: direct, and not of the loopback."""
    found = []
    for address in addresses:
        first = address.components[0]
        if first.protocol.name in ("ip4", "ip6") and "p2p-circuit" not in address.names:
            ip = ipaddress.ip_address(first.text)
            if not (ip.is_loopback or ip.is_unspecified or ip.is_multicast):
                found.append(address)
    return found
