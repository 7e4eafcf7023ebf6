"""A node gets another address, or its peer is gone, in the middle of a transfer: it goes on, or ends with why."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.netlab.namespace import Namespace, resident_of, wire
from tests.netlab.residents import NodeThere
from zwerm.core.errors import ZwermError
from zwerm.libp2p.swarm import moving

pytestmark = pytest.mark.slow

LIMIT = 45.0  # seconds for everything of one test
HOSTS = ("192.0.2.1", "192.0.2.2")
SIZE = 24_000_000
SLOW = "4MB"  # a second, so that a transfer has a middle


@contextlib.asynccontextmanager
async def two_nodes(path: Path) -> AsyncIterator[tuple[NodeThere, NodeThere, Namespace]]:
    """A node that has something, one that wants it, and the network of the latter."""
    with Namespace() as left, Namespace() as right, contextlib.ExitStack() as stack:
        wire(left, "eth0", right, "eth0")
        for space, host in ((left, HOSTS[0]), (right, HOSTS[1])):
            space.ip("link set eth0 up", f"addr add {host}/24 dev eth0")
        left.wait_for(HOSTS[0])  # when both ends are up
        right.wait_for(HOSTS[1])
        residents = [stack.enter_context(resident_of(space)) for space in (left, right)]
        giving = NodeThere(residents[0], path / "giving", HOSTS[0], network__upload=SLOW)
        taking = NodeThere(residents[1], path / "taking", HOSTS[1], addresses__swarm=["/ip4/0.0.0.0/tcp/4001"])
        try:
            async with asyncio.timeout(LIMIT):
                await giving.open()
                await taking.open()
                await taking.connect(giving)
                yield giving, taking, right
        finally:
            await taking.close()
            await giving.close()


async def halfway(node: NodeThere) -> None:
    """Wait until a transfer is in its middle."""
    bitswap = node.network.bitswap
    await node.until(lambda: bitswap.count.size_received > SIZE // 4)


async def test_a_transfer_goes_on_from_another_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "ANSWER_TIME", 2.0)
    content = os.urandom(SIZE)
    (tmp_path / "content").write_bytes(content)
    async with two_nodes(tmp_path) as (giving, taking, network):
        cid = await giving.add(tmp_path / "content")
        fetching = asyncio.ensure_future(taking.cat(cid))
        await halfway(taking)
        ended: list[str] = []
        (connection,) = taking.swarm.connections_to(giving.node.identity)
        watching = asyncio.ensure_future(taking.resident.do(connection.muxed.wait_closed()))
        network.ip(
            "addr add 192.0.2.77/24 dev eth0", f"addr del {HOSTS[1]}/24 dev eth0", "addr replace 192.0.2.77/24 dev eth0"
        )
        ended.append(await watching)
        assert "no longer one of this machine" in connection.closing
        await taking.connect(giving)  # as a node does that looks for providers
        assert await fetching == content
        bitswap = taking.network.bitswap
        assert bitswap.count.size_received < SIZE * 1.4  # what had come was not fetched again
        outside = [str(each) for each in taking.swarm.addresses if each.value("ip4") != "127.0.0.1"]
        assert outside == ["/ip4/192.0.2.77/tcp/4001"]


async def test_a_peer_that_is_gone_for_good_ends_a_transfer_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(os.urandom(SIZE))
    async with two_nodes(tmp_path) as (giving, taking, _):
        cid = await giving.add(tmp_path / "content")
        fetching = asyncio.ensure_future(taking.cat(cid))
        await halfway(taking)
        await giving.close()
        with pytest.raises(ZwermError) as failure:
            await fetching
        assert str(failure.value)
