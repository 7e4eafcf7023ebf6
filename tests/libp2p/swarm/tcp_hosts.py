"""Swarms over TCP on loopback, secured and multiplexed as real ones."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.libp2p.pnet.network_key import NetworkKey
from zwerm.libp2p.swarm import Limits, Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.libp2p.yamux.config import Config as YamuxConfig
from zwerm.multiformats.multiaddr import Multiaddr

LOOPBACK = Multiaddr.from_text("/ip4/127.0.0.1/tcp/0")


def tcp_host(
    number: int,
    *,
    security: str | None = None,
    limits: Limits | None = None,
    agent: str | None = None,
    handshake_time: float = 10.0,
    max_inbound: int = 128,
    network: NetworkKey | None = None,
    max_inbound_per_host: int = 128,
    memory: int = 268_435_456,
    yamux: YamuxConfig | None = None,
) -> Swarm:
    """Make a swarm that listens on nothing yet, to be closed by the caller; with `security` it knows only that one."""
    key = seeded_key(number)
    channels = [channel for channel in securities(key) if security in (None, channel.protocol)]
    upgrade = Upgrade(
        channels,
        handshake_time=handshake_time,
        max_inbound=max_inbound,
        max_inbound_per_host=max_inbound_per_host,
        memory=memory,
        yamux=yamux,
        network=network,
    )
    return Swarm(key, [TcpTransport(upgrade)], limits=limits, agent=agent)
