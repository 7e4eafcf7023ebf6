"""RTCCertificate (WebRTC 1.0 section 4.9), and how one is made."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from zwerm.webrtc.dtls.certificate import DEFAULT_LIFETIME, MAX_LIFETIME, Certificate, KeyAlgorithm
from zwerm.webrtc.dtls.fingerprint import HashFunction
from zwerm.webrtc.w3c.errors import NotSupportedError, RTCTypeError

AlgorithmIdentifier: TypeAlias = str | Mapping[str, Any]  # of the Web Cryptography API, and our `expires` with it

_EXPONENT: Final = 65_537
_FINGERPRINTS: Final = (HashFunction.SHA_256, HashFunction.SHA_384, HashFunction.SHA_512)


@dataclasses.dataclass(frozen=True)
class RTCDtlsFingerprint:
    """A hash over a certificate, as `a=fingerprint` has it."""

    algorithm: str
    value: str  # lower-case hex with colons


class RTCCertificate:
    """A certificate that connections prove who they are with; `generate_certificate` makes one."""

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate

    @property
    def expires(self) -> int:
        """Milliseconds since 1970; no connection is made with it afterwards."""
        return int(self._certificate.expires.timestamp() * 1_000)

    def getFingerprints(self) -> list[RTCDtlsFingerprint]:  # noqa: N802 - the W3C's names
        return [
            RTCDtlsFingerprint(function.value, self._certificate.fingerprint(function).digest.hex(":"))
            for function in _FINGERPRINTS
        ]

    @property
    def certificate(self) -> Certificate:
        """What DTLS takes."""
        return self._certificate

    def has_expired(self, now: dt.datetime) -> bool:
        return self._certificate.expires < now


async def generate_certificate(keygenAlgorithm: AlgorithmIdentifier) -> RTCCertificate:  # noqa: N803
    """Make a certificate with a key of its own. An RSA key takes a tenth of a second, in a thread.

    Args:
        keygenAlgorithm: `{"name": "ECDSA", "namedCurve": "P-256"}`, or `{"name": "RSASSA-PKCS1-v1_5",
            "modulusLength": 2048, "publicExponent": bytes([1, 0, 1]), "hash": "SHA-256"}`; with `expires`,
            milliseconds from now, it is valid for so long, a year at most.

    Raises:
        RTCTypeError: a member is missing, or not of its type.
        NotSupportedError: another algorithm, curve, size, exponent or hash.
    """
    members: Mapping[str, Any] = {"name": keygenAlgorithm} if isinstance(keygenAlgorithm, str) else keygenAlgorithm
    algorithm, lifetime = _algorithm(members), _lifetime(members)
    now = dt.datetime.now(dt.UTC)
    return RTCCertificate(await asyncio.to_thread(Certificate.generate, algorithm, now=now, lifetime=lifetime))


def _algorithm(members: Mapping[str, Any]) -> KeyAlgorithm:
    name = _member(members, "name", str)
    if name.upper() == "ECDSA":
        _expect(name, "namedCurve", _member(members, "namedCurve", str), "P-256")
        return KeyAlgorithm.ECDSA_P256
    if name.upper() == "RSASSA-PKCS1-V1_5":
        _expect(name, "modulusLength", _member(members, "modulusLength", int), 2_048)
        exponent = _member(members, "publicExponent", (bytes, bytearray, memoryview, list))
        _expect(name, "publicExponent", int.from_bytes(bytes(exponent), "big"), _EXPONENT)
        hashing = members.get("hash")
        hash_name = _member(hashing, "name", str) if isinstance(hashing, Mapping) else _member(members, "hash", str)
        _expect(name, "hash", hash_name.upper(), "SHA-256")
        return KeyAlgorithm.RSA_2048
    raise NotSupportedError(f"a certificate by {name!r}, expected ECDSA or RSASSA-PKCS1-v1_5")


def _lifetime(members: Mapping[str, Any]) -> dt.timedelta:
    if "expires" not in members:
        return DEFAULT_LIFETIME
    milliseconds = _member(members, "expires", (int, float))
    if milliseconds <= 0:
        raise RTCTypeError(f"a certificate that expires after {milliseconds} ms, expected more than 0")
    return min(dt.timedelta(milliseconds=min(milliseconds, MAX_LIFETIME.total_seconds() * 1_000)), MAX_LIFETIME)


def _member(members: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    value = members.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise RTCTypeError(f"{name} of the algorithm is {value!r}")
    return value


def _expect(algorithm: str, name: str, value: object, expected: object) -> None:
    if value != expected:
        raise NotSupportedError(f"{algorithm} with {name} {value}, expected {expected}")
