"""A device that comes back hears each event once, in order, whenever its connection broke."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.calls.people import number_of
from zwerm.calls.mailbox import Mailbox
from zwerm.core.errors import ResourceLimitError, WireError


def take(mailbox: Mailbox, now: float = 0.0) -> list[str]:
    found = []
    while (text := mailbox.next_text(now)) is not None:
        found.append(text)
    return found


def test_events_are_numbered_from_one_and_stay_until_they_are_acknowledged() -> None:
    mailbox = Mailbox(10, 1_000)
    mailbox.put('{"type":"a"}')
    mailbox.put('{"type":"b"}')
    assert take(mailbox) == ['{"seq":1,"type":"a"}', '{"seq":2,"type":"b"}']
    mailbox.acknowledge(1)
    assert len(mailbox) == 1
    assert mailbox.resume(1)
    assert take(mailbox) == ['{"seq":2,"type":"b"}']


def test_an_event_whose_time_has_passed_keeps_its_number() -> None:
    mailbox = Mailbox(10, 1_000)
    mailbox.put('{"type":"ringing"}', expires=5.0)
    assert take(mailbox, now=5.0) == ['{"seq":1,"type":"expired"}']


def test_a_full_mailbox_takes_nothing_more() -> None:
    mailbox = Mailbox(2, 30)
    mailbox.put('{"type":"a"}')
    with pytest.raises(ResourceLimitError):
        mailbox.put('{"type":"' + "b" * 30 + '"}')
    mailbox.put('{"type":"c"}')
    with pytest.raises(ResourceLimitError):
        mailbox.put('{"type":"d"}')
    assert [number_of(text) for text in take(mailbox)] == [1, 2]
    mailbox.acknowledge(2)
    assert mailbox.put('{"type":"e"}') == 3


def test_what_was_never_sent_cannot_be_acknowledged_and_what_is_gone_not_resumed() -> None:
    mailbox = Mailbox(10, 1_000)
    mailbox.put('{"type":"a"}')
    with pytest.raises(WireError):
        mailbox.acknowledge(1)
    take(mailbox)
    mailbox.acknowledge(1)
    assert not mailbox.resume(0)
    assert not mailbox.resume(2)
    assert mailbox.resume(1)


@given(st.lists(st.sampled_from(["put", "send", "lose", "ack", "break"]), max_size=60))
def test_however_the_connection_breaks_each_event_is_heard_once(steps: list[str]) -> None:
    mailbox, put, heard, acknowledged, on_the_way = Mailbox(100, 10_000), 0, 0, 0, []
    for step in steps:
        if step == "put":
            put += 1
            mailbox.put(f'{{"n":{put}}}')
        elif step == "send":
            on_the_way += take(mailbox)
        elif step == "lose":
            on_the_way = on_the_way[: len(on_the_way) // 2]  # a stream loses its end, and then it is broken
        elif step == "ack" and heard > acknowledged:
            mailbox.acknowledge(acknowledged := heard)
        if step in ("lose", "break"):
            for text in on_the_way:
                heard += 1
                assert number_of(text) == heard
            on_the_way = []
            assert mailbox.resume(heard)
            acknowledged = heard
    for text in on_the_way + take(mailbox):
        heard += 1
        assert number_of(text) == heard
    assert heard == put
