"""Publishing under our own keys: put to others until it works, renewed for as long as the key is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, PATH
from zwerm.core.errors import TransportError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipns.name import routing_key
from zwerm.ipfs.ipns.publisher import Publisher, Put, Terms
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.republisher import RepublisherConfig
from zwerm.ipfs.ipns.resolver import IpnsResolver
from zwerm.ipfs.ipns.store import RecordStore

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)


class Way:
    """A network that takes records, or does not."""

    label = "way"

    def __init__(self) -> None:
        self.taken: asyncio.Queue[tuple[bytes, Record]] = asyncio.Queue()
        self.failures = 0

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        for _ in range(0):
            yield key

    async def put_record(self, key: bytes, record: bytes) -> None:
        if self.failures:
            self.failures -= 1
            raise TransportError("nobody is there")
        self.taken.put_nowait((key, Record.parse(record)))


class World:
    """A publisher on a wall clock moved by hand."""

    def __init__(self, store: RecordStore, *, interval: float) -> None:
        self.store = store
        self.now = NOW
        self.ways: list[Way] = []
        self.keys = {NAME: KEY}
        loop = asyncio.get_running_loop()
        resolver = IpnsResolver(store, self.ways, clock=lambda: self.now, timer=loop.time)
        self.publisher = Publisher(
            store,
            resolver,
            self.ways,
            self.keys.get,
            clock=lambda: self.now,
            timer=loop.time,
            config=RepublisherConfig(interval=interval, first_retry=0.0),
        )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    database = Database(tmp_path / "index.sqlite")
    yield RecordStore(database)
    database.close()


@pytest.fixture
async def world(store: RecordStore) -> AsyncIterator[World]:
    world = World(store, interval=3_600.0)
    async with world.publisher:
        yield world


async def test_without_a_way_a_name_is_published_here_and_nothing_waits(world: World) -> None:
    record = await world.publisher.publish(KEY, PATH)
    assert world.store.find(NAME) == record
    assert record.validity == NOW + 48 * HOUR
    assert await world.publisher.wait_put(NAME) is None


async def test_a_published_name_is_put_to_every_way(world: World) -> None:
    world.ways += [Way(), Way()]
    record = await world.publisher.publish(KEY, PATH, Terms(ttl=HOUR, v1_compatible=False))
    assert await world.publisher.wait_put(NAME) == Put(("way", "way"), ())
    for way in world.ways:
        assert way.taken.get_nowait() == (routing_key(NAME), record)
    assert not record.signature_v1


async def test_what_nobody_took_is_put_again_until_somebody_does(world: World) -> None:
    world.ways.append(Way())
    world.ways[0].failures = 3
    record = await world.publisher.publish(KEY, PATH)
    assert await world.publisher.wait_put(NAME) == Put((), ("way: nobody is there",))
    assert await world.ways[0].taken.get() == (routing_key(NAME), record)


async def test_names_are_put_again_and_again_and_renewed_in_time(store: RecordStore) -> None:
    world = World(store, interval=0.0)
    world.ways.append(Way())
    async with world.publisher:
        first = await world.publisher.publish(KEY, PATH, Terms(lifetime=10 * HOUR))
        assert await world.ways[0].taken.get() == (routing_key(NAME), first)
        world.now += 4 * HOUR
        world.ways[0].taken = asyncio.Queue()
        assert await world.ways[0].taken.get() == (routing_key(NAME), first)
        world.now += 2 * HOUR
        while (renewed := (await world.ways[0].taken.get())[1]) == first:
            pass
        assert renewed.sequence == first.sequence
        assert renewed.validity == world.now + 10 * HOUR


async def test_a_name_whose_key_is_gone_is_put_as_it_is_until_its_end(world: World) -> None:
    record = await world.publisher.publish(KEY, PATH, Terms(lifetime=10 * HOUR))
    world.keys.clear()
    world.now += 9 * HOUR
    assert await world.publisher.renew(NAME) == record
    world.ways.append(Way())
    await world.publisher.network_changed()
    assert await world.publisher.wait_put(NAME) == Put(("way",), ())
    world.now += HOUR
    await world.publisher.network_changed()
    assert await world.publisher.wait_put(NAME) == Put((), ())


async def test_a_withdrawn_name_is_renewed_no_more(world: World) -> None:
    await world.publisher.publish(KEY, PATH)
    assert await world.publisher.withdraw(NAME)
    assert await world.publisher.renew(NAME) is None


async def test_publishers_at_once_get_sequences_one_after_another(world: World) -> None:
    paths = [PATH, OTHER_PATH] * 4
    records = await asyncio.gather(*(world.publisher.publish(KEY, path) for path in paths))
    assert sorted(record.sequence for record in records) == list(range(8))
