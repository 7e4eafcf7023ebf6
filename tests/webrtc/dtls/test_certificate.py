"""Certificates that nobody signs: WebRTC 1.0 section 4.9 and RFC 8827 section 6.5."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.webrtc.dtls.peers import CLIENT_CERTIFICATE, NOW, RSA_CERTIFICATE, STRANGER_CERTIFICATE
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.dtls.certificate import MAX_LIFETIME, Certificate
from zwerm.webrtc.dtls.fingerprint import HashFunction, match


def test_the_default_is_ecdsa_on_p256_for_30_days() -> None:
    key = CLIENT_CERTIFICATE.x509.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert CLIENT_CERTIFICATE.expires == NOW + dt.timedelta(days=30)
    assert CLIENT_CERTIFICATE.x509.not_valid_before_utc == NOW - dt.timedelta(days=1)


def test_rsa_has_2048_bits() -> None:
    key = RSA_CERTIFICATE.x509.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, key.public_numbers().e) == (2048, 65_537)


def test_two_certificates_have_nothing_in_common() -> None:
    first, second = CLIENT_CERTIFICATE.x509, STRANGER_CERTIFICATE.x509
    assert first.serial_number != second.serial_number
    assert CLIENT_CERTIFICATE.fingerprint() != STRANGER_CERTIFICATE.fingerprint()


def test_it_names_nobody() -> None:
    assert CLIENT_CERTIFICATE.x509.subject.rfc4514_string() == "CN=WebRTC"


def test_a_lifetime_above_a_year_is_cut() -> None:
    certificate = Certificate.generate(now=NOW, lifetime=dt.timedelta(days=10_000))
    assert certificate.expires == NOW + MAX_LIFETIME


@pytest.mark.parametrize(
    ("now", "lifetime"),
    [(NOW, dt.timedelta(0)), (NOW, dt.timedelta(days=-1)), (NOW.replace(tzinfo=None), dt.timedelta(days=1))],
    ids=["no time", "a negative time", "a clock without zone"],
)
def test_what_is_no_lifetime_is_refused(now: dt.datetime, lifetime: dt.timedelta) -> None:
    with pytest.raises(LocalProtocolError):
        Certificate.generate(now=now, lifetime=lifetime)


@pytest.mark.parametrize("certificate", [CLIENT_CERTIFICATE, RSA_CERTIFICATE], ids=["ecdsa", "rsa"])
def test_pem_and_back(certificate: Certificate) -> None:
    again = Certificate.from_pem(certificate.to_pem())
    assert again.der == certificate.der
    assert again.key.private_numbers() == certificate.key.private_numbers()
    assert match([certificate.fingerprint(HashFunction.SHA_384)], again.der)


def test_pem_of_something_else_is_refused() -> None:
    pem = CLIENT_CERTIFICATE.to_pem()
    start_of_key = pem.index(b"-----BEGIN PRIVATE")
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    foreign = STRANGER_CERTIFICATE.to_pem()
    for wrong in (b"", pem[:start_of_key], pem[start_of_key:], pem[:start_of_key] + edwards):
        with pytest.raises(WireError):
            Certificate.from_pem(wrong)
    with pytest.raises(WireError, match="does not belong"):
        Certificate.from_pem(pem[:start_of_key] + foreign[foreign.index(b"-----BEGIN PRIVATE") :])
