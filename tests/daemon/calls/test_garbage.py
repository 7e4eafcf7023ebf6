"""Cycles are looked for when enough connections have ended, and not before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from zwerm.calls.service.aio import CallsService
from zwerm.calls.store.database import Database
from zwerm.daemon.calls import garbage


@pytest.fixture
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Wire:
    """A connection that goes nowhere."""

    def wake(self) -> None: ...

    def cut(self, code: str, what: str) -> None: ...


async def test_everything_is_looked_through_when_as_many_have_ended_as_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "FEWEST", 3)
    service = CallsService(Database("sqlite://"))
    sweeper = garbage.Sweeper(service)
    clients = [service.connect(Wire(), host="calls.test", peer=f"192.0.2.{n}") for n in range(8)]
    for ended, rounds in ((3, 0), (1, 1), (2, 1), (1, 2)):
        for _ in range(ended):
            clients.pop().ended()
        sweeper.look()
        assert sweeper.rounds == rounds
    assert service.ended == 7


@pytest.mark.usefixtures("thresholds")
def test_what_is_loaded_is_left_out_of_later_rounds() -> None:
    garbage.prepare()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (garbage.YOUNG, garbage.MIDDLE, garbage.NEVER)
