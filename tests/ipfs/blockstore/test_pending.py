"""Pending changes: always to be found somewhere, whatever a flush does with them."""

from __future__ import annotations

from zwerm.ipfs.blockstore.holds import Holds
from zwerm.ipfs.blockstore.index import Place
from zwerm.ipfs.blockstore.pending import Pending


def place(offset: int, epoch: int = 0) -> Place:
    return Place(1, offset, 10, 38, epoch)


def test_a_place_is_found_before_during_and_after_a_flush_that_fails() -> None:
    pending = Pending(Holds())
    pending.add(b"a", place(1))
    batch = pending.take()
    pending.add(b"b", place(2))
    assert [pending.find(key) for key in (b"a", b"b", b"c")] == [place(1), place(2), None]
    assert (len(pending), pending.weight) == (2, 1)
    pending.put_back(batch)
    assert [pending.find(key) for key in (b"a", b"b")] == [place(1), place(2)]
    assert (pending.weight, pending.durable) == (2, 0)
    batch = pending.take()
    assert batch.places == {b"a": place(1), b"b": place(2)}
    pending.done(batch)
    assert pending.find(b"a") is None
    assert (len(pending), pending.durable, pending.changes) == (0, 2, 2)


def test_a_touch_counts_only_under_a_hold_that_began_later() -> None:
    holds = Holds(10)
    pending = Pending(holds)
    pending.touch(b"a", place(1, epoch=3))
    assert pending.changes == 0
    with holds.hold():
        pending.touch(b"a", place(1, epoch=3))
        pending.touch(b"a", place(1, epoch=3))
        pending.touch(b"new", place(2, epoch=11))
        assert pending.changes == 1
        assert (pending.epoch(b"a"), pending.epoch(b"new")) == (11, -1)
        with holds.hold():
            pending.touch(b"a", place(1, epoch=3))
            assert pending.epoch(b"a") == 12


def test_a_touched_block_that_is_itself_pending_gets_the_epoch_in_its_place() -> None:
    holds = Holds()
    pending = Pending(holds)
    pending.add(b"a", place(1))
    with holds.hold():
        pending.touch(b"a", place(1))
        assert pending.find(b"a") == place(1, epoch=1)
        assert pending.epoch(b"a") == -1
        batch = pending.take()
    with holds.hold():
        pending.touch(b"a", place(1, epoch=1))  # the flush has it with the older one
        assert pending.epoch(b"a") == 2
        pending.put_back(batch)
        assert pending.take().touched == {b"a": 2}
