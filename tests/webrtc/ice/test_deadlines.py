"""The earliest deadline of several parts is looked for again only when somebody says that one has moved."""

from __future__ import annotations

import pytest

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.deadlines import Deadlines, earliest


class Part:
    """Waits for one moment, and counts who asks."""

    def __init__(self, due: Instant | None) -> None:
        self.due = due
        self.asked = 0

    def next_timeout(self) -> Instant | None:
        self.asked += 1
        return self.due


def test_the_earliest_counts_and_is_kept() -> None:
    parts = [Part(3.0), Part(None), Part(2.0)]
    deadlines = Deadlines(*parts)
    assert deadlines.next_timeout() == deadlines.next_timeout() == 2.0
    assert [part.asked for part in parts] == [1, 1, 1]
    parts[1].due = 1.0
    deadlines.moved()
    assert deadlines.next_timeout() == 1.0


def test_a_deadline_has_come_when_it_is_there() -> None:
    deadlines = Deadlines(Part(2.0))
    assert not deadlines.has_come(1.9)
    assert deadlines.has_come(2.0)
    assert not Deadlines(Part(None)).has_come(1e9)


@pytest.mark.parametrize(("waits", "first"), [((), None), ((None, None), None), ((None, 2.0, 1.0), 1.0)])
def test_the_earliest_of_some(waits: tuple[Instant | None, ...], first: Instant | None) -> None:
    assert earliest(*waits) == first
