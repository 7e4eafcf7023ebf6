"""`node.network`: the node among nodes. What stands on the swarm is started here, each part given only those before it.

Nothing of it exists in a node that is offline: `node.network` is None then, and whoever needs the network says so. The
parts that a node can do without are attributes that may be None.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import TransportError, WireError

if TYPE_CHECKING:
    from zwerm.ipfs.bitswap.aio import Bitswap
    from zwerm.ipfs.exchange.providers import ContentRouting
    from zwerm.ipfs.exchange.source import NetworkSource
    from zwerm.ipfs.ipns.pubsub import IpnsPubsub
    from zwerm.libp2p.gossipsub.aio import Pubsub
    from zwerm.libp2p.swarm.limits import Limits
    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
    from zwerm.multiformats.multiaddr import Multiaddr
    from zwerm.node.captures import Captures
    from zwerm.node.network_routing import NodeRouting
    from zwerm.node.node import Node
    from zwerm.node.peering import Peering
    from zwerm.node.reach import Reach
    from zwerm.node.traffic import Traffic

log: Final = logging.getLogger("zwerm.network")


class Network:
    """What a node has once it joined: made by `join`, closed by whoever closes its stack."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.swarm: Swarm
        self.bitswap: Bitswap
        self.source: NetworkSource
        self.peering: Peering
        self.reach: Reach
        self.traffic: Traffic
        self.direct: WebRtcDirectTransport | None = None  # None: the node speaks no WebRTC
        self.captures: Captures | None = None
        self.pubsub: Pubsub | None = None  # None: `pubsub.enabled` is off
        self.ipns_pubsub: IpnsPubsub | None = None
        self.ways: NodeRouting  # the DHTs, providing, and what is served of them
        self.routing: ContentRouting | None = None  # who has what, and where peers are; None: nobody can be asked


async def join(node: Node, stack: AsyncExitStack) -> Network:
    """Start everything; what was started is closed by `stack`, also when a later part fails.

    Raises:
        TransportError: an address cannot be listened on.
    """
    network = Network(node)
    await _start_swarm(network, stack)
    await _start_routing(network, stack)
    await _start_exchange(network, stack)
    await _start_names(network, stack)
    await _listen(network)
    await _be_reached(network, stack)
    await _meet_others(network, stack)
    return network


async def _start_swarm(network: Network, stack: AsyncExitStack) -> None:
    """Open the swarm, which identifies itself and answers pings."""
    from zwerm import __version__
    from zwerm.libp2p.swarm.swarm import Swarm
    from zwerm.net.dns import Dns
    from zwerm.node.access import transports
    from zwerm.node.traffic import Traffic

    node = network.node
    swarm = Swarm(node.repository.key, transports(node), limits=limits_of(node), agent=f"zwerm/{__version__}")
    network.swarm = await stack.enter_async_context(swarm)
    _keep_settings(network, stack)
    swarm.names = Dns(node.config.texts("dns.servers"))
    network.traffic = Traffic(lambda: (swarm.bandwidth.total.received, swarm.bandwidth.total.sent))
    swarm.spawn(network.traffic.run(), "traffic")
    _be_captured(network, stack)


def _be_captured(network: Network, stack: AsyncExitStack) -> None:
    """Let the owner look into connections of WebRTC, if there can be any."""
    from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
    from zwerm.node.captures import Captures

    for transport in network.swarm.transports:
        if isinstance(transport, WebRtcDirectTransport):
            network.direct = transport
            network.captures = Captures(transport, network.node.repository.path)
            stack.push_async_callback(network.captures.stop)


def limits_of(node: Node) -> Limits:
    """Return what the settings `network.*` say of limits."""
    from zwerm.libp2p.swarm.limits import Limits

    most = node.config.integer("network.connections")
    return Limits(
        connections=4 * most,
        high_water=most,
        low_water=5 * most // 8,
        upload=node.config.size("network.upload") or None,
        download=node.config.size("network.download") or None,
    )


def _keep_settings(network: Network, stack: AsyncExitStack) -> None:
    """Let settings of bandwidth and of filtered addresses take effect, now and at once when they change."""
    from zwerm.libp2p.swarm.address_ranges import AddressRange, AddressRanges

    bandwidth, node = network.swarm.bandwidth, network.node
    loop = asyncio.get_running_loop()
    filtered: tuple[str, ...] = ()

    def apply() -> None:
        nonlocal filtered
        if (texts := tuple(node.config.texts("network.filters"))) != filtered:
            filtered = texts
            network.swarm.set_filtered(AddressRanges(map(AddressRange.from_text, texts)))
        for cap, key in ((bandwidth.upload, "network.upload"), (bandwidth.download, "network.download")):
            wanted = node.config.size(key) or None
            if cap.bytes_per_second != wanted:
                cap.set(wanted, bandwidth.now())

    def changed() -> None:
        loop.call_soon_threadsafe(apply)

    apply()
    node.config.listeners.append(changed)
    stack.callback(node.config.listeners.remove, changed)


async def _start_routing(network: Network, stack: AsyncExitStack) -> None:
    """Set `network.routing`, and `network.swarm.find_peer`."""
    from zwerm.node.network_routing import start

    network.ways = await start(network.node, network.swarm, stack)
    network.routing = network.ways.routing


async def _start_exchange(network: Network, stack: AsyncExitStack) -> None:
    """Give and take blocks; from here on `node.source` asks others for what is not here."""
    from zwerm.ipfs.bitswap.aio import Bitswap
    from zwerm.ipfs.exchange.gateways import Gateways
    from zwerm.ipfs.exchange.source import NetworkSource

    node = network.node
    bitswap = network.bitswap = await stack.enter_async_context(
        Bitswap(network.swarm, node.store, node.hashers, routing=network.routing)
    )
    addresses = node.config.texts("exchange.gateways")
    gateways = Gateways(addresses, node.store) if addresses else None
    bitswap.client.is_hopeful = bool(node.config.texts("bootstrap")) or node.config.boolean("discovery.lan")
    network.source = NetworkSource(node.source.local, bitswap, gateways)
    stack.push_async_callback(network.source.close)
    node.store.listeners.append(bitswap.blocks_put)
    stack.callback(node.store.listeners.remove, bitswap.blocks_put)
    node.source.online = network.source

    def go_offline() -> None:
        node.source.online = None
        node.network = None

    stack.callback(go_offline)


async def _start_names(network: Network, stack: AsyncExitStack) -> None:
    """Start pubsub, and let names travel by it too; by the DHT they do already."""
    import time

    from zwerm.ipfs.ipns.pubsub import IpnsPubsub
    from zwerm.libp2p.gossipsub.aio import Pubsub

    node = network.node
    if not node.config.boolean("pubsub.enabled"):
        return
    network.pubsub = await stack.enter_async_context(Pubsub(network.swarm))
    ipns = IpnsPubsub(network.swarm, network.pubsub, known=node.names.known, learn=node.names.learn, clock=time.time_ns)
    network.ipns_pubsub = await stack.enter_async_context(ipns)
    await node.names.add_routing(ipns)
    stack.callback(node.names.remove_routing, ipns)


async def _listen(network: Network) -> None:
    swarm = network.swarm
    unknown = []
    for address in listen_addresses(network.node):
        if any(transport.can_listen(address) for transport in swarm._transports):
            await swarm.listen([address])
        else:
            unknown.append(str(address))
    if unknown:
        log.info("no transport here listens on %s", ", ".join(unknown))


async def _be_reached(network: Network, stack: AsyncExitStack) -> None:
    """Look for nodes of the local network, hold places at relays, and find out what leads here from outside."""
    from zwerm.node.reach import Reach

    network.reach = Reach(network.node, network.swarm, network.ways.wan)
    await network.reach.start(stack)


async def _meet_others(network: Network, stack: AsyncExitStack) -> None:
    """Dial the peers of `bootstrap`, and those that were met before."""
    from zwerm.node.peering import Peering, join_through
    from zwerm.node.wanted import Fulfiller

    network.peering = Peering(network.swarm)
    stack.push_async_callback(network.peering.close)
    await _remember(network, stack)
    fulfiller = Fulfiller(network.node, network.swarm)
    stack.callback(fulfiller.unsubscribe)
    fulfilling = asyncio.get_running_loop().create_task(fulfiller.run(), name="wanted pins")
    joining = asyncio.get_running_loop().create_task(
        join_through(network.swarm, network.node.config.texts("bootstrap")), name="bootstrap"
    )

    async def stop() -> None:
        joining.cancel()
        fulfilling.cancel()
        await asyncio.wait([joining, fulfilling])

    stack.push_async_callback(stop)


async def _remember(network: Network, stack: AsyncExitStack) -> None:
    """Keep whom this node meets on the disk, and dial them at the next start."""
    import time

    from zwerm.node.remembered import NAME, PeerMemory, keeps

    node, swarm = network.node, network.swarm
    if not node.config.boolean("network.remember"):
        return
    memory = PeerMemory(swarm, node.repository.path / NAME, keeps(node.config.profile), time.time)
    await memory.open()
    stack.push_async_callback(memory.close)
    swarm.spawn(memory.run(), "write whom we met")
    swarm.spawn(memory.rejoin(), "dial whom we met")


def listen_addresses(node: Node) -> Sequence[Multiaddr]:
    """Return `addresses.swarm`, with the port offset of this run on every fixed port."""
    from zwerm.multiformats.multiaddr import Multiaddr

    offset = node.config.port_offset
    found = []
    for text in node.config.texts("addresses.swarm"):
        words = text.split("/")
        for index, word in enumerate(words[:-1]):
            if word in ("tcp", "udp") and words[index + 1].isdigit() and int(words[index + 1]):
                words[index + 1] = str(int(words[index + 1]) + offset)
        try:
            found.append(Multiaddr.from_text("/".join(words)))
        except WireError as error:
            raise TransportError(f"addresses.swarm: {text}: {error}") from None
    return found
