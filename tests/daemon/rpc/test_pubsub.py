"""`pubsub/*` and `name/pubsub/*`, between two nodes on the loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from tests.daemon.rpc.networked import network_of, two_nodes
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import RawStream
from zwerm.libp2p.gossipsub.aio import Pubsub
from zwerm.multiformats import multibase
from zwerm.node.node import Node

NEWS = multibase.encode(b"news", "base64url")


def pubsub_of(rpc: Rpc) -> Pubsub:
    pubsub = network_of(rpc.node).pubsub
    assert pubsub is not None
    return pubsub


async def wait_wanted(rpc: Rpc, topic: str) -> None:
    pubsub = pubsub_of(rpc)
    changed = asyncio.Event()
    stop = pubsub.listen(lambda _: changed.set())
    while not pubsub.peers(topic):
        changed.clear()
        await changed.wait()
    stop()


async def test_a_message_goes_from_one_node_to_another_in_kubos_form(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        stream = await bob.call("pubsub/sub", NEWS)
        assert isinstance(stream, RawStream)
        assert await anext(stream.chunks) == b"", "the answer begins at once"
        await wait_wanted(ann, "news")
        assert await ann.call("pubsub/peers", NEWS) == {"Strings": [str(bob.node.identity)]}
        assert await ann.call("pubsub/peers", multibase.encode(b"other", "base32")) == {"Strings": []}
        assert await bob.call("pubsub/ls") == {"Strings": [NEWS]}
        await ann.call("pubsub/pub", multibase.encode(b"news", "base58btc"), body=upload(b"h\xffllo"))
        row = json.loads(await anext(stream.chunks))
        assert row["from"] == str(ann.node.identity)
        assert multibase.decode(row["data"]) == b"h\xffllo"
        assert multibase.decode(row["seqno"])
        assert row["topicIDs"] == [NEWS]
        await stream.chunks.aclose()
        assert await bob.call("pubsub/ls") == {"Strings": []}


async def test_a_published_name_is_heard_of_at_once_by_who_follows_it(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        first, second = [await ann.add(data) for data in (b"one", b"two")]
        name = (await ann.call("name/publish", first, ttl="24h"))["Name"]
        assert await bob.call("name/resolve", name) == {"Path": f"/ipfs/{first}"}
        assert (await bob.call("name/pubsub/state")) == {"Enabled": True}
        assert (await bob.call("name/pubsub/subs")) == {"Strings": [f"/ipns/{name}"]}
        await wait_wanted(ann, pubsub_of(bob).topics[0])
        learnt = asyncio.Event()
        learn = bob.node.names.learn

        async def watched(*arguments: object) -> object:
            try:
                return await learn(*arguments)  # type: ignore[arg-type]
            finally:
                learnt.set()

        ipns = network_of(bob.node).ipns_pubsub
        assert ipns is not None
        ipns._learn = watched  # type: ignore[assignment]
        await ann.call("name/publish", second, ttl="24h")
        await learnt.wait()
        assert await bob.call("name/resolve", name) == {"Path": f"/ipfs/{second}"}
        assert (await bob.call("name/pubsub/cancel", name)) == {"Canceled": True}
        assert (await bob.call("name/pubsub/cancel", name)) == {"Canceled": False}


async def test_without_a_network_or_with_pubsub_off_it_says_so(rpc: Rpc, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="online mode"):
        await rpc.call("pubsub/ls")
    assert await rpc.call("name/pubsub/state") == {"Enabled": False}
    settings = {"pubsub.enabled": False}
    async with Node(tmp_path / "off", profile="test", overrides=settings, online=True) as node:
        for path in ("pubsub/ls", "name/pubsub/subs"):
            with pytest.raises(CommandError, match="pubsub is off"):
                await Rpc(node).call(path)


async def test_what_is_no_topic_or_name_is_refused(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", online=True) as node:
        rpc = Rpc(node)
        for topic in ("news", "", multibase.encode(b"\xff", "base64url")):
            with pytest.raises(CommandError, match="is not in multibase"):
                await rpc.call("pubsub/peers", topic)
        with pytest.raises(CommandError, match="invalid name"):
            await rpc.call("name/pubsub/cancel", "example.org")


async def test_what_was_seen_is_forgotten_for_all_or_one_author(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        async with pubsub_of(bob).subscribe("news") as messages:
            await wait_wanted(ann, "news")
            await ann.call("pubsub/pub", NEWS, body=upload(b"one"))
            await bob.call("pubsub/pub", NEWS, body=upload(b"two"))
            for _ in range(2):
                await anext(messages)
        assert await bob.call("pubsub/reset", peer=str(ann.node.identity)) == {"Deleted": 1}
        assert await bob.call("pubsub/reset", peer=str(ann.node.identity)) == {"Deleted": 0}
        assert await bob.call("pubsub/reset") == {"Deleted": 1}
        with pytest.raises(CommandError, match="invalid peer"):
            await bob.call("pubsub/reset", peer="nobody")
