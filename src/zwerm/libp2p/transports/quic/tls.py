"""qh3's TLS 1.3 with what libp2p needs of it: both sides show a certificate (libp2p specs, "tls/tls.md").

qh3's server never asks for the client's certificate, and its client checks names and authorities, which mean nothing
here. This subclass has the server ask (RFC 8446 section 4.3.2), takes the client's answer into the transcript, and has
both sides verify the extension in which the identity key signs the certificate's. It is done while the handshake is
open, so a peer that proves nothing gets an alert and no stream. Sessions are not resumed, and nothing is sent early: a
ticket would stand for a certificate that nobody has looked at.

How the request gets between two messages that one call of qh3's writes: each passes the key schedule, which is
ours. What qh3 foresees, that the client's Finished is the next message, its own switch for ALPS turns off.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any, Final

from qh3 import tls
from qh3._hazmat import Buffer, CryptoError, SignatureError, verify_with_public_key
from qh3._hazmat import Certificate as LibraryCertificate
from qh3.quic.configuration import QuicConfiguration
from qh3.quic.connection import QuicConnection
from qh3.quic.tls_bridge import QuicTlsBridge

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import check_peer_untrusted
from zwerm.libp2p.tls.certificate import verify_untrusted
from zwerm.libp2p.transports.quic.gate import Gate
from zwerm.libp2p.transports.quic.packet import filling_untrusted

ALPN: Final = "libp2p"
MAX_MESSAGE: Final = 40_960  # bytes of one handshake message: a certificate of the largest size, and room

_ENCRYPTED_EXTENSIONS: Final = 8  # RFC 8446 section 4
_CERTIFICATE: Final = 11
_CERTIFICATE_REQUEST: Final = 13
_CERTIFICATE_VERIFY: Final = 15
_SIGNATURE_ALGORITHMS_EXTENSION: Final = 13
_CLIENT_CONTEXT: Final = b"TLS 1.3, client CertificateVerify"

# What TLS 1.3 allows in a CertificateVerify (RFC 8446 section 4.2.3), the usual first.
SIGNATURES: Final = [0x0403, 0x0807, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806]


logging.getLogger("quic").setLevel(logging.CRITICAL)  # qh3's: a warning for each connection that a peer closes


def certificate_request() -> bytes:
    """The message with which a server asks for a certificate (RFC 8446 section 4.3.2)."""
    algorithms = b"".join(each.to_bytes(2, "big") for each in SIGNATURES)
    listed = len(algorithms).to_bytes(2, "big") + algorithms
    extension = _SIGNATURE_ALGORITHMS_EXTENSION.to_bytes(2, "big") + len(listed).to_bytes(2, "big") + listed
    body = b"\0" + len(extension).to_bytes(2, "big") + extension
    return bytes([_CERTIFICATE_REQUEST]) + len(body).to_bytes(3, "big") + body


class _AskingSchedule(tls.KeySchedule):  # type: ignore[misc]
    """A server's transcript: behind EncryptedExtensions it writes the request."""

    def __init__(self, cipher_suite: Any, output: Any) -> None:
        super().__init__(cipher_suite)
        self._output = output

    def update_hash(self, data: bytes) -> None:
        super().update_hash(data)
        if self._output is not None and data[0] == _ENCRYPTED_EXTENSIONS:
            request = certificate_request()
            self._output.push_bytes(request)
            self._output = None
            super().update_hash(request)


class MutualTls(tls.Context):  # type: ignore[misc]
    """One side of a handshake in which both prove who they are."""

    _receive_buffer: bytes

    def __init__(self, *, is_client: bool, wall_time: float, expected: PeerId | None) -> None:
        """`expected` is who the peer must be, None: whoever it is; `wall_time` is seconds since 1970."""
        self._schedule: Any = None
        self._output: Any = None
        super().__init__(
            is_client=is_client,
            alpn_protocols=[ALPN],
            verify_mode=ssl.CERT_NONE,  # that is: no authorities and no names; `_process_certificate` verifies
            signature_algorithms=SIGNATURES,
        )
        self.proved: PeerId | None = None  # once TLS has shown that the peer holds the certificate's key too
        self.cause = ""  # why the peer is refused
        self._wall_time = wall_time
        self._expected = expected
        self._claimed: PeerId | None = None
        self._alps_negotiated = not is_client  # the client's Finished is not the next message
        self._supported_groups = [tls.Group.X25519, tls.Group.SECP256R1]
        self._compress_certificate_algorithms = None

    @property
    def key_schedule(self) -> Any:
        return self._schedule

    @key_schedule.setter
    def key_schedule(self, schedule: Any) -> None:
        if schedule is not None and self._output is not None:
            schedule = _AskingSchedule(schedule.cipher_suite, self._output)
        self._schedule = schedule

    def handle_message(self, input_data: bytes, output_buf: dict[Any, Any], epoch: int = -1) -> None:
        """Take handshake bytes; the messages that qh3's server knows nothing of are handled here."""
        if self.state is tls.State.SERVER_EXPECT_CLIENT_HELLO:
            self._output = output_buf[tls.Epoch.HANDSHAKE]
        if len(self._receive_buffer) + len(input_data) > MAX_MESSAGE:
            raise tls.AlertUnexpectedMessage(f"more than {MAX_MESSAGE} bytes of handshake")
        if self.state is not tls.State.SERVER_EXPECT_FINISHED:
            super().handle_message(input_data, output_buf, epoch)
            return
        if epoch != tls.Epoch.HANDSHAKE:
            raise tls.AlertUnexpectedMessage
        self._receive_buffer += input_data
        while (message := self._take_message()) is not None:
            self._handle_client_message(message, output_buf, epoch)

    def _take_message(self) -> bytes | None:
        buffer = self._receive_buffer
        size = 4 + int.from_bytes(buffer[1:4], "big")
        if len(buffer) < max(4, size):
            return None
        self._receive_buffer = buffer[size:]
        return buffer[:size]

    def _handle_client_message(self, message: bytes, output_buf: dict[Any, Any], epoch: int) -> None:
        kind = message[0]
        if kind == _CERTIFICATE and self._claimed is None:
            self._process_certificate(tls.pull_certificate(Buffer(data=message)))
            self.key_schedule.update_hash(message)
        elif kind == _CERTIFICATE_VERIFY and self._claimed is not None and self.proved is None:
            self._check_signature(message)
            self.key_schedule.update_hash(message)
            self.proved = self._claimed
        elif kind == tls.HandshakeType.FINISHED and self.proved is not None:
            rest, self._receive_buffer = self._receive_buffer, b""
            super().handle_message(message + rest, output_buf, epoch)
        else:
            raise tls.AlertUnexpectedMessage(self._refuse(f"handshake message {kind} out of turn"))

    def _check_signature(self, message: bytes) -> None:
        verify = tls.pull_certificate_verify(Buffer(data=message))
        if verify.algorithm not in SIGNATURES:
            raise tls.AlertDecryptError(self._refuse("a signature by an algorithm that was not offered"))
        signed = self.key_schedule.certificate_verify_data(_CLIENT_CONTEXT)
        try:
            verify_with_public_key(self._peer_certificate.public_key(), verify.algorithm, signed, verify.signature)
        except (SignatureError, CryptoError, ValueError):
            raise tls.AlertDecryptError(self._refuse("the peer does not hold its certificate's key")) from None

    def _process_certificate(self, certificate: Any) -> None:
        """Verify what the peer shows: one certificate, with the key that the identity signed."""
        count = len(certificate.certificates)
        if count != 1:
            raise tls.AlertBadCertificate(self._refuse(f"the peer shows {count} certificates, expected 1"))
        data = bytes(certificate.certificates[0][0])
        try:
            self._claimed = check_peer_untrusted(verify_untrusted(data, self._wall_time), self._expected)
            self._peer_certificate = LibraryCertificate(data)
        except (WireError, CryptoError, ValueError) as error:
            raise tls.AlertBadCertificate(self._refuse(str(error))) from None

    def _client_handle_certificate_verify(self, input_buf: Any) -> None:
        super()._client_handle_certificate_verify(input_buf)
        self.proved = self._claimed

    def _client_handle_finished(self, input_buf: Any, output_buf: Any) -> None:
        if self._certificate_request is None:
            raise tls.AlertHandshakeFailure(self._refuse("the peer did not ask who this is"))
        super()._client_handle_finished(input_buf, output_buf)

    def _refuse(self, cause: str) -> str:
        self.cause = self.cause or cause
        return cause


class _MutualBridge(QuicTlsBridge):  # type: ignore[misc]
    """qh3's bridge from packets to TLS, with ours in the place of its TLS."""

    tls: Any

    def use(self, context: MutualTls) -> None:
        made = self.tls
        for name in ("certificate", "certificate_private_key", "handshake_extensions", "alpn_cb"):
            setattr(context, name, getattr(made, name))
        context.update_traffic_key_cb = made.update_traffic_key_cb
        self.tls = context


class MutualConnection(QuicConnection):  # type: ignore[misc]
    """qh3's connection, in whose handshake both sides prove who they are."""

    _core: Any
    _tls: Any
    _close_event: Any

    def __init__(
        self,
        configuration: QuicConfiguration,
        *,
        wall_time: float,
        room: int = 8_388_608,
        expected: PeerId | None = None,
        **options: Any,
    ) -> None:
        """Make one.

        Args:
            configuration: of its side.
            wall_time: seconds since 1970, for the dates of the peer's certificate.
            room: bytes that may be taken before any is granted.
            expected: who the peer must be; None: whoever it is.
            options: of a server: which connection IDs came before.
        """
        super().__init__(configuration=configuration, **options)
        self._wall_time = wall_time
        self._expected = expected
        self._room = room
        self._filling = 0

    def _create_tls(self, remote_source_cid: bytes | None) -> Any:
        super()._create_tls(remote_source_cid)
        bridge: Any = self._tls
        bridge.__class__ = _MutualBridge
        bridge.use(
            MutualTls(is_client=self._configuration.is_client, wall_time=self._wall_time, expected=self._expected)
        )
        return bridge

    def _create_core(self, *arguments: Any) -> None:
        super()._create_core(*arguments)
        self._core = Gate(self._core, self._room)
        self._core.filling = self._filling

    def receive_datagram(self, data: bytes, addr: Any, now: float) -> None:
        """Take an untrusted datagram of the handshake."""
        self._filling = filling_untrusted(data)
        if self._core is not None:
            self._core.filling = self._filling
        super().receive_datagram(data, addr, now)

    @property
    def core(self) -> Any:
        """What carries the packets; commands on streams go to it directly, once the handshake is done."""
        return self._core

    def poll(self, now: float) -> tuple[bytes, Any] | None:
        """Return the next datagram and where it goes."""
        if self._core is None:
            return None
        sent = self._core.poll_transmit(now)
        return None if sent is None else (sent[0], sent[1][:2])  # of IPv6 it gives four parts

    def grant(self, size: int) -> bool:
        """Make room for so many bytes; return whether there is room now and was none."""
        if self._core is None:
            return False
        was_held = self._core.is_held
        self._core.room += size
        return was_held and not self._core.is_held

    def resume(self) -> None:
        """Take what came while there was no room."""
        self._drain_core()

    @property
    def is_held(self) -> bool:
        return self._core is not None and bool(self._core.is_held)

    @property
    def rtt(self) -> float | None:
        measured: float | None = None if self._core is None else self._core.smoothed_rtt
        return measured

    @property
    def ending(self) -> tuple[int, str] | None:
        """With what code and reason the connection ended; None while it goes on."""
        if self.is_held and self._core.state in ("draining", "terminated"):
            self._core.room += self._configuration.max_data  # what says why stands behind what nobody reads
            self._drain_core()
        event = self._close_event
        return None if event is None else (event.error_code, event.reason_phrase)

    @property
    def proved(self) -> PeerId | None:
        """Who the peer is; None while that is not proved."""
        return None if self._tls is None else self._tls.tls.proved

    @property
    def cause(self) -> str:
        """Why the peer was refused in the handshake; empty when it was not."""
        return "" if self._tls is None else self._tls.tls.cause
