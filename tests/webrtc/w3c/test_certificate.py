"""WebRTC 1.0 section 4.9: certificates that connections are made with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from zwerm.webrtc import NotSupportedError, RTCPeerConnection, RTCTypeError

ECDSA = {"name": "ECDSA", "namedCurve": "P-256"}
RSA = {"name": "RSASSA-PKCS1-v1_5", "modulusLength": 2048, "publicExponent": bytes([1, 0, 1]), "hash": "SHA-256"}
DAY_MS = 86_400_000


async def lifetime(**members: Any) -> float:
    """For how long a certificate is valid, in milliseconds."""
    before = dt.datetime.now(dt.UTC).timestamp() * 1_000
    return (await RTCPeerConnection.generateCertificate(ECDSA | members)).expires - before


async def test_both_algorithms_of_the_specification_make_a_certificate() -> None:
    first = await RTCPeerConnection.generateCertificate(ECDSA)
    assert isinstance(first.certificate.key, ec.EllipticCurvePrivateKey)
    second = await RTCPeerConnection.generateCertificate(RSA | {"hash": {"name": "sha-256"}})
    assert isinstance(second.certificate.key, rsa.RSAPrivateKey)
    assert second.certificate.key.key_size == 2_048


async def test_fingerprints_are_lower_case_hex_with_colons_and_differ_from_certificate_to_certificate() -> None:
    first, second = [await RTCPeerConnection.generateCertificate(ECDSA) for _ in range(2)]
    sizes = {one.algorithm: len(one.value) for one in first.getFingerprints()}
    assert sizes == {"sha-256": 95, "sha-384": 143, "sha-512": 191}
    value = first.getFingerprints()[0].value
    assert value == str(first.certificate.fingerprint()).removeprefix("sha-256 ").lower()
    assert value != second.getFingerprints()[0].value


async def test_a_certificate_lasts_thirty_days_or_as_long_as_was_asked_for_up_to_a_year() -> None:
    assert await lifetime() == pytest.approx(30 * DAY_MS, abs=60_000)
    assert await lifetime(expires=DAY_MS) == pytest.approx(DAY_MS, abs=60_000)
    assert await lifetime(expires=1e300) == pytest.approx(365 * DAY_MS, abs=60_000)


async def test_one_that_is_over_says_so() -> None:
    certificate = await RTCPeerConnection.generateCertificate(ECDSA)
    now = dt.datetime.now(dt.UTC)
    assert not certificate.has_expired(now)
    assert certificate.has_expired(now + dt.timedelta(days=31))


@pytest.mark.parametrize(
    "algorithm",
    [
        "invalid-algorithm",
        {"name": "RSA-PSS"},
        ECDSA | {"namedCurve": "P-521"},
        RSA | {"modulusLength": 1024},
        RSA | {"publicExponent": bytes([3])},
        RSA | {"hash": "SHA-1"},
    ],
    ids=["unknown", "RSA-PSS", "P-521", "RSA of 1024 bits", "exponent 3", "SHA-1"],
)
async def test_what_is_not_supported_is_said_to_be_so(algorithm: str | Mapping[str, Any]) -> None:
    with pytest.raises(NotSupportedError, match="expected"):
        await RTCPeerConnection.generateCertificate(algorithm)


WRONG = {
    "no curve": "ECDSA",
    "no name": {},
    "a name of 5": {"name": 5},
    "no curve either": {"name": "ECDSA"},
    "a size as text": RSA | {"modulusLength": "2048"},
    "no hash": RSA | {"hash": None},
    "expires as text": ECDSA | {"expires": "soon"},
    "expires at once": ECDSA | {"expires": 0},
    "expired before": ECDSA | {"expires": -1},
    "expires as truth": ECDSA | {"expires": True},
}


@pytest.mark.parametrize("algorithm", WRONG.values(), ids=WRONG.keys())
async def test_a_member_that_is_missing_or_of_another_type_is_a_type_error(algorithm: str | Mapping[str, Any]) -> None:
    with pytest.raises(RTCTypeError):
        await RTCPeerConnection.generateCertificate(algorithm)
