"""RFC 8291: the example of section 5, and what another implementation decrypts."""

from __future__ import annotations

import os

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from zwerm.calls.identity import decode, encode
from zwerm.calls.push.encryption import MAX_MESSAGE, encrypt, public_bytes
from zwerm.core.errors import LocalProtocolError, WireError

# RFC 8291 section 5
MESSAGE = b"When I grow up, I want to be a watermelon"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), ec.SECP256R1())


def test_the_example_of_the_rfc() -> None:
    assert encode(encrypt(MESSAGE, BROWSER, AUTH, key=private(SENDER), salt=decode(SALT))) == BODY


@pytest.mark.parametrize("size", [0, 1, 100, MAX_MESSAGE])
def test_another_implementation_decrypts_it(size: int) -> None:
    browser, auth, message = ec.generate_private_key(ec.SECP256R1()), os.urandom(16), os.urandom(size)
    key = ec.generate_private_key(ec.SECP256R1())
    body = encrypt(message, encode(public_bytes(browser)), encode(auth), key=key, salt=os.urandom(16))
    assert http_ece.decrypt(body, private_key=browser, auth_secret=auth, version="aes128gcm") == message
    assert len(body) <= 4096


def test_what_cannot_be_is_refused() -> None:
    key, salt = private(SENDER), decode(SALT)
    with pytest.raises(LocalProtocolError):
        encrypt(b"x" * (MAX_MESSAGE + 1), BROWSER, AUTH, key=key, salt=salt)
    with pytest.raises(LocalProtocolError):
        encrypt(MESSAGE, BROWSER, AUTH, key=key, salt=b"short")
    for p256dh, auth in ((BROWSER[:-2] + "xx", AUTH), ("A" * 87, AUTH), (BROWSER, "AAAA"), ("?", AUTH)):
        with pytest.raises(WireError):
            encrypt(MESSAGE, p256dh, auth, key=key, salt=salt)
