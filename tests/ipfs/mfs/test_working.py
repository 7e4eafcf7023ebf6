"""The root that changes: flushes, batches, cancelling, and what readers and the collector see meanwhile."""

from __future__ import annotations

import asyncio
import random
import threading

import pytest

from tests.ipfs.mfs.room import Room, disk_room, memory_room, note_puts
from zwerm.core.errors import LocalProtocolError, StorageError
from zwerm.ipfs.ipld.traverse import walk
from zwerm.ipfs.mfs.errors import FileMissing
from zwerm.ipfs.mfs.journal import Change, ChangeKind, Touch
from zwerm.ipfs.unixfs.profile import PROFILES


async def versions(room: Room) -> int:
    return len([version async for version in await room.history.log("/")])


async def test_an_unflushed_change_is_seen_and_becomes_one_version_with_the_next(room: Room) -> None:
    change = await room.files.write("/a", b"1", create=True, flush=False)
    assert change.version is None
    await room.files.write("/b", b"2", create=True, flush=False)
    assert await room.snapshot() == {"/a": b"1", "/b": b"2"}
    assert await versions(room) == 0
    change = await room.files.mkdir("/c")
    assert [touch.path for touch in change.touches] == ["/a", "/b", "/c"]
    assert await versions(room) == 1


async def test_flush_makes_durable_and_says_the_cid(room: Room) -> None:
    await room.files.write("/d/a", b"1", create=True, parents=True, flush=False)
    assert await room.files.flush("/d") == await room.cid("/d")
    assert await versions(room) == 1
    assert await room.files.flush() == await room.files.root()
    assert await versions(room) == 1
    with pytest.raises(FileMissing):
        await room.files.flush("/none")


async def test_close_flushes_and_everything_is_there_again(tmp_path) -> None:
    async with disk_room(tmp_path) as room:
        await room.files.write("/a", b"1", create=True)
        await room.files.write("/b", bytes(300_000), create=True, flush=False)
        root = await room.files.root()
    async with disk_room(tmp_path) as room:
        assert await room.files.root() == root
        assert await room.snapshot() == {"/a": b"1", "/b": bytes(300_000)}
        assert await versions(room) == 2


async def test_a_new_repository_has_an_empty_directory_of_its_profile(tmp_path) -> None:
    async with memory_room(tmp_path, PROFILES["unixfs-v0-2015"]) as room:
        assert str(await room.files.root()) == "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"


async def test_a_batch_is_one_change_set_and_readers_see_it_when_it_ends(room: Room) -> None:
    await room.files.write("/a", b"1", create=True)
    seen: list[dict[str, bytes | None]] = []

    async def look() -> None:
        seen.append(await room.snapshot())

    outside = asyncio.Event()

    async def watch() -> None:
        await outside.wait()
        await look()

    watching = asyncio.create_task(watch())
    async with room.history.batch("spring cleaning") as batch:
        await room.files.rm("/a")
        await room.files.write("/b/c", b"2", create=True, parents=True)
        await look()
        outside.set()
        await watching
    assert seen == [{"/b": None, "/b/c": b"2"}, {"/a": b"1"}]
    assert batch.change.version == room.history.head
    assert set(batch.change.touches) == {Touch(ChangeKind.REMOVED, "/a"), Touch(ChangeKind.ADDED, "/b/c")}
    assert await versions(room) == 2
    assert (await room.history.version("/", "~0")).commit.message == "spring cleaning"


async def test_a_batch_that_fails_has_not_happened(room: Room) -> None:
    await room.files.write("/a", b"1", create=True)
    before = await room.files.root()

    async def fail() -> None:
        async with room.files.batch():
            await room.files.rm("/a")
            await room.files.mkdir("/x/y/z", parents=True)
            await room.files.rm("/none")

    with pytest.raises(FileMissing):
        await fail()
    assert await room.files.root() == before
    await room.files.mkdir("/x/y/z", parents=True)
    assert await room.snapshot() == {"/a": b"1", "/x": None, "/x/y": None, "/x/y/z": None}


async def test_a_call_that_fails_inside_a_batch_takes_only_itself_back(room: Room) -> None:
    async with room.files.batch():
        await room.files.write("/a", b"1", create=True)
        with pytest.raises(FileMissing):
            await room.files.mv("/none", "/b")
        await room.files.write("/b", b"2", create=True)
    assert await room.snapshot() == {"/a": b"1", "/b": b"2"}


async def test_others_wait_for_a_batch_and_its_own_tasks_do_not(room: Room) -> None:
    began, order = asyncio.Event(), []

    async def stranger() -> None:
        await began.wait()
        await room.files.write("/stranger", b"s", create=True)
        order.append("stranger")

    waiting = asyncio.create_task(stranger())
    async with room.files.batch():
        await room.files.write("/a", b"1", create=True)
        began.set()
        await asyncio.gather(*(room.files.write(f"/{n}", b"x", create=True) for n in range(5)))
        order.append("batch")
    await waiting
    assert order == ["batch", "stranger"]
    assert await versions(room) == 2


async def test_a_batch_knows_no_batch_inside_and_no_call_after_its_end(room: Room) -> None:
    async with room.files.batch():
        with pytest.raises(LocalProtocolError, match="batch inside a batch"):
            async with room.files.batch():
                pass
    go_on = asyncio.Event()

    async def late() -> None:
        await go_on.wait()
        await room.files.mkdir("/late")

    async with room.files.batch():
        task = asyncio.create_task(late())
    go_on.set()
    await task
    assert await room.names() == ["late"]


async def test_a_batch_of_nothing_makes_no_version(room: Room) -> None:
    async with room.files.batch("nothing") as batch:
        await room.files.write("/a", b"1", create=True)
        await room.files.rm("/a")
    assert batch.change.version is None
    assert await versions(room) == 0


async def test_changes_of_many_tasks_all_happen(room: Room) -> None:
    await asyncio.gather(*(room.files.write(f"/d/{n}", b"%d" % n, create=True, parents=True) for n in range(20)))
    assert await room.snapshot("/d") == {f"/d/{n}": b"%d" % n for n in range(20)}
    assert await versions(room) == 20
    assert (await room.history.verify()).valid


async def test_listeners_hear_of_each_durable_change(room: Room) -> None:
    heard: list[Change] = []
    room.files.listeners.append(heard.append)
    change = await room.files.mkdir("/a")
    await room.files.mkdir("/b", flush=False)
    await room.files.mkdir("/a", parents=True, flush=False)
    await asyncio.sleep(0)
    assert heard == [change]


class Gate:
    """A store whose next `sync` waits until it is let through."""

    def __init__(self, room: Room) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        real = room.store.sync

        def sync() -> None:
            self.reached.set()
            self.open.wait(30)
            real()

        room.store.sync = sync  # type: ignore[method-assign]


async def test_cancelling_while_the_disk_works_leaves_one_truth(room: Room) -> None:
    gate = Gate(room)
    task = asyncio.create_task(room.files.write("/a", b"1", create=True))
    await asyncio.to_thread(gate.reached.wait)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    gate.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await room.snapshot() == {"/a": b"1"}
    assert room.history.head is not None
    await room.files.write("/b", b"2", create=True)
    assert (await room.history.verify()).valid
    assert await versions(room) == 2


async def test_while_a_root_is_on_its_way_to_the_disk_the_collector_keeps_it(room: Room) -> None:
    gate = Gate(room)
    before = await room.files.root()
    task = asyncio.create_task(room.files.write("/a", b"1", create=True))
    await asyncio.to_thread(gate.reached.wait)
    roots = room.files.roots()
    gate.open.set()
    change = await task
    assert {before, change.root} <= set(roots)
    assert room.files.roots() == [change.root]


async def test_the_collector_keeps_what_waits_and_what_a_batch_makes(room: Room) -> None:
    await room.files.mkdir("/a", flush=False)
    waiting = await room.files.root()
    assert waiting in room.files.roots()
    async with room.files.batch():
        await room.files.mkdir("/b")
        assert len(room.files.roots()) == 3


async def test_the_collector_keeps_what_is_being_read(room: Room) -> None:
    await room.files.write("/a", bytes(300_000), create=True)
    old = await room.cid("/a")
    reading = await room.files.read("/a")
    await anext(reading)
    await room.files.rm("/a")
    assert old in room.files.roots()
    await reading.aclose()
    assert old not in room.files.roots()


async def test_a_reader_sees_the_state_it_began_with(room: Room) -> None:
    await room.files.write("/a", b"old" * 200_000, create=True)
    reading = await room.files.read("/a")
    parts = [await anext(reading)]
    await room.files.write("/a", b"new", truncate=True)
    parts += [part async for part in reading]
    assert b"".join(parts) == b"old" * 200_000


async def test_a_disk_that_fails_takes_the_change_back(room: Room) -> None:
    await room.files.write("/a", b"1", create=True)
    real = room.store.sync

    def failing() -> None:
        raise StorageError("no space")

    room.store.sync = failing  # type: ignore[method-assign]
    for attempt in (room.files.write("/b", b"2", create=True), room.files.rm("/a")):
        with pytest.raises(StorageError):
            await attempt
    with pytest.raises(StorageError):
        async with room.files.batch():
            await room.files.mkdir("/c")
    room.store.sync = real  # type: ignore[method-assign]
    assert await room.snapshot() == {"/a": b"1"}
    await room.files.mkdir("/c")
    assert await versions(room) == 2
    assert (await room.history.verify()).valid


async def test_what_waits_for_a_flush_survives_a_change_that_fails(room: Room) -> None:
    await room.files.write("/a", b"1", create=True, flush=False)
    with pytest.raises(FileMissing):
        await room.files.mv("/none", "/b")
    await room.files.flush()
    assert await room.snapshot() == {"/a": b"1"}


async def test_a_thousand_files_in_a_batch_leave_one_directory_behind(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("zwerm.ipfs.mfs.working.LIMIT", 300_000)
    async with memory_room(tmp_path) as room:
        put = note_puts(room.store)
        async with room.files.batch():
            for number in range(500):
                await room.files.write(f"/d/{number}", b"%d" % number, create=True, parents=True)
        assert len(put) < 600
        assert len(await room.names("/d")) == 500


async def test_blocks_are_synced_before_the_root_moves(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    synced: set[bytes] = set()
    real_sync, real_transaction = room.store.sync, room.database.transaction

    def sync() -> None:
        synced.update(room.store.multihashes())
        events.append("sync")
        real_sync()

    def transaction():  # type: ignore[no-untyped-def]
        events.append("transaction")
        return real_transaction()

    monkeypatch.setattr(room.store, "sync", sync)
    monkeypatch.setattr(room.database, "transaction", transaction)
    change = await room.files.write("/a/b", random.Random(1).randbytes(700_000), create=True, parents=True)
    assert events == ["sync", "transaction"]
    assert change.version is not None
    needed = [cid.multihash async for cid, _ in walk(room.source, [change.root, change.version])]
    assert len(needed) == 7  # three leaves, the file, two directories, the commit
    assert synced.issuperset(needed)


async def test_a_batch_that_needs_much_room_puts_what_it_still_needs(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zwerm.ipfs.mfs.working.LIMIT", 2_000)
    async with room.files.batch():
        for number in range(60):
            await room.files.write(f"/d/{number}", b"%d" % number * 50, create=True, parents=True)
            assert room.files._tree.workspace.size < 12_000
    assert await room.snapshot("/d") == {f"/d/{number}": b"%d" % number * 50 for number in range(60)}
    assert (await room.history.verify()).valid


async def test_a_call_of_a_batch_that_waits_when_it_ends_is_refused(room: Room) -> None:
    async with room.files.batch() as batch:
        await batch.lock.acquire()
        late = asyncio.create_task(room.files.mkdir("/late"))
        await asyncio.sleep(0)
        batch.open = False
        batch.lock.release()
        with pytest.raises(LocalProtocolError, match="has ended"):
            await late
