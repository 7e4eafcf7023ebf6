"""Which secure channel is offered first, and that it is the one two nodes come to."""

import asyncio

import pytest

from tests.libp2p.noise.sides import ALICE
from tests.libp2p.swarm.tcp_hosts import tcp_host
from zwerm.libp2p.swarm import upgrade
from zwerm.multiformats.multiaddr import Multiaddr


@pytest.mark.parametrize(("is_fast", "order"), [(True, ["/tls/1.0.0", "/noise"]), (False, ["/noise", "/tls/1.0.0"])])
def test_tls_comes_first_where_aes_is_fast(monkeypatch: pytest.MonkeyPatch, *, is_fast: bool, order: list[str]) -> None:
    monkeypatch.setattr(upgrade, "is_aes_fast", lambda: is_fast)
    assert [channel.protocol for channel in upgrade.securities(ALICE)] == order

    async def meet() -> str:
        async with tcp_host(1) as left, tcp_host(2) as right:
            await right.listen([Multiaddr.from_text("/ip4/127.0.0.1/tcp/0")])
            connection = await left.connect(right.peer_id, list(right.addresses))
            return str(connection.security)

    assert asyncio.run(meet()) == order[0]
