"""RFC 9260 sections 3.3.7 and 3.3.10: why an association ends."""

from zwerm.webrtc.sctp.chunks import error
from zwerm.webrtc.sctp.chunks.parameter import Parameter
from zwerm.webrtc.sctp.codes import Cause


def test_an_abort_says_why() -> None:
    wire = error.abort(Cause.USER_INITIATED, "bye")
    assert wire == bytes.fromhex("06 00 000b 000c 0007 627965 00")[:3] + bytes.fromhex("0c 000c 0007 627965 00")
    assert error.describe(error.causes_untrusted(wire[4:])) == "user initiated: bye"


def test_causes_are_put_into_words() -> None:
    assert error.describe([]) == "no cause given"
    assert error.describe([Parameter(Cause.OUT_OF_RESOURCE, b""), Parameter(99, b"")]) == "out of resource, cause 99"


def test_malformed_causes_do_not_hide_the_abort() -> None:
    assert error.causes_untrusted(b"\x00\x0c\xff\xff") == []


def test_a_cause_that_is_not_text_is_shown_all_the_same() -> None:
    assert error.describe([Parameter(Cause.PROTOCOL_VIOLATION, b"\xff" * 1_000)]).startswith(
        "protocol violation: \ufffd"
    )
