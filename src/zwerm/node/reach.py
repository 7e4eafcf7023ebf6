"""How others reach this node: the local network, relays, and whether the addresses it announces lead to it.

`network.reach` of a node that joined. Nothing here is needed for dialling others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError
from zwerm.libp2p.autonat.message import DIAL_REQUEST
from zwerm.libp2p.autonat.reachability import Reachability
from zwerm.libp2p.host import AddressesChanged, HostEvent, PeerIdentified, ReachabilityChanged
from zwerm.multiformats.multiaddr import Multiaddr

if TYPE_CHECKING:
    from zwerm.identity.peer_id import PeerId
    from zwerm.libp2p.autonat.aio import AutonatClient
    from zwerm.libp2p.dcutr.aio import DirectUpgrade
    from zwerm.libp2p.kad.aio import Kad
    from zwerm.libp2p.mdns.aio import LanDiscovery
    from zwerm.libp2p.relay.aio import RelayServer
    from zwerm.libp2p.stream import MuxedConnection
    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.node.node import Node
    from zwerm.node.relays import RelayFinder

ASK_AGAIN: Final = 900.0  # seconds until addresses are asked about again
SETTLE: Final = 2.0  # seconds after a change, so that several are one
CANDIDATES: Final = 3  # addresses that others see us at that are asked about when none is announced
SERVERS: Final = 4  # asked about one address in a round
RETRY_RELAY: Final = (5.0, 30.0, 120.0, 600.0)  # seconds

log: Final = logging.getLogger("zwerm.network")


class Reach:
    """What is known and done about being reached."""

    def __init__(self, node: Node, swarm: Swarm, wan: Kad | None = None) -> None:
        """`wan`: the public DHT, where relays are looked for; None: nowhere."""
        self._node = node
        self._wan = wan
        self._swarm = swarm
        self._client: AutonatClient
        self.direct: DirectUpgrade
        self._changed = asyncio.Event()
        self._told: bool | None = None
        self.reachability = Reachability()
        self.lan: LanDiscovery | None = None  # None: not looked for
        self.relays: RelayFinder | None = None  # None: no relay is looked for
        self.relay: RelayServer | None = None  # None: this node relays for nobody

    async def start(self, stack: AsyncExitStack) -> None:
        """Start it all; it ends with `stack` and the swarm."""
        config = self._node.config
        from zwerm.libp2p.swarm.moving import close_what_leads_nowhere

        stack.callback(close_what_leads_nowhere(self._swarm))
        self._start_autonat(stack)
        self._start_relaying(stack)
        if config.boolean("discovery.lan") and config.profile != "test":
            from zwerm.libp2p.mdns.aio import LanDiscovery

            self.lan = await stack.enter_async_context(LanDiscovery(self._swarm))
        if cert := config.text("websocket.cert"):
            from zwerm.node.secure_websocket import certificate_names, named_addresses

            for address in named_addresses(self._swarm.listen_addresses, certificate_names(cert)):
                self._swarm.add_external_address(address)
        if config.boolean("network.port_mapping") and not config.text("network.proxy"):
            from zwerm.node.port_mapping import PortMapper

            PortMapper(self._swarm).start(stack)
        self._swarm.spawn(self._find_out_for_ever(), "reachability")
        for text in config.texts("relay.through"):
            address = Multiaddr.from_text(text).encapsulate(Multiaddr.from_text("/p2p-circuit"))
            self._swarm.spawn(self._listen_through(address), f"relay {text}")

    def _start_autonat(self, stack: AsyncExitStack) -> None:
        from zwerm.libp2p.autonat.aio import AutonatClient, AutonatServer
        from zwerm.libp2p.identify.aio import is_public
        from zwerm.libp2p.transports.tcp import TcpTransport

        swarm = self._swarm

        def may_dial(address: Multiaddr) -> bool:
            direct = "p2p-circuit" not in address.names
            allowed = is_public(address) and swarm.address_refusal(address) is None
            return direct and allowed and any(each.can_dial(address) for each in swarm.transports)

        async def dial(address: Multiaddr, peer: PeerId) -> MuxedConnection:
            transport = next(each for each in swarm.transports if each.can_dial(address))
            if isinstance(transport, TcpTransport):
                return await transport.dial(address, peer, from_listening=False)
            return await transport.dial(address, peer)

        self._client = AutonatClient(swarm)
        server = AutonatServer(swarm, dial, may_dial=may_dial)
        for each in (self._client, server):
            each.start()
            stack.callback(each.stop)
        stack.callback(swarm.subscribe(self._hear))

    def _start_relaying(self, stack: AsyncExitStack) -> None:
        from zwerm.libp2p.dcutr.aio import DirectUpgrade
        from zwerm.libp2p.relay.aio import RelayServer
        from zwerm.libp2p.relay.slots import RelayLimits
        from zwerm.libp2p.swarm.upgrade import Upgrade, securities
        from zwerm.libp2p.transports.circuit import CircuitTransport
        from zwerm.node.access import network_key

        swarm = self._swarm
        upgrade = Upgrade(securities(swarm.key), network=network_key(self._node))
        circuit = CircuitTransport(swarm, upgrade)
        swarm.add_transport(circuit)
        self.direct = DirectUpgrade(swarm)
        self.direct.start()
        stack.callback(self.direct.stop)
        config = self._node.config
        if config.boolean("relay.serve"):
            limits = RelayLimits(
                circuit_time=config.duration("relay.circuit_time"), circuit_data=config.size("relay.circuit_data")
            )
            self.relay = RelayServer(swarm, limits)
            self.relay.start()
            stack.callback(self.relay.stop)
        if config.boolean("relay.auto"):
            from zwerm.node.relays import RelayFinder

            wan = self._wan
            self.relays = RelayFinder(swarm, circuit, wander=wan.wander if wan is not None else None)
            self.relays.start(stack)

    def _hear(self, event: HostEvent) -> None:
        if isinstance(event, AddressesChanged) or (isinstance(event, PeerIdentified) and self._told is None):
            self._changed.set()

    async def _find_out_for_ever(self) -> None:
        while True:
            await self._find_out()
            try:
                async with asyncio.timeout(ASK_AGAIN):
                    await self._changed.wait()
                    await asyncio.sleep(SETTLE)
            except TimeoutError:
                continue

    async def _find_out(self) -> None:
        """Ask those who dial for others about each public address, and tell when the verdict is another."""
        from zwerm.libp2p.identify.aio import is_public

        self._changed.clear()
        swarm = self._swarm
        addresses = [each for each in swarm.addresses if is_public(each) and "p2p-circuit" not in each.names]
        if not addresses and swarm.identify is not None:  # where we are seen at, by whomever
            addresses = [each for each in swarm.identify.seen_at() if is_public(each)][:CANDIDATES]
        self.reachability.keep(addresses)
        servers = [peer for peer in self._peers() if DIAL_REQUEST in swarm.peers.protocols(peer)]
        for address in addresses:
            for server in servers[:SERVERS]:
                await self._ask(server, address)
        verdict = self.reachability.is_public
        if verdict != self._told:
            self._told = verdict
            swarm.emit(ReachabilityChanged(verdict))

    async def _ask(self, server: PeerId, address: Multiaddr) -> None:
        try:
            answer = await self._client.ask(server, [address])
        except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
            log.debug("%s did not say whether %s leads here: %s", server, address, error)
            return
        if answer is not None:
            self.reachability.record(answer[0], server, reached=answer[1])

    def _peers(self) -> Sequence[PeerId]:
        """Connected peers, without those that are only relayed."""
        direct = [connection.remote_peer for connection in self._swarm.connections if not connection.is_limited]
        return list(dict.fromkeys(direct))

    async def _listen_through(self, address: Multiaddr) -> None:
        """Hold a reservation with a relay; one that is not there now is tried again."""
        for attempt in range(1_000_000):
            try:
                await self._swarm.listen([address])
            except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
                log.info("no reservation at %s: %s", address, error)
                await asyncio.sleep(RETRY_RELAY[min(attempt, len(RETRY_RELAY) - 1)])
            else:
                log.info("reachable through %s", address)
                return
