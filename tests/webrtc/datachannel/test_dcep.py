"""RFC 8832 section 5: the messages that open a channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.datachannel.dcep import ACK, Open, Reliability, is_ack

CASES = [
    (Open("chat"), "03 00 0100 00000000 0004 0000 63686174"),
    (Open("é", "p", is_ordered=False), "03 80 0100 00000000 0002 0001 c3a9 70"),
    (Open("", "", True, Reliability.RETRANSMITS, 3, 512), "03 01 0200 00000003 0000 0000"),  # noqa: FBT003
    (Open("t", "", False, Reliability.LIFETIME, 500, 128), "03 82 0080 000001f4 0001 0000 74"),  # noqa: FBT003
]


@pytest.mark.parametrize(("message", "wire"), CASES, ids=["reliable", "unordered", "retransmits", "lifetime"])
def test_open_is_read_and_written(message: Open, wire: str) -> None:
    assert message.serialize() == bytes.fromhex(wire)
    assert Open.parse(bytes.fromhex(wire)) == message


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "02",
        "03 00 0100 00000000 0004 00",
        "03 00 0100 00000000 0004 0000 636861",
        "03 00 0100 00000000 0001 0000 6363",
        "03 03 0100 00000000 0000 0000",
        "04 00 0100 00000000 0000 0000",
        "03 00 0100 00000000 0001 0000 ff",
    ],
    ids=["empty", "ack", "no lengths", "label cut", "more than lengths", "type 3", "message 4", "not UTF-8"],
)
def test_what_is_no_open_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        Open.parse(bytes.fromhex(wire))


def test_ack_is_one_byte() -> None:
    assert bytes([2]) == ACK
    assert is_ack(ACK)
    assert not is_ack(b"")
    assert not is_ack(Open("x").serialize())


@given(st.binary(max_size=60))
def test_untrusted_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        message = Open.parse(data)
    except WireError:
        return
    assert message.serialize() == data
