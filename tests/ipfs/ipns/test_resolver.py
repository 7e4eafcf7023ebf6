"""From a key to the newest record that can be had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, PATH, signed
from zwerm.core.errors import TransportError, WireError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipns.name import routing_key
from zwerm.ipfs.ipns.record import RecordExpired
from zwerm.ipfs.ipns.resolver import IpnsResolver, ResolverConfig
from zwerm.ipfs.ipns.store import RecordStore
from zwerm.ipfs.ipns.timestamp import SECOND

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)


class Clock:
    """Both clocks of a node, moved by hand."""

    def __init__(self) -> None:
        self.passed = 0.0

    def wall(self) -> int:
        return NOW + int(self.passed * SECOND)

    def monotonic(self) -> float:
        return self.passed


class Way:
    """A network that yields what a test put there, and then ends, fails or waits."""

    def __init__(self, *records: bytes, then: str = "end") -> None:
        self.records = list(records)
        self.then = then
        self.asked: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.ended = 0
        self.given = 0

    label = "a way of the test's"

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        self.asked.append(key)
        self.was_asked.set()
        try:
            for record in self.records:
                self.given += 1
                yield record
            if self.then == "fail":
                raise TransportError("nobody is there")
            if self.then == "wait":
                await asyncio.Event().wait()
        finally:
            self.ended += 1

    async def put_record(self, key: bytes, record: bytes) -> None:
        raise AssertionError(f"a resolver puts nothing, but did {key!r} {record!r}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RecordStore]:
    database = Database(tmp_path / "index.sqlite")
    yield RecordStore(database)
    database.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ways() -> list[Way]:
    return []


@pytest.fixture
async def resolver(store: RecordStore, clock: Clock, ways: list[Way]) -> AsyncIterator[IpnsResolver]:
    config = ResolverConfig(after_first=0.0)
    resolver = IpnsResolver(store, ways, clock=clock.wall, timer=clock.monotonic, config=config)
    yield resolver
    await resolver.close()


async def test_without_a_network_what_is_kept_is_found_at_once(resolver: IpnsResolver, store: RecordStore) -> None:
    assert await resolver.find(NAME) is None
    record = signed(KEY)
    store.publish(NAME, record, HOUR, NOW)
    found = await resolver.find(NAME)
    assert found is not None
    assert found.record == record
    assert found.fresh == 3_600


async def test_the_newest_of_what_the_network_has_is_found_and_kept(
    resolver: IpnsResolver, store: RecordStore, ways: list[Way]
) -> None:
    old, new = signed(KEY, sequence=1), signed(KEY, OTHER_PATH, sequence=2)
    forged = signed(PrivateKey.generate(), sequence=9)
    ways += [Way(b"junk", old.encoded, forged.encoded, new.encoded, old.encoded), Way(then="fail")]
    found = await resolver.find(NAME)
    assert found is not None
    assert found.record == new
    assert store.find(NAME) == new
    assert ways[0].asked == [routing_key(NAME)]


async def test_an_older_record_from_the_network_is_not_taken_for_a_newer(
    resolver: IpnsResolver, store: RecordStore, ways: list[Way]
) -> None:
    old, new = signed(KEY, sequence=1), signed(KEY, OTHER_PATH, sequence=2)
    store.keep(NAME, new, NOW)
    ways.append(Way(old.encoded))
    found = await resolver.find(NAME, fresh=True)
    assert found is not None
    assert found.record == new


async def test_nothing_is_believed_past_its_end_of_life(
    resolver: IpnsResolver, store: RecordStore, ways: list[Way], clock: Clock
) -> None:
    record = signed(KEY, life=HOUR, ttl=48 * HOUR)
    ways.append(Way(record.encoded))
    found = await resolver.find(NAME)
    assert found is not None
    assert found.fresh == 3_600, "no longer than it lives, whatever its time to live says"
    clock.passed = 3_600
    with pytest.raises(RecordExpired):
        await resolver.find(NAME)
    ways.clear()
    assert await resolver.find(NAME) is None
    assert store.find(NAME) == record


async def test_a_newer_record_that_ended_hides_older_ones_that_did_not(
    resolver: IpnsResolver, store: RecordStore, ways: list[Way], clock: Clock
) -> None:
    store.keep(NAME, signed(KEY, OTHER_PATH, sequence=2, life=HOUR), NOW)
    ways.append(Way(signed(KEY, PATH, sequence=1, life=48 * HOUR).encoded))
    clock.passed = 3_601
    assert await resolver.find(NAME) is None


async def test_an_answer_is_kept_for_its_time_to_live(resolver: IpnsResolver, ways: list[Way], clock: Clock) -> None:
    ways.append(Way(signed(KEY, ttl=HOUR).encoded))
    for passed in (0, 1_000, 3_599):
        clock.passed = passed
        assert await resolver.find(NAME) is not None
    assert len(ways[0].asked) == 1
    clock.passed = 3_600
    assert await resolver.find(NAME) is not None
    assert len(ways[0].asked) == 2
    await resolver.find(NAME, fresh=True)
    assert len(ways[0].asked) == 3
    resolver.forget(NAME)
    await resolver.find(NAME)
    resolver.forget_all()
    await resolver.find(NAME)
    assert len(ways[0].asked) == 5


async def test_that_there_is_no_record_is_kept_for_a_while(
    resolver: IpnsResolver, ways: list[Way], clock: Clock
) -> None:
    ways.append(Way())
    assert await resolver.find(NAME) is None
    assert await resolver.find(NAME) is None
    assert len(ways[0].asked) == 1
    clock.passed = 10.0
    assert await resolver.find(NAME) is None
    assert len(ways[0].asked) == 2


async def test_calls_for_one_name_share_a_search(resolver: IpnsResolver, ways: list[Way]) -> None:
    ways.append(Way(signed(KEY).encoded))
    found = await asyncio.gather(*(resolver.find(NAME) for _ in range(5)))
    assert all(found)
    assert len(ways[0].asked) == 1


async def test_the_search_ends_when_the_last_who_waits_goes(resolver: IpnsResolver, ways: list[Way]) -> None:
    ways.append(Way(then="wait"))
    tasks = [asyncio.create_task(resolver.find(NAME)) for _ in range(2)]
    await ways[0].was_asked.wait()
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    assert not ways[0].ended
    tasks[1].cancel()
    await asyncio.gather(tasks[1], return_exceptions=True)
    await resolver.close()
    assert ways[0].ended


async def test_once_a_way_has_answered_the_others_are_not_waited_for(resolver: IpnsResolver, ways: list[Way]) -> None:
    ways += [Way(then="wait"), Way(signed(KEY).encoded)]
    assert await resolver.find(NAME) is not None
    assert ways[0].ended


async def test_a_way_that_never_ends_is_ended(store: RecordStore, clock: Clock) -> None:
    endless = Way(*[b"junk"] * 1_000, then="wait")
    resolver = IpnsResolver(
        store, [endless], clock=clock.wall, timer=clock.monotonic, config=ResolverConfig(max_records=8)
    )
    with pytest.raises(WireError):
        await resolver.find(NAME)
    assert endless.given < 32  # with those that were read ahead
    silent = Way(then="wait")
    resolver = IpnsResolver(
        store, [silent], clock=clock.wall, timer=clock.monotonic, config=ResolverConfig(patience=0.0)
    )
    assert await resolver.find(NAME) is None
    assert endless.ended == 1


async def test_a_record_that_comes_by_itself_is_learnt_if_it_is_the_newest(resolver: IpnsResolver) -> None:
    old, new = signed(KEY, sequence=1), signed(KEY, OTHER_PATH, sequence=2)
    assert resolver.learn(NAME, new.encoded) == new
    assert resolver.learn(NAME, new.encoded) is None
    assert resolver.learn(NAME, old.encoded) is None
    found = await resolver.find(NAME)
    assert found is not None
    assert found.record == new
    with pytest.raises(WireError):
        resolver.learn(NAME, signed(PrivateKey.generate(), sequence=9).encoded)


async def test_records_that_are_all_refused_are_an_error_and_not_an_unknown_name(
    resolver: IpnsResolver, ways: list[Way]
) -> None:
    ways.append(Way(signed(PrivateKey.generate()).encoded))
    with pytest.raises(WireError, match="wrong signature"):
        await resolver.find(NAME)
