"""Signatures of devices: for one service, one moment, one call; and never a crash on what a stranger sent."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from zwerm.calls.identity import check_key, decode, encode, fingerprint_statement, greeting, verify
from zwerm.calls.push.encryption import public_bytes
from zwerm.core.errors import WireError

KEY = ec.derive_private_key(7, ec.SECP256R1())
PUBLIC = encode(public_bytes(KEY))


def sign(data: bytes) -> str:
    r, s = decode_dss_signature(KEY.sign(data, ec.ECDSA(SHA256())))
    return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_a_greeting_is_for_one_service_one_nonce_and_one_device() -> None:
    signature = sign(greeting("Calls.example:443", "n1", "d1"))
    assert verify(PUBLIC, signature, greeting("calls.example:443", "n1", "d1"))
    for other in (("evil.example", "n1", "d1"), ("calls.example:443", "n2", "d1"), ("calls.example:443", "n1", "d2")):
        assert not verify(PUBLIC, signature, greeting(*other))


def test_a_statement_holds_for_one_call_one_direction_and_these_certificates() -> None:
    statement = fingerprint_statement("c1", "a", "b", ["sha-256 AA", "sha-256 BB"])
    assert statement == fingerprint_statement("c1", "a", "b", ["sha-256 bb", "sha-256 aa"])
    for other in (("c2", "a", "b", ["sha-256 AA"]), ("c1", "b", "a", ["sha-256 AA"]), ("c1", "a", "b", ["sha-256 AC"])):
        assert statement != fingerprint_statement(*other)


@given(st.text(max_size=90), st.text(max_size=90), st.binary(max_size=20))
def test_nothing_a_stranger_sends_is_right_or_breaks_anything(key: str, signature: str, data: bytes) -> None:
    assert not verify(key, signature, data)
    assert not verify(PUBLIC, signature, data)


def test_a_key_is_a_point_of_the_curve() -> None:
    check_key(PUBLIC)
    for wrong in (encode(b"\x04" + bytes(64)), "A" * 87, "?"):
        with pytest.raises(WireError):
            check_key(wrong)


def test_base64url_has_no_second_way_to_be_written() -> None:
    assert decode(encode(b"\xff\xfe\xfd")) == b"\xff\xfe\xfd"
    with pytest.raises(ValueError, match="base64"):
        decode("a b")
