"""Pubsub with peers that others wrote: go-libp2p's daemon and JavaScript's libp2p, both directions, small and large."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.peers import p2pd_pubsub
from tests.peers.lines import PEERS, LinePeer
from tests.peers.p2pd import p2pd
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.aio import Pubsub, Subscription
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

pytestmark = [pytest.mark.interop, pytest.mark.slow]

TOPIC = "news"
MESSAGES = [b"hello", b"", bytes(range(256)) * 100, b"last"]


@contextlib.asynccontextmanager
async def node(number: int) -> AsyncIterator[tuple[Swarm, Pubsub]]:
    async with tcp_host(number, agent="zwerm/test") as swarm:
        await swarm.listen([LOOPBACK])
        async with Pubsub(swarm) as pubsub:
            yield swarm, pubsub


async def wait_wanted(pubsub: Pubsub, peer: PeerId) -> None:
    changed = asyncio.Event()
    stop = pubsub.listen(lambda _: changed.set())
    async with asyncio.timeout(30):
        while peer not in pubsub.peers(TOPIC):
            changed.clear()
            await changed.wait()
    stop()


async def wait_grafted(pubsub: Pubsub, peer: PeerId) -> None:
    """Wait until it is in our mesh; we are in its own once it has read what we send after that.

    What it publishes before that it gives us neither as a member of its mesh nor, when we are one a moment later, by
    gossip.
    """
    async with asyncio.timeout(30):
        while peer not in pubsub.router.mesh.members(TOPIC):  # noqa: ASYNC110 -- a heartbeat does it, and tells nobody
            await asyncio.sleep(0.05)


async def read(subscription: Subscription, author: PeerId) -> bytes:
    async with asyncio.timeout(30):
        async for delivered in subscription:
            if delivered.message.author == author.multihash:
                return delivered.message.data
    raise AssertionError("the subscription has ended")


async def test_messages_go_to_and_come_from_go_libp2p() -> None:
    async with p2pd("-pubsub", "-pubsubRouter", "gossipsub") as daemon, node(1) as (swarm, pubsub):
        subscription = pubsub.subscribe(TOPIC)
        async with p2pd_pubsub.subscribed(daemon, TOPIC) as received:
            await daemon.connect(swarm.peer_id, swarm.listen_addresses)
            await wait_wanted(pubsub, daemon.peer)
            await wait_grafted(pubsub, daemon.peer)
            for data in MESSAGES:
                await pubsub.publish(TOPIC, data or b"-")
                async with asyncio.timeout(30):
                    assert await received.get() == (swarm.peer_id, data or b"-")
            for data in MESSAGES:
                await p2pd_pubsub.publish(daemon, TOPIC, data or b"-")
                assert await read(subscription, daemon.peer) == (data or b"-")


async def test_messages_go_to_and_come_from_javascript() -> None:
    loop = asyncio.get_running_loop()
    with LinePeer.node("helia_pubsub.mjs") as helia:

        async def ask(question: object) -> object:
            answer = await loop.run_in_executor(None, helia.ask, question)
            return answer["result"]

        told = await loop.run_in_executor(None, helia.answer)
        peer = PeerId.from_text(told["peer"])
        async with node(2) as (swarm, pubsub):
            subscription = pubsub.subscribe(TOPIC)
            await ask({"subscribe": TOPIC})
            await swarm.connect(peer, [Multiaddr.from_text(told["address"].partition("/p2p/")[0])])
            await wait_wanted(pubsub, peer)
            await wait_grafted(pubsub, peer)
            for data in MESSAGES:
                await pubsub.publish(TOPIC, data)
                expected = {"from": str(swarm.peer_id), "data": base64.b64encode(data).decode()}
                assert await ask({"next": TOPIC}) == expected
            for data in MESSAGES:
                await ask({"publish": [TOPIC, base64.b64encode(data).decode()]})
                assert await read(subscription, peer) == data


async def test_messages_go_to_and_come_from_py_libp2p() -> None:
    loop = asyncio.get_running_loop()
    python = PEERS / "suites" / "libp2p-venv" / "bin" / "python"
    with LinePeer([python, PEERS / "py_libp2p_pubsub.py"]) as other:

        async def ask(question: object) -> object:
            answer = await loop.run_in_executor(None, other.ask, question)
            return answer["result"]

        told = await loop.run_in_executor(None, other.answer)
        peer = PeerId.from_text(told["peer"])
        async with node(4) as (swarm, pubsub):
            subscription = pubsub.subscribe(TOPIC)
            await ask({"subscribe": TOPIC})
            await swarm.connect(peer, [Multiaddr.from_text(told["address"].partition("/p2p/")[0])])
            await wait_wanted(pubsub, peer)
            await wait_grafted(pubsub, peer)
            for data in MESSAGES:
                await pubsub.publish(TOPIC, data or b"-")
                expected = {"from": str(swarm.peer_id), "data": base64.b64encode(data or b"-").decode()}
                assert await ask({"next": TOPIC}) == expected
            for data in MESSAGES:
                await ask({"publish": [TOPIC, base64.b64encode(data or b"-").decode()]})
                assert await read(subscription, peer) == (data or b"-")


async def test_a_message_travels_from_go_through_us_to_javascript() -> None:
    loop = asyncio.get_running_loop()
    with LinePeer.node("helia_pubsub.mjs") as helia:

        async def ask(question: object) -> object:
            answer = await loop.run_in_executor(None, helia.ask, question)
            return answer["result"]

        told = await loop.run_in_executor(None, helia.answer)
        peer = PeerId.from_text(told["peer"])
        async with (
            p2pd("-pubsub", "-pubsubRouter", "gossipsub") as daemon,
            node(3) as (swarm, pubsub),
            p2pd_pubsub.subscribed(daemon, TOPIC) as received,
        ):
            subscription = pubsub.subscribe(TOPIC)
            await ask({"subscribe": TOPIC})
            await daemon.connect(swarm.peer_id, swarm.listen_addresses)
            await swarm.connect(peer, [Multiaddr.from_text(told["address"].partition("/p2p/")[0])])
            await wait_wanted(pubsub, peer)
            await wait_grafted(pubsub, daemon.peer)
            await wait_grafted(pubsub, peer)
            await pubsub.publish(TOPIC, b"all are here")
            async with asyncio.timeout(30):
                assert await received.get() == (swarm.peer_id, b"all are here")
            got = await ask({"next": TOPIC})
            assert got == {"from": str(swarm.peer_id), "data": base64.b64encode(b"all are here").decode()}
            await p2pd_pubsub.publish(daemon, TOPIC, b"round the world")
            assert await read(subscription, daemon.peer) == b"round the world"
            got = await ask({"next": TOPIC})
            assert got == {"from": str(daemon.peer), "data": base64.b64encode(b"round the world").decode()}
