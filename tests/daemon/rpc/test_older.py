"""What clients of older Kubo call: `dht/findprovs` and the like, `dns`, `routing/reprovide`, `provide/clear`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.node.test_network_routing import connect, contacts, until, ways_of
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.node import Node

pytestmark = pytest.mark.slow


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Rpc, Rpc]]:
    async with (
        Node(tmp_path / "alice", profile="test", online=True) as alice,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        await connect(alice, bob)
        await until(lambda: contacts(alice) and contacts(bob))
        yield Rpc(alice), Rpc(bob)


async def items(rpc: Rpc, path: str, *arguments: str, **options: Any) -> list[Any]:
    return [item async for item in await rpc.call(path, *arguments, **options)]


async def test_the_older_names_of_routing_do_the_same(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    cid = await alice.node.add(b"provided by alice", pin=False)
    (told,) = await items(alice, "dht/provide", str(cid))
    assert told["Type"] == 5
    (found,) = await items(bob, "dht/findprovs", str(cid), num_providers=1)
    assert [peer["ID"] for peer in found["Responses"]] == [str(alice.node.identity)]
    (where,) = await items(bob, "dht/findpeer", str(alice.node.identity))
    assert [peer["ID"] for peer in where["Responses"]] == [str(alice.node.identity)]


@pytest.mark.parametrize("path", ["routing/reprovide", "bitswap/reprovide"])
async def test_what_was_told_is_told_again_now(pair: tuple[Rpc, Rpc], path: str) -> None:
    alice, _ = pair
    cid = await alice.node.add(b"something to tell")
    providing = ways_of(alice.node).providing
    assert providing is not None
    await until(lambda: not providing.is_pending(cid.multihash) and providing.statistics().records_sent)
    before = providing.statistics().records_sent
    assert await alice.call(path) is None
    await until(lambda: providing.statistics().records_sent > before)


async def test_what_waits_to_be_told_is_left_to_its_turn(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", online=True) as node:
        cid = await node.add(b"nobody is there to be told")
        providing = ways_of(node).providing
        assert providing is not None
        await until(lambda: providing.is_pending(cid.multihash))
        assert await Rpc(node).call("provide/clear") == 1
        assert providing.is_kept(cid.multihash)
        assert not providing.is_pending(cid.multihash)
        assert await Rpc(node).call("provide/clear") == 0


async def test_a_domain_is_followed_and_anything_else_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zwerm.ipfs.dnslink.resolver import DnslinkResolver
    from zwerm.ipfs.dnslink.text import choose

    path = choose(["dnslink=/ipfs/bafkqaaa"])

    async def look(_self: DnslinkResolver, domain: str) -> tuple[Any, float]:
        assert domain == "example.org"
        return path, 60.0

    monkeypatch.setattr(DnslinkResolver, "_look", look)
    async with Node(tmp_path, profile="test", online=True) as node:
        assert await Rpc(node).call("dns", "example.org") == {"Path": "/ipfs/bafkqaaa"}
        with pytest.raises(CommandError, match="is no domain"):
            await Rpc(node).call("dns", "nonsense")
