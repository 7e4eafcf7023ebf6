"""The certificates of libp2p (libp2p specs, "tls/tls.md", "Peer Authentication"): made, and verified as the peer's.

A certificate proves nothing by who issued it: it is self-signed, and its one claim is the extension in which the
identity key signs the certificate's key. TLS then proves that the peer holds that.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from zwerm.core.errors import WireError
from zwerm.core.random import Random
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.libp2p.tls.signed_key import OID, SignedKey

MAX_CERTIFICATE: Final = 32_768  # bytes

_OID: Final = x509.ObjectIdentifier(OID)
_P256_ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
_BACKDATED: Final = dt.timedelta(hours=1)  # for peers whose clock is behind
_LIFETIME: Final = dt.timedelta(days=36_500)
_INVALID: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_UNDERSTOOD: Final = (  # what a certificate may say critically; none of it changes what we ask of it
    x509.BasicConstraints,
    x509.KeyUsage,
    x509.ExtendedKeyUsage,
    x509.SubjectAlternativeName,
)


def generate(key: PrivateKey, random: Random, wall_time: float) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Make a certificate for the identity `key`, and the P-256 key that it is for.

    `wall_time` is seconds since 1970. Signatures draw randomness of OpenSSL's own.
    """
    secret = int.from_bytes(random.randbytes(48), "big") % (_P256_ORDER - 1) + 1
    private = ec.derive_private_key(secret, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, str(random.getrandbits(63)))])
    now = dt.datetime.fromtimestamp(wall_time, dt.UTC)
    signed_key = SignedKey.sign(key, _key_info(private.public_key()))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(random.getrandbits(63) + 1)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.UnrecognizedExtension(_OID, signed_key.serialize()), critical=False)
        .sign(private, hashes.SHA256())
    )
    return private, certificate


def verify_untrusted(data: bytes, wall_time: float) -> PublicKey:
    """Return the identity key that a peer's certificate proves, once TLS has proved that the peer holds its key.

    Args:
        data: the certificate in DER.
        wall_time: seconds since 1970.

    Raises:
        WireError: it is no certificate, not self-signed, not valid now, without the extension or with one that is
            critical and not understood, or not signed by the identity key.
    """
    if len(data) > MAX_CERTIFICATE:
        raise WireError(f"certificate of {len(data)} bytes, the limit is {MAX_CERTIFICATE}")
    try:
        certificate = x509.load_der_x509_certificate(data)
        key_info = _key_info(certificate.public_key())
        _check_dates_untrusted(certificate, dt.datetime.fromtimestamp(wall_time, dt.UTC))
        signed_key = _find_signed_key_untrusted(certificate)
        _check_signature_untrusted(certificate)
    except WireError:
        raise
    except InvalidSignature:
        raise WireError("certificate that is not signed with its own key") from None
    except _INVALID as error:
        raise WireError(f"certificate that cannot be read: {error}") from None
    return signed_key.verified_key_untrusted(key_info)


def _check_dates_untrusted(certificate: x509.Certificate, now: dt.datetime) -> None:
    if now < certificate.not_valid_before_utc:
        raise WireError(f"certificate that is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M}")
    if now > certificate.not_valid_after_utc:
        raise WireError(f"certificate that was valid until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M}")


def _find_signed_key_untrusted(certificate: x509.Certificate) -> SignedKey:
    signed_key = None
    for extension in certificate.extensions:
        if extension.oid == _OID:
            signed_key = SignedKey.parse(extension.value.public_bytes())
        elif extension.critical and not isinstance(extension.value, _UNDERSTOOD):
            raise WireError(f"certificate with the critical extension {extension.oid.dotted_string}, which is unknown")
    if signed_key is None:
        raise WireError("certificate without the libp2p extension")
    return signed_key


def _check_signature_untrusted(certificate: x509.Certificate) -> None:
    key, signature, signed = certificate.public_key(), certificate.signature, certificate.tbs_certificate_bytes
    algorithm = certificate.signature_hash_algorithm
    match key:
        case ed25519.Ed25519PublicKey():
            key.verify(signature, signed)
        case ec.EllipticCurvePublicKey() if algorithm is not None:
            key.verify(signature, signed, ec.ECDSA(algorithm))
        case rsa.RSAPublicKey() if algorithm is not None:
            how = certificate.signature_algorithm_parameters
            if not isinstance(how, padding.PKCS1v15 | padding.PSS):
                raise WireError("certificate with an RSA signature of an unknown form")
            key.verify(signature, signed, how, algorithm)
        case _:
            raise WireError(f"certificate for a key of type {type(key).__name__}, expected ECDSA, Ed25519 or RSA")


def _key_info(key: object) -> bytes:
    public_bytes = getattr(key, "public_bytes", None)
    if public_bytes is None:
        raise WireError(f"certificate for a key of type {type(key).__name__}")
    return bytes(public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
