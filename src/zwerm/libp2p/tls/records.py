"""TLS 1.3 records after the handshake, by OpenSSL through memory buffers.

OpenSSL answers key updates by itself; what it has to say goes out before the next records. A channel may end without
`close_notify`: the streams inside have ends of their own, so nobody can cut one off unnoticed by ending the connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from OpenSSL import SSL

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.libp2p.secure import Buffer

MAX_PLAINTEXT: Final = 16_384  # bytes in a record, RFC 8446 section 5.1

_PORTION: Final = 65_536  # bytes that pass OpenSSL's buffers at once, so that these stay as small
_SMALL: Final = 4_096  # bytes; chunks below go into one record with what follows
_READ: Final = 131_072


class TlsRecords:
    """Both directions of a connection whose handshake is done."""

    __slots__ = ("_cause", "_has_ended", "_is_closed", "_ssl")

    def __init__(self, ssl: SSL.Connection) -> None:
        self._ssl = ssl
        self._cause: str | None = None
        self._has_ended = False  # the peer said so
        self._is_closed = False

    def encrypt(self, chunks: Sequence[Buffer]) -> bytes | bytearray:
        out = [drain(self._ssl)]
        if any(chunks) and self._is_closed:
            raise LocalProtocolError("the TLS channel is closed")
        head = b""  # small chunks, to be sent with the next
        waiting = 0  # bytes in OpenSSL's buffer
        for chunk in chunks:
            if len(head) + len(chunk) < _SMALL:
                head += chunk
                continue
            view = memoryview(chunk)
            if head:
                room = MAX_PLAINTEXT - len(head)
                waiting += self._seal(head + view[:room])
                head, view = b"", view[room:]
            while view:
                sent = self._seal(view)  # of one record, since partial writes are allowed
                view = view[sent:]
                waiting += sent
                if waiting >= _PORTION:
                    out.append(drain(self._ssl))
                    waiting = 0
        if head:
            self._seal(head)
        out.append(drain(self._ssl))
        return b"".join(out)

    def decrypt_untrusted(self, data: Buffer) -> list[memoryview]:
        if self._cause is not None:
            raise WireError(self._cause)
        plaintexts: list[memoryview] = []
        view = memoryview(data)
        for start in range(0, len(view), _PORTION):
            if self._has_ended:
                break  # RFC 8446 section 6.1: what follows close_notify is ignored
            self._ssl.bio_write(view[start : start + _PORTION])
            self._open_untrusted(plaintexts)
        return plaintexts

    def check_end_untrusted(self) -> None:
        if self._cause is not None:
            raise WireError(self._cause)

    def close(self) -> bytes:
        """Return close_notify, once."""
        if self._is_closed:
            return b""
        self._is_closed = True
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return b""  # after a failure OpenSSL says farewell by its alert, which went out
        return drain(self._ssl)

    def _seal(self, data: Buffer) -> int:
        try:
            return self._ssl.send(data)
        except SSL.Error as error:
            raise LocalProtocolError(f"TLS cannot send any more: {reason_of(error)}") from None

    def _open_untrusted(self, plaintexts: list[memoryview]) -> None:
        recv = self._ssl.recv
        try:
            while True:
                plaintexts.append(memoryview(recv(MAX_PLAINTEXT)))
        except SSL.WantReadError:
            return
        except SSL.ZeroReturnError:
            self._has_ended = True
        except SSL.Error as error:
            reason = reason_of(error)
            what = "the peer gave up" if "alert" in reason else "a record is forged, damaged, replayed or out of order"
            self._cause = f"TLS: {what} ({reason})"
            raise WireError(self._cause) from None


def drain(ssl: SSL.Connection) -> bytes:
    """Take what OpenSSL has to send."""
    out = b""
    try:
        while True:
            out += ssl.bio_read(_READ)
    except SSL.WantReadError:
        return out


def reason_of(error: SSL.Error) -> str:
    """Return OpenSSL's words for an error."""
    reasons = [entry[-1] for entry in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(filter(None, reasons)) or str(error) or type(error).__name__
