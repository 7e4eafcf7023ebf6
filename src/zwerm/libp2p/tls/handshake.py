"""The TLS 1.3 handshake of libp2p (libp2p specs, "tls/tls.md"; protocol `/tls/1.0.0`), by OpenSSL.

What it agrees on leaves OpenSSL by the way that key logs are written, and `TlsRecords` goes on with it.

Both sides show a certificate, and each is verified while OpenSSL still holds the handshake, so that a peer that proves
nothing gets an alert. The muxer is chosen by ALPN ("connections/inlined-muxer-negotiation.md"). Sessions are never
resumed: a ticket would stand for a certificate that nobody has looked at.

One deviation from the machine contract: OpenSSL draws its own randomness, so two runs differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from zwerm.core.errors import WireError
from zwerm.core.machine import Instant
from zwerm.core.random import Random
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import HandshakeEvent, HandshakeFailed, Secured, check_peer_untrusted
from zwerm.libp2p.tls.certificate import generate, verify_untrusted
from zwerm.libp2p.tls.record_keys import SUITES, RecordKeys
from zwerm.libp2p.tls.records import TlsRecords

PROTOCOL: Final = "/tls/1.0.0"
ALPN: Final = b"libp2p"  # says that the muxer is agreed on afterwards
MAX_HANDSHAKE: Final = 131_072  # bytes from the peer

_HEADER_SIZE: Final = 5  # RFC 8446 section 5.1
_RECORD_TYPES: Final = range(20, 24)
_MAJOR_VERSION: Final = 3
_MAX_RECORD: Final = 16_384 + 256
_PROTECTED: Final = 23  # the type of a record under a key
_READ: Final = 131_072  # bytes
_SECRETS: Final = (b"CLIENT_TRAFFIC_SECRET_0", b"SERVER_TRAFFIC_SECRET_0")  # as key logs name them


class TlsIdentity:
    """A node's certificate and its key. One serves all handshakes of a run and is kept on no disk."""

    __slots__ = ("_contexts", "_private", "certificate")

    def __init__(self, key: PrivateKey, random: Random, wall_time: float) -> None:
        """`wall_time` is seconds since 1970."""
        self._private, self.certificate = generate(key, random, wall_time)
        self._contexts: dict[tuple[bytes, ...] | None, SSL.Context] = {}

    def context(self, offered: tuple[bytes, ...] | None) -> SSL.Context:
        """Return what connections have in common: of a client that offers these protocols, or None: of a server."""
        context = self._contexts.get(offered)
        if context is None:
            context = self._contexts[offered] = self.make_context(offered)
        return context

    def make_context(self, offered: tuple[bytes, ...] | None) -> SSL.Context:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_options(SSL.OP_NO_TICKET)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.use_privatekey(self._private)
        context.use_certificate(self.certificate)
        context.set_keylog_callback(_note_secret)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
        if offered is None:
            context.set_alpn_select_callback(_select)
        else:
            context.set_alpn_protos(list(offered))
        return context


def _verify(ssl: SSL.Connection, certificate: crypto.X509, _: int, depth: int, __: int) -> bool:
    """Whether OpenSSL may go on. It asks for each certificate, and for each thing that it finds wrong about one."""
    handshake: TlsHandshake = ssl.get_app_data()
    return handshake.accept_certificate(certificate, depth)


def _select(ssl: SSL.Connection, offered: list[bytes]) -> bytes:
    handshake: TlsHandshake = ssl.get_app_data()
    return handshake.choose_untrusted(offered)


def _note_secret(ssl: SSL.Connection, line: bytes) -> None:
    handshake: TlsHandshake = ssl.get_app_data()
    handshake.note_secret(line)


class TlsHandshake:
    """One side of one handshake."""

    def __init__(
        self,
        identity: TlsIdentity,
        *,
        is_initiator: bool,
        wall_time: float,
        expected: PeerId | None = None,
        muxers: Sequence[str] = (),
    ) -> None:
        """Begin.

        Args:
            identity: of this node.
            is_initiator: the side that dialled, which is TLS's client.
            wall_time: seconds since 1970, for the dates of the peer's certificate.
            expected: who the peer must be; None: whoever it is.
            muxers: to agree on one inside the handshake, in order of preference; none: leave it for afterwards.
        """
        self._is_initiator = is_initiator
        self._wall_time = wall_time
        self._expected = expected
        self._muxers = [muxer.encode() for muxer in muxers]
        self._cause: str | None = None  # why the certificate is refused
        self._proved: PublicKey | None = None
        self._taken = 0  # bytes
        self._secrets: dict[bytes, bytes] = {}
        self._received = bytearray()  # the record that is not whole yet
        self._to_send = b""
        self._event: HandshakeEvent | None = None
        self.is_over = False
        self._ssl = SSL.Connection(identity.context((*self._muxers, ALPN) if is_initiator else None), None)
        self._ssl.set_app_data(self)
        if is_initiator:
            self._ssl.set_connect_state()
            self._advance()
        else:
            self._ssl.set_accept_state()

    def receive_data(self, data: bytes, now: Instant) -> int:  # noqa: ARG002 -- the contract's form
        """Take untrusted bytes; return how many belonged to the handshake. Those behind them are records."""
        used = 0
        try:
            while not self.is_over and used < len(data):
                part = data[used : used + self._missing_untrusted()]
                used += len(part)
                self._received += part
                if not self._missing_untrusted():
                    self._ssl.bio_write(bytes(self._received))
                    self._taken += len(self._received)
                    self._received.clear()
                    self._advance()
        except WireError as error:
            self._finish(HandshakeFailed(str(error)))
            return len(data)
        return used

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        if not self.is_over:
            self._finish(HandshakeFailed("the peer closed the connection during the TLS handshake"))

    def handle_timeout(self, now: Instant) -> None:
        """Nothing here waits for time."""

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def next_event(self) -> HandshakeEvent | None:
        event, self._event = self._event, None
        return event

    def next_timeout(self) -> Instant | None:
        return None

    def accept_certificate(self, certificate: crypto.X509, depth: int) -> bool:
        """Whether the peer's certificate, the first (`depth` 0) of what it sent, proves who it is."""
        if depth:
            self._cause = "the peer sent more than one certificate"
        elif self._cause is None and self._proved is None:
            try:
                data = certificate.to_cryptography().public_bytes(Encoding.DER)
                key = verify_untrusted(data, self._wall_time)
                check_peer_untrusted(key, self._expected)
                self._proved = key
            except (WireError, ValueError) as failure:
                self._cause = str(failure)
        return self._cause is None

    def choose_untrusted(self, offered: list[bytes]) -> bytes:
        """Return the client's first protocol that we have; WireError when there is none, which ends the handshake."""
        for protocol in offered:
            if protocol in self._muxers or protocol == ALPN:
                return protocol
        raise WireError(f"the peer offers {b', '.join(offered)[:200]!r}, of which nothing is spoken here")

    def note_secret(self, line: bytes) -> None:
        """Keep what protects the records of one side, of a line of a key log: label, client's random, secret."""
        label, _, secret = line.split()
        if label in _SECRETS:
            self._secrets[label] = bytes.fromhex(secret.decode())

    def _missing_untrusted(self) -> int:
        """Bytes until the header, or the record, is whole: OpenSSL gets no byte behind the last of the handshake."""
        received = self._received
        if len(received) < _HEADER_SIZE:
            return _HEADER_SIZE - len(received)
        size = received[3] << 8 | received[4]
        if received[0] not in _RECORD_TYPES or received[1] != _MAJOR_VERSION or size > _MAX_RECORD:
            raise WireError(f"{bytes(received[:_HEADER_SIZE]).hex(' ')} where a TLS record is expected")
        if self._taken + size > MAX_HANDSHAKE:
            raise WireError(f"{self._taken + size} bytes of TLS handshake, the limit is {MAX_HANDSHAKE}")
        return _HEADER_SIZE + size - len(received)

    def _advance(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._to_send += drain(self._ssl)
        except SSL.Error as error:
            self._to_send += drain(self._ssl)
            self._finish(HandshakeFailed(self._cause or f"TLS: {reason_of(error)}"))
        except WireError as error:  # of `choose_untrusted`
            self._to_send += drain(self._ssl)
            self._finish(HandshakeFailed(str(error)))
        else:
            last = drain(self._ssl)
            self._to_send += last
            # What a server says once the client is done are tickets, under the key of its records.
            self._finish(self._outcome(0 if self._is_initiator else _count_protected(last)))

    def _outcome(self, sent: int) -> HandshakeEvent:
        key, chain = self._proved, self._ssl.get_peer_cert_chain() or []
        if key is None or len(chain) > self._is_initiator:  # a server finds only what is behind the first in it
            return HandshakeFailed("the peer sent more than one certificate" if key else "the peer sent no certificate")
        chosen = self._ssl.get_alpn_proto_negotiated()
        if chosen in (b"", ALPN):
            muxer = None
        elif chosen in self._muxers:
            muxer = chosen.decode()
        else:
            return HandshakeFailed(f"the peer chose the protocol {chosen[:64]!r}, which was not offered")
        suite = self._ssl.get_cipher_name() or ""
        if suite not in SUITES:
            return HandshakeFailed(f"TLS came to the cipher {suite!r}, which is not spoken here")
        client, server = (self._secrets[label] for label in _SECRETS)
        ours, theirs = (client, server) if self._is_initiator else (server, client)
        records = TlsRecords(RecordKeys(suite, ours, sent), RecordKeys(suite, theirs))
        return Secured(key, PeerId.of(key), muxer, records)

    def _finish(self, event: HandshakeEvent) -> None:
        self.is_over = True
        self._event = event
        self._ssl.set_app_data(None)  # which refers back to us
        self._secrets.clear()


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


def _count_protected(records: bytes) -> int:
    """Return how many of these whole records are under a key."""
    count = position = 0
    while position < len(records):
        count += records[position] == _PROTECTED
        position += _HEADER_SIZE + int.from_bytes(records[position + 3 : position + 5], "big")
    return count
