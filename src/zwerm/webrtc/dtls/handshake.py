"""OpenSSL behind memory BIOs: records in, records out, and what the handshake came to.

The only file that touches pyOpenSSL. Where each record passes, OpenSSL's functions are called without it, since its
exceptions cost more than a record. OpenSSL's own retransmission timer reads the wall clock, so it is not used: see
`flight`. Every record is fed by itself, because a memory BIO does not keep datagrams apart.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final

from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Role, SRTPProfile
from zwerm.webrtc.dtls.record import DTLS_1_2, MAX_FRAGMENT, Record
from zwerm.webrtc.dtls.records import unseal
from zwerm.webrtc.dtls.suite import MASTER_SECRET_SIZE, SUITES, Secrets

BUFFER: Final = 65_536  # bytes that one call of OpenSSL's brings at most
GROUPS: Final = b"X25519:P-256:P-384"  # RFC 8827 section 6.5: P-256 MUST, X25519 SHOULD

_OPTIONS: Final = (
    SSL.OP_NO_TICKET  # no resumption: each connection proves its certificate anew
    | SSL.OP_NO_QUERY_MTU
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_CIPHER_SERVER_PREFERENCE
)


_new: Final = ffi.new_allocator(should_clear_after_alloc=False)


def _buffer() -> Any:
    """Room for OpenSSL to write to; fresh, since its calls let other threads run meanwhile (0.1 us)."""
    return _new("char[]", BUFFER)


@functools.cache
def _context(srtp_profiles: tuple[SRTPProfile, ...]) -> SSL.Context:
    """What is the same for every connection, made once: to make it takes as long as the rest of a handshake's start."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(DTLS_1_2)
    context.set_max_proto_version(DTLS_1_2)
    context.set_options(_OPTIONS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(":".join(SUITES).encode())
    lib.SSL_CTX_set1_curves_list(context._context, GROUPS)
    if srtp_profiles:
        context.set_tlsext_use_srtp(":".join(profile.value for profile in srtp_profiles).encode())
    return context


_CONVERTED: Final[weakref.WeakKeyDictionary[Certificate, tuple[crypto.X509, crypto.PKey]]] = weakref.WeakKeyDictionary()


def prepare(certificate: Certificate) -> None:
    """Convert a certificate for OpenSSL before a handshake needs it: it takes a tenth of one."""
    _converted(certificate)


def _converted(certificate: Certificate) -> tuple[crypto.X509, crypto.PKey]:
    found = _CONVERTED.get(certificate)
    if found is None:
        found = crypto.X509.from_cryptography(certificate.x509), crypto.PKey.from_cryptography_key(certificate.key)
        _CONVERTED[certificate] = found
    return found


class Handshake:
    """One OpenSSL connection, up to the end of its handshake and, where we do not take over, beyond."""

    def __init__(
        self,
        role: Role,
        certificate: Certificate,
        *,
        mtu: int,
        srtp_profiles: Sequence[SRTPProfile] = (),
        accepts: Callable[[bytes], bool],
    ) -> None:
        """Prepare; a client's ClientHello comes with `start`.

        Args:
            role: client or server.
            certificate: what we show.
            mtu: bytes of a datagram.
            srtp_profiles: for `use_srtp`.
            accepts: is given the peer's certificate in DER before the handshake goes on; False ends it.
        """
        self._accepts = accepts
        self._certificate = certificate
        self._ssl = SSL.Connection(_context(tuple(srtp_profiles)), None)
        self._ssl.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        shown, key = _converted(certificate)
        lib.SSL_use_certificate(self._ssl._ssl, shown._x509)
        lib.SSL_use_PrivateKey(self._ssl._ssl, key._pkey)
        self._ssl.set_ciphertext_mtu(mtu)
        if role is Role.CLIENT:
            self._ssl.set_connect_state()
        else:
            self._ssl.set_accept_state()
        self.is_complete = False
        self.is_closed = False  # the peer sent close_notify
        self.failure: str | None = None  # what OpenSSL found wrong; nothing works afterwards

    def _verify(self, _ssl: SSL.Connection, certificate: crypto.X509, _error: int, depth: int, _is_valid: int) -> bool:
        """Judge the leaf by its fingerprint alone (RFC 8122 section 6.2); whoever else signed it means nothing."""
        return depth > 0 or self._accepts(crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate))

    def start(self) -> None:
        """Go as far as it goes without input."""
        self._go_on()

    def _go_on(self) -> None:
        """As `do_handshake` of pyOpenSSL, whose exception for "more is needed" costs as much as reading a record."""
        ssl = self._ssl._ssl
        result = lib.SSL_do_handshake(ssl)
        if result == 1:
            self.is_complete = True
        elif lib.SSL_get_error(ssl, result) != lib.SSL_ERROR_WANT_READ:
            self._attempt(lambda: self._ssl._raise_ssl_error(ssl, result))  # says what is wrong

    def receive(self, record: bytes) -> list[bytes]:
        """Give one record to OpenSSL; return the application data that came of it."""
        if self.failure is not None:
            return []
        self._ssl.bio_write(record)
        if not self.is_complete:
            self._go_on()
            return []
        payloads: list[bytes] = []
        buffer, ssl = _buffer(), self._ssl._ssl
        while (size := lib.SSL_read(ssl, buffer, BUFFER)) > 0:
            payloads.append(ffi.buffer(buffer, size)[:])
        if lib.SSL_get_error(ssl, size) != lib.SSL_ERROR_WANT_READ:
            self._attempt(lambda: self._ssl.recv(MAX_FRAGMENT))  # says what is wrong
        return payloads

    def write(self, payload: bytes) -> None:
        """Let OpenSSL seal one payload; its record is in the output."""
        if lib.SSL_write(self._ssl._ssl, payload, len(payload)) <= 0:
            self._attempt(lambda: self._ssl.send(payload))  # says what is wrong

    def close(self) -> None:
        """Let OpenSSL write close_notify."""
        self._attempt(self._ssl.shutdown)

    def skip(self, count: int) -> None:
        """Use up sequence numbers of OpenSSL's that we have used: records are written and thrown away."""
        for _ in range(count):
            self.write(b"\0")
        self.take_output()

    def release(self) -> None:
        """Let OpenSSL's memory go, about 90 kB; nothing may be called afterwards."""
        _CONVERTED.pop(self._certificate, None)
        del self._ssl  # it holds our callback, so that counting references alone would not free it

    def take_output(self) -> bytes:
        """Everything OpenSSL wrote since the last call: whole records."""
        output = b""
        buffer = _buffer()
        while (size := lib.BIO_read(self._ssl._from_ssl, buffer, BUFFER)) > 0:
            output += ffi.buffer(buffer, size)[:]
        return output

    def _attempt(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except SSL.WantReadError:
            return False
        except SSL.ZeroReturnError:
            self.is_closed = True
            return False
        except SSL.Error as error:
            self.failure = _reason(error)
            return False
        if not self.is_complete:
            self.is_complete = True
        return True

    @property
    def cipher(self) -> str:
        return self._ssl.get_cipher_name() or "none"

    @property
    def version(self) -> str:
        return self._ssl.get_protocol_version_name()

    @property
    def has_extended_master_secret(self) -> bool:
        """RFC 7627: the keys are bound to the whole handshake, certificates included."""
        return bool(lib.SSL_get_extms_support(self._ssl._ssl) == 1)

    @property
    def srtp_profile(self) -> SRTPProfile | None:
        name = self._ssl.get_selected_srtp_profile()
        return SRTPProfile(name.decode()) if name else None

    def peer_certificate(self) -> bytes | None:
        """The peer's certificate in DER."""
        certificate = self._ssl.get_peer_certificate()
        return None if certificate is None else crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)

    def secrets(self) -> Secrets | None:
        """What the key exchange left; None before its end, or with a suite that we do not know."""
        suite = SUITES.get(self.cipher)
        material = self._material()
        return None if suite is None or material is None else Secrets(suite, *material)

    def secrets_that_open(self, record: Record) -> Secrets | None:
        """The same for a client in the middle, whose OpenSSL does not tell the suite yet: the one that opens `record`.

        `record` is one that OpenSSL wrote itself.
        """
        material = self._material()
        if material is None:
            return None
        for suite in dict.fromkeys(SUITES.values()):
            secrets = Secrets(suite, *material)
            if unseal(suite, secrets.keys()[0], record) is not None:
                return secrets
        return None

    def _material(self) -> tuple[bytes, bytes, bytes] | None:
        try:
            values = self._ssl.master_key(), self._ssl.client_random(), self._ssl.server_random()
        except SSL.Error:  # pyOpenSSL's word for "not yet"
            return None
        master, client_random, server_random = values
        if master is None or client_random is None or server_random is None or len(master) != MASTER_SECRET_SIZE:
            return None
        return master, client_random, server_random


def _reason(error: SSL.Error) -> str:
    """What OpenSSL says, in its words: "wrong version number"."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(entry[-1]) for entry in entries if entry]
    return ", ".join(dict.fromkeys(reasons)) or type(error).__name__
