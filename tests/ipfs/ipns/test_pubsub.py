"""IPNS over pubsub, on real hosts over memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, signed
from tests.libp2p.hosts import hosts, seeded_key
from zwerm.core.errors import TransportError
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import pubsub as module
from zwerm.ipfs.ipns import validator
from zwerm.ipfs.ipns.name import routing_key, topic
from zwerm.ipfs.ipns.pubsub import IpnsPubsub
from zwerm.ipfs.ipns.record import Record
from zwerm.libp2p.fetch.aio import fetch
from zwerm.libp2p.gossipsub.aio import Pubsub
from zwerm.libp2p.swarm import Swarm

KEY = seeded_key(50)
NAME = PeerId.of(KEY.public)


class Node:
    """What one node knows."""

    def __init__(self, swarm: Swarm, pubsub: Pubsub) -> None:
        self.records: dict[PeerId, Record] = {}
        self.learnt: asyncio.Queue[Record] = asyncio.Queue()
        self.pubsub = pubsub
        self.host = swarm
        self.ipns = IpnsPubsub(swarm, pubsub, known=self.known, learn=self.learn, clock=lambda: NOW)

    async def known(self, name: PeerId) -> Record | None:
        return self.records.get(name)

    async def learn(self, name: PeerId, encoded: bytes) -> Record | None:
        record = validator.check(name, encoded, NOW)
        held = self.records.get(name)
        if held is not None and held.rank >= record.rank:
            return None
        self.records[name] = record
        self.learnt.put_nowait(record)
        return record

    async def find(self) -> list[bytes]:
        return [record async for record in self.ipns.find_records(routing_key(NAME))]


@contextlib.asynccontextmanager
async def nodes(count: int, *, connected: bool = True) -> AsyncIterator[list[Node]]:
    async with hosts(count) as swarms, contextlib.AsyncExitStack() as stack:
        found = []
        for number, swarm in enumerate(swarms):
            pubsub = await stack.enter_async_context(Pubsub(swarm, random=seeded("pubsub", number)))
            node = Node(swarm, pubsub)
            await stack.enter_async_context(node.ipns)
            found.append(node)
        if connected:
            for index, swarm in enumerate(swarms):
                for other in swarms[index + 1 :]:
                    await swarm.connect(other.peer_id)
        yield found


async def wait_followed(node: Node, count: int) -> None:
    changed = asyncio.Event()
    stop = node.pubsub.listen(lambda _: changed.set())
    while len(node.pubsub.peers(topic(NAME))) < count:
        changed.clear()
        await changed.wait()
    stop()


async def test_who_follows_a_name_hears_of_a_new_record_at_once() -> None:
    async with nodes(3) as (alice, bob, carol):
        assert await bob.find() == []
        assert await carol.find() == []
        assert bob.ipns.followed == [NAME]
        await wait_followed(alice, 2)
        record = signed(KEY, sequence=1)
        alice.records[NAME] = record
        await alice.ipns.put_record(routing_key(NAME), record.encoded)
        assert await bob.learnt.get() == record
        assert await carol.learnt.get() == record


async def test_who_comes_later_asks_those_who_are_there() -> None:
    async with nodes(2) as (alice, bob):
        alice.records[NAME] = signed(KEY, sequence=1)
        assert await alice.find() == []
        await wait_followed(bob, 1)
        assert await bob.find() == [alice.records[NAME].encoded]


async def test_a_peer_that_comes_with_a_newer_record_is_asked_and_the_others_told() -> None:
    async with nodes(3, connected=False) as (alice, bob, carol):
        await alice.host.connect(bob.host.peer_id)
        await alice.find()
        await bob.find()
        await wait_followed(bob, 1)
        await wait_followed(alice, 1)
        newer = signed(KEY, OTHER_PATH, sequence=2)
        carol.records[NAME] = newer
        await carol.find()
        await carol.host.connect(alice.host.peer_id)
        assert await alice.learnt.get() == newer
        assert await bob.learnt.get() == newer


async def test_forged_and_older_records_are_not_passed_on() -> None:
    async with nodes(2) as (alice, bob):
        old, new = signed(KEY, sequence=1), signed(KEY, OTHER_PATH, sequence=2)
        bob.records[NAME] = new
        await bob.find()
        await wait_followed(alice, 1)
        for bad in (signed(seeded_key(51), sequence=9), signed(KEY, sequence=9, life=-HOUR), old):
            await alice.pubsub.publish(topic(NAME), bad.encoded)
        newest = signed(KEY, sequence=3)
        await alice.pubsub.publish(topic(NAME), newest.encoded)
        assert await bob.learnt.get() == newest
        assert bob.learnt.empty()


@pytest.mark.parametrize("way", ["published", "asked for"])
async def test_who_gives_records_from_the_future_is_named_in_the_log_once(
    way: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zwerm")
    async with asyncio.timeout(30), nodes(2) as (alice, bob):
        records = [signed(KEY, sequence=validator.SEQUENCE + number) for number in range(3)]
        if way == "published":
            await bob.find()
            await wait_followed(alice, 1)
            for record in records:
                await alice.pubsub.publish(topic(NAME), record.encoded)
                assert await bob.learnt.get() == record
        else:
            await alice.find()
            await wait_followed(bob, 1)
            for record in records:
                alice.records[NAME] = record
                assert await bob.find() == [record.encoded]
        [line] = [record.getMessage() for record in caplog.records if "IPNS record" in record.getMessage()]
    assert str(alice.host.peer_id) in line
    assert f"sequence {validator.SEQUENCE}" in line


async def test_a_record_that_nobody_follows_is_not_put() -> None:
    async with nodes(2) as (alice, _):
        with pytest.raises(TransportError, match="no peer follows"):
            await alice.ipns.put_record(routing_key(NAME), signed(KEY).encoded)


async def test_records_are_given_to_who_asks_and_ended_ones_are_not() -> None:
    async with nodes(2) as (alice, bob):
        alice.records[NAME] = signed(KEY)
        assert await fetch(bob.host, alice.host.peer_id, routing_key(NAME)) == alice.records[NAME].encoded
        alice.records[NAME] = signed(KEY, life=-HOUR)
        assert await fetch(bob.host, alice.host.peer_id, routing_key(NAME)) is None
        assert await fetch(bob.host, alice.host.peer_id, b"/pk/x") is None


async def test_only_so_many_names_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    keys = [routing_key(PeerId.of(seeded_key(number).public)) for number in range(60, 63)]
    async with nodes(1) as [alice]:
        for key in (keys[0], keys[1], keys[0], keys[2]):
            assert [record async for record in alice.ipns.find_records(key)] == []
        assert {routing_key(name) for name in alice.ipns.followed} == {keys[0], keys[2]}
        assert len(alice.pubsub.topics) == 2
        assert alice.ipns.leave(alice.ipns.followed[0])
        assert not alice.ipns.leave(NAME)
