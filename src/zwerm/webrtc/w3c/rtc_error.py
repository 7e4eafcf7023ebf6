"""RTCError (WebRTC 1.0 section 11): what went wrong with a connection, in the numbers of its protocols."""

from __future__ import annotations

from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.alert import AlertDescription
from zwerm.webrtc.dtls.event import Cause, ConnectionFailed
from zwerm.webrtc.sdp.line import MAX_LINES, parse_lines
from zwerm.webrtc.w3c.errors import OperationError, RTCTypeError

DETAILS: Final = (  # RTCErrorDetailType
    "data-channel-failure",
    "dtls-failure",
    "fingerprint-failure",
    "sctp-failure",
    "sdp-syntax-error",
    "hardware-encoder-not-available",
    "hardware-encoder-error",
)


class RTCError(OperationError):
    """An OperationError that says which protocol it comes from; what does not apply is None."""

    def __init__(
        self,
        errorDetail: str,  # noqa: N803 - the W3C's names
        message: str = "",
        *,
        sdpLineNumber: int | None = None,  # noqa: N803
        sctpCauseCode: int | None = None,  # noqa: N803
        receivedAlert: int | None = None,  # noqa: N803
        sentAlert: int | None = None,  # noqa: N803
    ) -> None:
        """Make an error.

        Args:
            errorDetail: one of `DETAILS`.
            message: for a person.
            sdpLineNumber: of "sdp-syntax-error": the line, from 1.
            sctpCauseCode: of "sctp-failure": what the peer's ABORT gave (RFC 9260 section 3.3.10).
            receivedAlert: of "dtls-failure": the peer's (RFC 5246 section 7.2).
            sentAlert: ours.

        Raises:
            RTCTypeError: another detail.
        """
        if errorDetail not in DETAILS:
            raise RTCTypeError(f"errorDetail {errorDetail!r}, expected one of {', '.join(DETAILS)}")
        super().__init__(message or errorDetail)
        self.errorDetail = errorDetail
        self.message = message
        self.sdpLineNumber = sdpLineNumber
        self.sctpCauseCode = sctpCauseCode
        self.receivedAlert = receivedAlert
        self.sentAlert = sentAlert

    @property
    def name(self) -> str:
        return "OperationError"


def dtls_error(event: ConnectionFailed) -> RTCError:
    """Say what a failed DTLS connection tells."""
    if event.cause is Cause.FINGERPRINT:
        return RTCError("fingerprint-failure", event.detail, sentAlert=int(AlertDescription.BAD_CERTIFICATE))
    sent = int(AlertDescription.HANDSHAKE_FAILURE) if event.cause is Cause.INSECURE else None
    received = None if event.alert is None else int(event.alert.description)
    return RTCError("dtls-failure", event.detail, receivedAlert=received, sentAlert=sent)


def sdp_error(sdp: str, detail: str) -> RTCError:
    """Say which line of a description cannot be read; None where each can, and the whole cannot."""
    for number, line in enumerate(sdp.splitlines(keepends=True)[:MAX_LINES], 1):
        try:
            parse_lines(line)
        except WireError:
            return RTCError("sdp-syntax-error", detail, sdpLineNumber=number)
    return RTCError("sdp-syntax-error", detail)
