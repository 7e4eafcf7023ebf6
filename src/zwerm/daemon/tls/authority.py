"""A certificate authority of one node, for the machines of one house (RFC 5280).

Whoever installs it trusts the holder of its key; so it is bound by name constraints (section 4.2.1.10) to what no
public certificate can be for: names below `.local`, private addresses and the loopback. The key stays in the
repository and is readable by its owner alone.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.tls.certificate import names_of
from zwerm.node.atomic import write_atomically

LIFETIME: Final = dt.timedelta(days=3_650)  # of the authority
SERVER_LIFETIME: Final = dt.timedelta(days=200)  # telephones refuse more than 825 days
RENEW: Final = dt.timedelta(days=30)  # before its end a server's certificate is made anew
_EARLIER: Final = dt.timedelta(days=1)  # for clocks that are late

PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


def is_private(address: str) -> bool:
    """Whether the authority may vouch for an address."""
    found = ipaddress.ip_address(address)
    return any(found in network for network in PRIVATE if network.version == found.version)


class Authority:
    """Signs certificates for one machine."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def open(cls, folder: Path, host: str, now: dt.datetime) -> Authority:
        """Read the authority in `folder`, or make one there, named after this machine.

        Raises:
            LocalProtocolError: the files hold something else.
        """
        certificate_path, key_path = folder / "authority.pem", folder / "authority.key"
        if certificate_path.exists() and key_path.exists():
            try:
                certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
                key = serialization.load_pem_private_key(key_path.read_bytes(), None)
            except (ValueError, TypeError, OSError) as error:
                raise LocalProtocolError(f"the authority in {folder} cannot be read: {error}") from None
            if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
                raise LocalProtocolError(f"{key_path} is not the key of {certificate_path}")
            if now < certificate.not_valid_after_utc - RENEW:
                return cls(certificate, key)
        authority = cls.make(host, now)
        write_secret(key_path, authority.key_pem)
        write_atomically(certificate_path, authority.pem, mode=0o644)
        return authority

    @classmethod
    def make(cls, host: str, now: dt.datetime) -> Authority:
        """Make an authority that can vouch for names below .local and private addresses; it is called after `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"zwerm on {host}"[:64])])
        allowed = [x509.DNSName("local"), x509.DNSName("localhost")]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.NameConstraints([*allowed, *(x509.IPAddress(network) for network in PRIVATE)], None), critical=True
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return _pem(self._key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as telephones show it: pairs of hexadecimal digits."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def issue(self, names: Sequence[str], now: dt.datetime) -> tuple[bytes, bytes]:
        """Return a certificate for host names and addresses, and its key, both in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        authority = self.certificate.public_key()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "zwerm node")]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(min(now + SERVER_LIFETIME, self.certificate.not_valid_after_utc))
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority),  # type: ignore[arg-type]  # our own
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)

    def keep_issued(self, folder: Path, names: Sequence[str], now: dt.datetime) -> tuple[Path, Path]:
        """Return the files of a certificate for these names: the kept one, or a new one when it has to be."""
        path, key_path = folder / "lan.pem", folder / "lan.key"
        if not (key_path.exists() and self._still_good(path, names, now)):
            certificate, key = self.issue(names, now)
            write_secret(key_path, key)
            write_atomically(path, certificate, mode=0o644)
        return path, key_path

    def _still_good(self, path: Path, names: Sequence[str], now: dt.datetime) -> bool:
        try:
            kept = x509.load_pem_x509_certificate(path.read_bytes())
            kept.verify_directly_issued_by(self.certificate)
        except Exception:  # noqa: BLE001 -- no file, no certificate, or one of another authority: a new one is made
            return False
        return set(names_of(kept)) == set(names) and now < kept.not_valid_after_utc - RENEW


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, in a folder that only its owner may enter."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)
    write_atomically(path, data, mode=0o600)
