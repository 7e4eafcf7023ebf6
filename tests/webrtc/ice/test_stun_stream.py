"""RFC 8489 section 6.2.2 and RFC 6544 section 5.2: one question over a connection."""

from __future__ import annotations

import pytest

from zwerm.core.random import seeded
from zwerm.webrtc.ice.relay import RelayFailed, RelayMapped
from zwerm.webrtc.ice.stun_stream import LIMIT, StunStream
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, SOFTWARE, XOR_MAPPED_ADDRESS, Attribute
from zwerm.webrtc.stun.message import Message, Method

MAPPED = ("203.0.113.5", 4_444)
OTHER = ("198.51.100.20", 5_349)


def asked() -> tuple[StunStream, Message]:
    stream = StunStream(seeded("stuns"))
    question = Message.parse(stream.data_to_send())
    assert (question.method, stream.data_to_send()) == (Method.BINDING, b"")
    return stream, question


@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_the_answer_may_come_in_any_pieces(step: int) -> None:
    stream, question = asked()
    answer = question.success(XOR_MAPPED_ADDRESS(MAPPED)).serialize()
    for start in range(0, len(answer), step):
        stream.receive_data(answer[start : start + step], 0.0)
    assert stream.next_event() == RelayMapped(MAPPED)
    assert stream.next_event() is None
    stream.receive_eof(0.0)
    assert stream.next_event() is None


@pytest.mark.parametrize(
    ("code", "attributes", "expected"),
    [
        (300, [ALTERNATE_SERVER(OTHER)], RelayFailed(300, "No", OTHER)),
        (300, [], RelayFailed(300, "No")),
        (500, [ALTERNATE_SERVER(OTHER)], RelayFailed(500, "No")),
        (0, [SOFTWARE("nobody")], RelayFailed(701, "the answer has no address in it")),
    ],
    ids=["another server", "another server without a name", "an error", "an answer without an address"],
)
def test_what_is_no_address_is_a_failure(code: int, attributes: list[Attribute], expected: RelayFailed) -> None:
    stream, question = asked()
    answer = question.error(code, "No", *attributes) if code else question.success(*attributes)
    stream.receive_data(answer.serialize(), 0.0)
    assert stream.next_event() == expected


def test_what_answers_nothing_we_asked_is_passed_over() -> None:
    stream, question = asked()
    stranger = StunStream(seeded("somebody else"))
    other = Message.parse(stranger.data_to_send()).success(XOR_MAPPED_ADDRESS(("192.0.2.1", 1)))
    stream.receive_data(other.serialize(), 0.0)
    assert stream.next_event() is None
    stream.receive_data(question.success(XOR_MAPPED_ADDRESS(MAPPED)).serialize(), 0.0)
    assert stream.next_event() == RelayMapped(MAPPED)


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad Request", b"\x01\x01" + (LIMIT + 4).to_bytes(2, "big") + bytes.fromhex("2112a442")],
    ids=["another protocol", "longer than the limit"],
)
def test_what_is_no_answer_at_all_ends_it(data: bytes) -> None:
    stream, _ = asked()
    stream.receive_data(data, 0.0)
    event = stream.next_event()
    assert isinstance(event, RelayFailed)
    assert event.code == 701


def test_an_end_before_the_answer_is_a_failure_unless_it_was_let_go_of() -> None:
    stream, _ = asked()
    stream.receive_eof(0.0)
    assert stream.next_event() == RelayFailed(701, "the connection to the STUN server ended")
    stream, _ = asked()
    stream.release(0.0)
    stream.receive_eof(0.0)
    assert stream.next_event() is None
