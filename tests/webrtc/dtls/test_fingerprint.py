"""RFC 8122 section 5: how fingerprints are written, and which one a certificate has to match."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.dtls.fingerprint import MAX_FINGERPRINTS, Fingerprint, HashFunction, match

DER = b"a certificate"
STRONG = [HashFunction.SHA_512, HashFunction.SHA_384, HashFunction.SHA_256, HashFunction.SHA_224, HashFunction.SHA_1]
WRONG = Fingerprint(HashFunction.SHA_256, bytes(32))


@pytest.mark.parametrize("function", STRONG, ids=lambda function: function.value)
def test_every_function_is_written_and_read(function: HashFunction) -> None:
    fingerprint = Fingerprint.of(DER, function)
    digest = hashlib.new(function.value.replace("-", ""), DER).hexdigest().upper()
    assert str(fingerprint) == f"{function.value} " + ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
    assert Fingerprint.from_text(str(fingerprint)) == fingerprint
    assert match([fingerprint], DER) == fingerprint
    assert match([fingerprint], DER + b"!") is None


def test_case_does_not_matter() -> None:
    text = str(Fingerprint.of(DER))
    assert Fingerprint.from_text(text.lower()) == Fingerprint.from_text(text.upper()) == Fingerprint.of(DER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha-256",
        "sha-256 ",
        "sha-256 AB",
        "sha-256 " + "AB:" * 31,
        "sha-256  " + ":".join(["AB"] * 32),
        "sha-256 " + ":".join(["AB"] * 33),
        "sha-256 " + "AB" * 32,
        "sha-256 " + ":".join(["AG"] * 32),
        "sha-3 " + ":".join(["AB"] * 32),
        "sha-256 " + ":".join(["AB"] * 32) + "\n",
        "sha-256 " + ":".join(["AB"] * 10_000),
    ],
    ids=range(12),
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        Fingerprint.from_text(text)


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        fingerprint = Fingerprint.from_text(text)
    except WireError:
        return
    assert Fingerprint.from_text(str(fingerprint)) == fingerprint


@pytest.mark.parametrize("function", [HashFunction.MD5, HashFunction.MD2], ids=lambda function: function.value)
def test_forbidden_functions_are_read_and_match_nothing(function: HashFunction) -> None:
    fingerprint = Fingerprint.from_text(f"{function.value} " + ":".join(["AB"] * 16))
    assert match([fingerprint], DER) is None
    assert match([fingerprint, Fingerprint.of(DER)], DER) == Fingerprint.of(DER)
    with pytest.raises(LocalProtocolError):
        Fingerprint.of(DER, function)


def test_md5_of_the_certificate_itself_does_not_match() -> None:
    assert match([Fingerprint(HashFunction.MD5, hashlib.md5(DER).digest())], DER) is None


def test_the_strongest_function_decides() -> None:
    weak = Fingerprint.of(DER, HashFunction.SHA_1)
    assert match([weak, WRONG], DER) is None
    assert match([WRONG, Fingerprint.of(DER, HashFunction.SHA_512)], DER) is not None


def test_one_of_several_certificates_may_match() -> None:
    assert match([WRONG, Fingerprint.of(DER)], DER) == Fingerprint.of(DER)


def test_no_fingerprint_matches_nothing() -> None:
    assert match([], DER) is None


def test_only_so_many_fingerprints_are_looked_at() -> None:
    assert match([WRONG] * MAX_FINGERPRINTS + [Fingerprint.of(DER)], DER) is None
    assert match([WRONG] * (MAX_FINGERPRINTS - 1) + [Fingerprint.of(DER)], DER) is not None
