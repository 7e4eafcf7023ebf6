"""The table of blocks that have been held against their hash: bounded, and never wrong about one that has not."""

from __future__ import annotations

from zwerm.ipfs.blockstore.checked import Checked


def test_what_was_added_is_known_and_nothing_else() -> None:
    checked = Checked(1 << 12)
    for offset in range(50, 1_000, 50):
        checked.add(3, offset)
        checked.add(3, offset)
    assert all(checked.has(3, offset) for offset in range(50, 1_000, 50))
    assert not any(checked.has(3, offset) for offset in range(51, 1_001, 50))
    assert not any(checked.has(series, offset) for series in (2, 4) for offset in range(50, 1_000, 50))


def test_a_full_table_forgets_and_invents_nothing() -> None:
    checked = Checked(64)
    for offset in range(1, 10_001):
        checked.add(7, offset)
        assert checked.has(7, offset)
    known = [offset for offset in range(1, 10_001) if checked.has(7, offset)]
    assert 32 <= len(known) <= 64
    assert not any(checked.has(8, offset) for offset in range(1, 10_001))


def test_half_a_table_is_remembered_for_the_most_part() -> None:
    checked = Checked(1 << 14)
    for offset in range(1, (1 << 13) + 1):
        checked.add(1, 48 + 262_192 * offset)
    known = sum(checked.has(1, 48 + 262_192 * offset) for offset in range(1, (1 << 13) + 1))
    assert known > 0.85 * (1 << 13)


def test_numbers_that_do_not_fit_are_not_remembered() -> None:
    checked = Checked(64)
    for series, offset in ((1 << 24, 50), (1, 1 << 40), (1 << 70, 1 << 70)):
        checked.add(series, offset)
        assert not checked.has(series, offset)
    checked.add((1 << 24) - 1, (1 << 40) - 1)
    assert checked.has((1 << 24) - 1, (1 << 40) - 1)
