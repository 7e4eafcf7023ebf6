"""A fingerprint is refused with WireError, or reads the same when written again."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.fingerprint import Fingerprint

SEEDS = [
    b"sha-1 " + b":".join([b"4A"] * 20),
    b"sha-256 " + b":".join([b"ab"] * 32),
    b"md5 " + b":".join([b"00"] * 16),
    b"sha-3 00",
]


def fuzz(data: bytes) -> None:
    try:
        fingerprint = Fingerprint.from_text(text(data))
    except WireError:
        return
    assert Fingerprint.from_text(str(fingerprint)) == fingerprint
