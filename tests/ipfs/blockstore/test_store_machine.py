"""Any order of puts, deletions, syncs, holds, collections, compactions, closings and crashes agrees with a model."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.conformance.check_blockstore import block
from tests.ipfs.blockstore.crash import abandon
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.database import Database

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there
NUMBERS = st.integers(0, 24)
MANY = st.lists(NUMBERS, min_size=1, max_size=8)


def sized(number: int) -> int:
    return (number * 397) % 3_000


class StoreMachine(RuleBasedStateMachine):
    """The model: which blocks are certainly here, which may be, and which a hold or a root keeps."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="zwerm-machine-", dir=MEMORY))
        self.here: set[int] = set()  # as the living store sees it
        self.unsynced: set[int] = set()  # put since the last sync: lost or kept by a crash
        self.maybe: set[int] = set()  # after a crash: here or not
        self.holds: list[tuple[AbstractContextManager[None], set[int]]] = []  # and what each has seen
        self.threshold: int | None = None
        self.safe: set[int] = set()  # what may not be collected with `threshold`

    @initialize(pack_size=st.sampled_from([2_000, 6_000, 40_000]))
    def make(self, pack_size: int) -> None:
        self.pack_size = pack_size
        self.open()

    def open(self) -> None:
        self.database = Database(self.folder / "index.sqlite")
        self.store = PackBlockstore(self.folder / "blocks", self.database, pack_size=self.pack_size)
        self.threshold = None

    @rule(numbers=MANY)
    def put(self, numbers: list[int]) -> None:
        self.store.put([block(number, sized(number)) for number in numbers])
        new = set(numbers) - self.here
        self.unsynced |= new | (set(numbers) & self.maybe)
        self.seen(set(numbers))
        self.maybe -= set(numbers)
        self.here |= set(numbers)

    @rule(numbers=MANY)
    def touch(self, numbers: list[int]) -> None:
        missing = self.store.touch([block(number, sized(number)).cid for number in numbers])
        absent = {number for number in numbers if block(number, sized(number)).cid in missing}
        assert absent.isdisjoint(self.here)
        assert set(numbers) - absent <= self.here | self.maybe
        self.seen(set(numbers) - absent)

    def seen(self, numbers: set[int]) -> None:
        for _, kept in self.holds:
            kept.update(numbers)
        self.safe |= numbers if self.holds else numbers - self.here - self.maybe

    @rule()
    def sync(self) -> None:
        self.store.sync()
        self.unsynced.clear()

    @rule(numbers=MANY)
    def delete(self, numbers: list[int]) -> None:
        self.store.delete([block(number, sized(number)).cid for number in numbers])
        self.here -= set(numbers)
        self.maybe -= set(numbers)
        self.unsynced -= set(numbers)
        self.safe -= set(numbers)
        for _, kept in self.holds:
            kept.difference_update(numbers)

    @precondition(lambda self: len(self.holds) < 3)
    @rule()
    def hold(self) -> None:
        context = self.store.hold()
        context.__enter__()
        self.holds.append((context, set()))

    @precondition(lambda self: self.holds)
    @rule(which=st.integers(0, 2))
    def end_hold(self, which: int) -> None:
        context, _ = self.holds.pop(which % len(self.holds))
        context.__exit__(None, None, None)

    @rule()
    def begin_collection(self) -> None:
        self.threshold = self.store.threshold()
        self.safe = set().union(*(kept for _, kept in self.holds))

    @precondition(lambda self: self.threshold is not None)
    @rule(kept=st.sets(NUMBERS))
    def sweep(self, kept: set[int]) -> None:
        assert self.threshold is not None
        old = self.store.candidates(self.threshold, b"", 1_000)
        marked = {block(number, sized(number)).cid.multihash for number in kept}
        removed = self.store.delete_unused([key for key in old if key not in marked], self.threshold, lambda: False)
        assert removed is not None
        gone = {number for number in range(25) if block(number, sized(number)).cid.multihash in removed}
        assert gone.isdisjoint(self.safe | kept)
        self.here -= gone
        self.maybe -= gone
        self.unsynced -= gone

    @rule()
    def compact(self) -> None:
        self.store.compact()

    @rule()
    def close_and_open(self) -> None:
        self.end_all_holds()
        self.store.close()
        self.database.close()
        self.unsynced.clear()
        self.open()

    @rule()
    def crash_and_open(self) -> None:
        self.end_all_holds()
        abandon(self.store)
        self.database.close()
        self.here -= self.unsynced
        self.maybe |= self.unsynced
        self.unsynced.clear()
        self.open()
        assert self.store.recovered.short == self.store.recovered.missing == ()

    def end_all_holds(self) -> None:
        while self.holds:
            self.holds.pop()[0].__exit__(None, None, None)

    @rule()
    def verify(self) -> None:
        verification = self.store.verification()
        self.unsynced.clear()
        while verification.step():
            pass
        verification.close()
        assert (verification.corrupt, verification.unlabelled, verification.index_damage) == ([], [], [])
        statistics = self.store.statistics()
        live = sum(row.live for row in self.store._index.packs())
        places = self.database.query("SELECT pack, sum(size + head) FROM blocks GROUP BY pack")
        assert live == sum(size for _, size in places)
        assert statistics.packs == sum(path.stat().st_size for path in (self.folder / "blocks").iterdir())

    @invariant()
    def everything_expected_is_here_and_nothing_else(self) -> None:
        if not hasattr(self, "store"):
            return
        for number in self.here:
            cid, data = block(number, sized(number))
            assert self.store.get(cid, verify=True) == data
            assert self.store.get_nowait(cid) in (None, data)
        for number in set(range(25)) - self.here - self.maybe:
            assert not self.store.has(block(number, sized(number)).cid)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.end_all_holds()
            with contextlib.closing(self.database):
                self.store.close()
        shutil.rmtree(self.folder)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
