"""A certificate as a server uses it, and a server's TLS whose certificate can be replaced while it runs.

New connections get the new certificate; those that are open keep theirs.
"""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError

if TYPE_CHECKING:
    from cryptography import x509

MAX_FILE: Final = 1024 * 1024  # bytes of a certificate's file


class Certificate(NamedTuple):
    """A certificate with its key, checked to belong together."""

    context: ssl.SSLContext
    names: tuple[str, ...]  # host names and addresses that it is for, as it lists them
    begins: float  # seconds since 1970
    expires: float  # seconds since 1970


def load_certificate(certificate: Path, key: Path | None = None) -> Certificate:
    """Read a chain in PEM, the server's own certificate first; the key may stand in the same file.

    Raises:
        LocalProtocolError: a file cannot be read, is no such thing, or the two do not belong together.
    """
    from cryptography import x509

    for path in (certificate, key or certificate):
        try:
            with path.open("rb") as file:
                text = file.read(MAX_FILE)
        except OSError as error:
            raise LocalProtocolError(f"{path}: {error.strerror}") from None
        if path is certificate:
            chain = text
    try:
        leaf = x509.load_pem_x509_certificate(chain)
    except ValueError:
        raise LocalProtocolError(f"{certificate} is not a certificate in PEM form") from None
    context = server_context()
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error):
            problem = f"the key in {key or certificate} is not that of the certificate in {certificate}"
        else:
            problem = f"{key or certificate} holds no key in PEM form without a password"
        raise LocalProtocolError(problem) from None
    except OSError as error:
        raise LocalProtocolError(f"{key or certificate}: {error.strerror}") from None
    begins, expires = (_seconds(when) for when in (leaf.not_valid_before_utc, leaf.not_valid_after_utc))
    return Certificate(context, tuple(names_of(leaf)), begins, expires)


def names_of(certificate: x509.Certificate) -> list[str]:
    """Return the names and addresses that a certificate is for."""
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    return names + [str(address) for address in found.get_values_for_type(x509.IPAddress)]


def server_context() -> ssl.SSLContext:
    """Return what a server offers: TLS 1.2 and 1.3, HTTP/1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class ServerTls:
    """The TLS of a server; it has a certificate from the first `use` on."""

    def __init__(self) -> None:
        self.current: Certificate | None = None
        self.context = server_context()
        self.context.sni_callback = self._choose

    def use(self, certificate: Certificate) -> None:
        """Show this certificate to whoever connects from now on."""
        self.current = certificate

    def _choose(self, connection: Any, _name: str | None, _context: ssl.SSLContext) -> int | None:
        if self.current is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self.current.context
        return None


def _seconds(when: dt.datetime) -> float:
    return when.timestamp()
