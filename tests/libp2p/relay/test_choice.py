"""Which relays are asked for a place, and when."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from zwerm.libp2p.relay.choice import ChoiceConfig, Event, RelayChoice, Release, Reserve


def drained(choice: RelayChoice[str]) -> list[Event[str]]:
    events: list[Event[str]] = []
    while (event := choice.next_event()) is not None:
        events.append(event)
    return events


def choosing(*relays: str, config: ChoiceConfig | None = None) -> RelayChoice[str]:
    """A choice that wants places, after its first requests."""
    choice: RelayChoice[str] = RelayChoice(config)
    for relay in relays:
        choice.offer(relay, 0.0)
    choice.want(0.0, is_wanted=True)
    return choice


def test_nobody_is_asked_while_the_node_can_be_reached() -> None:
    choice: RelayChoice[str] = RelayChoice()
    choice.offer("a", 0.0)
    assert drained(choice) == []
    assert choice.next_timeout() is None
    choice.want(1.0, is_wanted=True)
    assert drained(choice) == [Reserve("a")]


def test_two_are_asked_and_a_third_only_when_one_refuses() -> None:
    choice = choosing("a", "b", "c")
    assert drained(choice) == [Reserve("a"), Reserve("b")]
    choice.reserved("a", 1.0)
    assert drained(choice) == []
    choice.failed("b", 1.0)
    assert drained(choice) == [Reserve("c")]
    choice.reserved("c", 2.0)
    assert choice.held == ("a", "c")
    assert choice.next_timeout() is None


def test_a_relay_that_died_is_replaced_and_asked_again_later_each_time() -> None:
    choice = choosing("a")
    drained(choice)
    choice.reserved("a", 0.0)
    choice.failed("a", 100.0)
    assert drained(choice) == [Release("a")]
    assert choice.is_short  # it is known, and has failed
    assert choice.next_timeout() == 160.0
    choice.handle_timeout(159.0)
    assert drained(choice) == []
    choice.handle_timeout(160.0)
    assert drained(choice) == [Reserve("a")]
    choice.failed("a", 160.0)
    assert choice.next_timeout() == 280.0
    choice.offer("b", 170.0)
    assert drained(choice) == [Reserve("b")]


def test_places_are_given_up_when_the_node_can_be_reached_again() -> None:
    choice = choosing("a", "b")
    drained(choice)
    choice.reserved("a", 0.0)
    choice.want(5.0, is_wanted=False)
    assert drained(choice) == [Release("a"), Release("b")]
    choice.reserved("b", 6.0)  # its answer came late
    assert drained(choice) == [Release("b")]
    assert choice.held == ()


def test_a_relay_that_relays_no_more_is_left() -> None:
    choice = choosing("a", "b", "c")
    drained(choice)
    choice.reserved("a", 0.0)
    choice.withdraw("a", 1.0)
    assert drained(choice) == [Release("a"), Reserve("c")]
    choice.withdraw("unknown", 1.0)
    choice.failed("unknown", 1.0)
    assert drained(choice) == []


def test_candidates_are_bounded_and_those_in_use_are_not_forgotten() -> None:
    choice = choosing("a", "b", config=ChoiceConfig(candidates=3))
    drained(choice)
    for number in range(100):
        choice.offer(f"n{number}", 1.0)
    choice.failed("a", 2.0)
    assert drained(choice) == [Reserve("n99")]
    full = choosing("a", "b", config=ChoiceConfig(candidates=2))
    full.offer("c", 1.0)
    drained(full)
    full.failed("a", 1.0)
    assert drained(full) == []


def test_it_says_when_it_knows_too_few() -> None:
    choice = choosing()
    assert choice.is_short
    choice.offer("a", 0.0)
    assert choice.is_short
    choice.offer("b", 0.0)
    assert not choice.is_short


class Choosing(RuleBasedStateMachine):
    """Whatever happens in whatever order, there are never more than two requests and places, and releases match."""

    def __init__(self) -> None:
        super().__init__()
        self.choice: RelayChoice[int] = RelayChoice(ChoiceConfig(candidates=4))
        self.now = 0.0
        self.in_use: set[int] = set()

    relays = st.integers(0, 6)

    @rule(relay=relays, step=st.floats(0, 500))
    def offer(self, relay: int, step: float) -> None:
        self.now += step
        self.choice.offer(relay, self.now)

    @rule(relay=relays)
    def withdraw(self, relay: int) -> None:
        self.choice.withdraw(relay, self.now)

    @rule(relay=relays)
    def fail(self, relay: int) -> None:
        self.in_use -= {relay} if relay not in self.choice.held else set()
        self.choice.failed(relay, self.now)

    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        asked = sorted(self.in_use - set(self.choice.held))
        if asked:
            self.choice.reserved(data.draw(st.sampled_from(asked)), self.now)

    @rule(is_wanted=st.booleans())
    def want(self, is_wanted: bool) -> None:
        self.choice.want(self.now, is_wanted=is_wanted)

    @rule(step=st.floats(0, 5_000))
    def wait(self, step: float) -> None:
        self.now += step
        self.choice.handle_timeout(self.now)

    @invariant()
    def never_more_than_two(self) -> None:
        while (event := self.choice.next_event()) is not None:
            if isinstance(event, Reserve):
                assert event.relay not in self.in_use
                self.in_use.add(event.relay)
            else:
                self.in_use.discard(event.relay)
        assert len(self.in_use) <= 2
        assert set(self.choice.held) <= self.in_use


Choosing.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestChoosing = Choosing.TestCase
