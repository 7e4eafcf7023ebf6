"""Each of our secure channels beside Kubo's and go-libp2p's, with the muxer agreed on inside the handshake."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.interop.test_libp2p_tcp import Events, kubo
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.peers.p2pd import p2pd
from tests.peers.p2pd_streams import streams_of
from zwerm.libp2p.host import PeerIdentified
from zwerm.libp2p.ping.aio import ping

pytestmark = [pytest.mark.interop, pytest.mark.slow]

CHANNELS = ["/noise", "/tls/1.0.0"]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_kubo_is_dialled(channel: str, tmp_path: Path) -> None:
    async with kubo(tmp_path) as (_, name, addresses), tcp_host(0, security=channel, agent="zwerm/test") as swarm:
        connection = await swarm.connect(name, addresses)
        assert (connection.security, connection.muxer) == (channel, "/yamux/1.0.0")
        assert await ping(swarm, name) > 0.0


@pytest.mark.parametrize("channel", CHANNELS)
async def test_kubo_dials(channel: str, tmp_path: Path) -> None:
    async with kubo(tmp_path) as (peer, name, _), tcp_host(0, security=channel, agent="zwerm/test") as swarm:
        await swarm.listen([LOOPBACK])
        events = Events(swarm)
        await peer.ask("connect", f"{swarm.addresses[0]}/p2p/{swarm.peer_id}")
        await events.of(PeerIdentified, name)
        assert [each.security for each in swarm.connections_to(name)] == [channel]
        assert await ping(swarm, name) > 0.0


@pytest.mark.parametrize("channel", CHANNELS)
async def test_the_go_daemon_is_dialled_and_dials(channel: str) -> None:
    async with asyncio.timeout(60), p2pd() as daemon, tcp_host(0, security=channel, agent="zwerm/test") as swarm:
        connection = await swarm.connect(daemon.peer, daemon.addresses)
        assert connection.security == channel
        assert await ping(swarm, daemon.peer) > 0.0
    async with (
        asyncio.timeout(60),
        p2pd() as daemon,
        streams_of(daemon),
        tcp_host(0, security=channel, agent="zwerm/test") as swarm,
    ):
        await swarm.listen([LOOPBACK])
        events = Events(swarm)
        await daemon.connect(swarm.peer_id, swarm.addresses)
        await events.of(PeerIdentified, daemon.peer)
        assert [each.security for each in swarm.connections_to(daemon.peer)] == [channel]
