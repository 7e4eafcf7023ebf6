"""A private network of ours and Kubo 0.22, whose own switch makes sure that it is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.test_libp2p_tcp import Events, kubo
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.random import seeded
from zwerm.libp2p.host import DialFailed, PeerIdentified
from zwerm.libp2p.ping.aio import ping
from zwerm.libp2p.pnet.network_key import NetworkKey

pytestmark = [pytest.mark.interop, pytest.mark.slow]

KEY = NetworkKey.generate(seeded("pnet with Kubo"))


async def test_kubo_and_we_are_members_of_one_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBP2P_FORCE_PNET", "1")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / "swarm.key").write_bytes(KEY.serialize())
    async with kubo(tmp_path) as (peer, name, addresses):
        tcp = [address for address in addresses if address.names[:2] == ("ip4", "tcp")]
        async with tcp_host(0, network=KEY, agent="zwerm/test") as member:
            await member.connect(name, tcp)
            assert await ping(member, name) > 0.0
        async with tcp_host(1, network=KEY, agent="zwerm/test") as member:
            await member.listen([LOOPBACK])
            events = Events(member)
            await peer.ask("connect", f"{member.addresses[0]}/p2p/{member.peer_id}")
            await events.of(PeerIdentified, name)
        async with tcp_host(2, handshake_time=3.0) as stranger:
            with pytest.raises(DialFailed):
                await stranger.connect(name, tcp)
