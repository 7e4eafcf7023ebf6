"""WebRTC 1.0 section 11: errors that name their protocol."""

from __future__ import annotations

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc import OperationError, RTCError, RTCTypeError
from zwerm.webrtc.dtls.alert import Alert, AlertDescription, AlertLevel
from zwerm.webrtc.dtls.event import Cause, ConnectionFailed
from zwerm.webrtc.w3c.rtc_error import DETAILS, dtls_error, sdp_error


@pytest.mark.parametrize("detail", DETAILS)
def test_an_error_is_an_operation_error_with_a_detail(detail: str) -> None:
    error = RTCError(detail, "what happened")
    assert isinstance(error, OperationError)
    assert isinstance(error, LocalProtocolError)
    assert (error.name, error.errorDetail, error.message) == ("OperationError", detail, "what happened")
    assert str(error) == "what happened"
    assert (error.sdpLineNumber, error.sctpCauseCode, error.receivedAlert, error.sentAlert) == (None,) * 4


def test_without_a_message_the_detail_is_said() -> None:
    assert str(RTCError("dtls-failure")) == "dtls-failure"


def test_a_detail_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RTCTypeError, match="errorDetail 'oops', expected one of data-channel-failure"):
        RTCError("oops")


HANDSHAKE_FAILURE = Alert(AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE)


@pytest.mark.parametrize(
    ("event", "detail", "received", "sent"),
    [
        (ConnectionFailed(Cause.FINGERPRINT, "another one"), "fingerprint-failure", None, 42),
        (ConnectionFailed(Cause.ALERT, "refused", HANDSHAKE_FAILURE), "dtls-failure", 40, None),
        (ConnectionFailed(Cause.INSECURE, "no extended master secret"), "dtls-failure", None, 40),
        (ConnectionFailed(Cause.TIMEOUT, "too late"), "dtls-failure", None, None),
    ],
    ids=["fingerprint", "alert", "insecure", "timeout"],
)
def test_a_failed_handshake_says_which_alert_passed(
    event: ConnectionFailed, detail: str, received: int | None, sent: int | None
) -> None:
    error = dtls_error(event)
    assert (error.errorDetail, error.receivedAlert, error.sentAlert) == (detail, received, sent)
    assert str(error) == event.detail


@pytest.mark.parametrize(
    ("text", "number"),
    [("v=0\r\nnonsense\r\n", 2), ("v=0\r\n", None), ("v=0\r\ns=-\r\na=x\x01\r\n", 3)],
    ids=["no equals sign", "nothing that one line shows", "a control character"],
)
def test_an_error_of_sdp_names_the_line(text: str, number: int | None) -> None:
    error = sdp_error(text, "malformed")
    assert (error.errorDetail, error.sdpLineNumber, error.name) == ("sdp-syntax-error", number, "OperationError")
