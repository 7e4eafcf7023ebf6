"""Pubsub on real hosts, connected over memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.hosts import hosts
from zwerm.core.random import seeded
from zwerm.libp2p.framing import write_message
from zwerm.libp2p.gossipsub.aio import MAX_UNREAD, Pubsub, Subscription
from zwerm.libp2p.gossipsub.config import FLOODSUB, GOSSIPSUB_1_1
from zwerm.libp2p.gossipsub.message import Rpc
from zwerm.libp2p.gossipsub.router import Outcome
from zwerm.libp2p.swarm import Swarm


@contextlib.asynccontextmanager
async def pubsubs(count: int) -> AsyncIterator[tuple[list[Swarm], list[Pubsub]]]:
    """Hosts with pubsub, each connected with each."""
    async with hosts(count) as swarms, contextlib.AsyncExitStack() as stack:
        nodes = []
        for number, swarm in enumerate(swarms):
            nodes.append(await stack.enter_async_context(Pubsub(swarm, random=seeded("pubsub", number))))
        for index, swarm in enumerate(swarms):
            for other in swarms[index + 1 :]:
                await swarm.connect(other.peer_id)
        yield swarms, nodes


async def wait_wanted(pubsub: Pubsub, topic: str, count: int) -> None:
    """Wait until so many peers want a topic."""
    changed = asyncio.Event()
    stop = pubsub.listen(lambda _: changed.set())
    while len(pubsub.peers(topic)) < count:
        changed.clear()
        await changed.wait()
    stop()


async def data(subscription: Subscription) -> bytes:
    return (await anext(subscription)).message.data


async def test_a_message_reaches_everybody_who_wants_the_topic_the_publisher_too() -> None:
    async with pubsubs(4) as (swarms, nodes):
        subscriptions = [node.subscribe("news") for node in nodes[:3]]
        await wait_wanted(nodes[3], "news", 3)
        await wait_wanted(nodes[0], "news", 2)
        await nodes[3].publish("news", b"from outside")
        assert [await data(one) for one in subscriptions] == [b"from outside"] * 3
        await nodes[0].publish("news", b"from inside")
        delivered = [await anext(one) for one in subscriptions]
        assert {one.message.author for one in delivered} == {swarms[0].peer_id.multihash}
        assert delivered[0].source == swarms[0].peer_id
        assert nodes[0].topics == ["news"]
        assert len(nodes[0].peers()) == 3


async def test_several_readers_of_a_topic_get_all_and_the_last_to_leave_ends_it() -> None:
    async with pubsubs(2) as (_, nodes):
        first = nodes[0].subscribe("news")
        await wait_wanted(nodes[1], "news", 1)
        async with nodes[0].subscribe("news") as second:
            await nodes[1].publish("news", b"1")
            assert (await data(first), await data(second)) == (b"1", b"1")
        assert nodes[0].topics == ["news"]
        with pytest.raises(StopAsyncIteration):
            await anext(second)
        first.close()
        first.close()
        assert nodes[0].topics == []


async def test_a_validator_keeps_messages_from_readers_and_from_others() -> None:
    async with pubsubs(2) as (_, nodes):

        def judge(message: object, _peer: object) -> Outcome:
            return Outcome.ACCEPT if getattr(message, "data", b"").startswith(b"good") else Outcome.REJECT

        subscription = nodes[0].subscribe("news", judge)
        await wait_wanted(nodes[1], "news", 1)
        for text in (b"bad", b"good"):
            await nodes[1].publish("news", text)
        assert await data(subscription) == b"good"


async def test_a_peer_that_goes_wants_nothing_any_more() -> None:
    async with pubsubs(2) as (swarms, nodes):
        nodes[1].subscribe("news")
        await wait_wanted(nodes[0], "news", 1)
        gone = asyncio.Event()
        stop = nodes[0].listen(lambda event: gone.set() if not event.wanted else None)
        await swarms[0].disconnect(swarms[1].peer_id)
        await gone.wait()
        stop()
        assert nodes[0].peers() == []


async def test_a_reader_that_sleeps_loses_the_oldest() -> None:
    async with hosts(1) as [swarm], Pubsub(swarm) as pubsub:
        subscription = pubsub.subscribe("news")
        for number in range(MAX_UNREAD + 5):
            await pubsub.publish("news", b"%d" % number)
        assert subscription.dropped == 5
        assert await data(subscription) == b"5"


async def test_waiting_for_a_message_can_be_given_up_and_taken_up_again() -> None:
    async with hosts(1) as [swarm], Pubsub(swarm) as pubsub:
        subscription = pubsub.subscribe("news")
        waiting = asyncio.create_task(data(subscription))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await pubsub.publish("news", b"1")
        assert await data(subscription) == b"1"


@pytest.mark.parametrize("protocol", [FLOODSUB, GOSSIPSUB_1_1])
async def test_bytes_that_are_no_frames_end_the_stream_and_nothing_else(protocol: str) -> None:
    async with hosts(2) as (alice, bob), Pubsub(alice) as pubsub:
        subscription = pubsub.subscribe("news")
        async with await bob.open_stream(alice.peer_id, [protocol]) as stream:
            await stream.write(b"\xff" * 12)
        async with await bob.open_stream(alice.peer_id, [protocol]) as stream:
            await write_message(stream, b"\xff\xff")
            await write_message(stream, Rpc(graft=["news"]).serialize())
        await pubsub.publish("news", b"still here")
        assert await data(subscription) == b"still here"
