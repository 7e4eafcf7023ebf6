"""multiformats/multibase: the specification's vectors in every base, and one text for one value."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.multiformats.multibase import BASES, MAX_NUMBER, MAX_NUMBER_TEXT, decode, encode

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "multibase.json").read_text())
CANONICAL = [
    (bytes.fromhex(group["hex"]), base, text)
    for name, group in VECTORS.items()
    if name != "case_insensitivity"
    for base, text in group["texts"].items()
]
ONE_CASE = [name for name in BASES if name.startswith(("base16", "base32", "base36")) and name != "base32z"]


@pytest.mark.parametrize(("data", "base", "text"), CANONICAL)
def test_vectors_of_the_specification(data: bytes, base: str, text: str) -> None:
    assert encode(data, base) == text
    assert decode(text) == data


@pytest.mark.parametrize(("base", "text"), VECTORS["case_insensitivity"]["texts"].items())
def test_where_letters_have_one_case_the_other_is_read_too(base: str, text: str) -> None:
    assert decode(text) == bytes.fromhex(VECTORS["case_insensitivity"]["hex"])


def test_every_base_of_the_vectors_is_here() -> None:
    assert set(BASES) == set(VECTORS["basic"]["texts"])


@pytest.mark.parametrize(("data", "base", "text"), CANONICAL)
def test_text_cut_short_is_refused_or_is_the_text_of_less(data: bytes, base: str, text: str) -> None:
    for size in range(len(text)):
        try:
            value = decode(text[:size])
        except WireError:
            continue
        assert encode(value, base) == text[:size]
        assert value != data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",  # no such prefix
        "\0abc",  # identity: bytes are not text
        "baf",  # the last bit is not zero
        "ba",  # no whole byte
        "bae=",  # padding where there is none
        "bae\n",
        "bae ",
        "b é",
        "b1",  # not in the alphabet
        "f0",  # half a byte
        "fgg",
        "z0",
        "zl",
        "zO",
        "zI",
        "mQQ==",
        "MQQ",  # padding missing
        "MQQ==QQ==",  # one text behind another
        "cae======ae======",
        "MQR==",  # bits left over
        "uab+/",  # the other base64
        "mab-_",
        "k\u212a",  # the Kelvin sign, whose lower case is k
        "b\ud800",
        "9a",
        "02",
        "78",
    ],
)  # fmt: skip
def test_text_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        decode(text)


def test_an_unknown_base_is_our_mistake_and_the_message_lists_the_bases() -> None:
    with pytest.raises(LocalProtocolError, match="base58btc"):
        encode(b"", "base59")


@pytest.mark.parametrize("base", [name for name, row in BASES.items() if row.is_number])
def test_bases_that_are_one_number_are_bounded(base: str) -> None:
    data = b"\xff" * MAX_NUMBER
    text = encode(data, base)
    assert len(text) <= MAX_NUMBER_TEXT
    assert decode(text) == data
    with pytest.raises(ResourceLimitError):
        encode(data + b"\xff", base)
    with pytest.raises(WireError, match=str(MAX_NUMBER_TEXT)):
        decode(BASES[base].prefix + "1" * MAX_NUMBER_TEXT)


@pytest.mark.parametrize("base", ["base16", "base32", "base64", "base64url", "base2", "base32hexpad"])
def test_bases_of_bits_take_any_length(base: str) -> None:
    data = bytes(range(256)) * 256
    assert decode(encode(data, base)) == data


@given(st.binary(max_size=100))
def test_pythons_own_codecs_agree(data: bytes) -> None:
    assert encode(data, "base16") == "f" + data.hex()
    assert encode(data, "base32upper") == "B" + base64.b32encode(data).decode().rstrip("=")
    assert encode(data, "base32hexpadupper") == "T" + base64.b32hexencode(data).decode()
    assert encode(data, "base64") == "m" + base64.b64encode(data).decode().rstrip("=")
    assert encode(data, "base64urlpad") == "U" + base64.urlsafe_b64encode(data).decode()
    number = int.from_bytes(b"\1" + data, "big")
    assert int(encode(b"\1" + data, "base36")[1:], 36) == number
    assert int(encode(b"\1" + data, "base10")[1:]) == number


@given(st.sampled_from(sorted(BASES)), st.binary(max_size=200))
def test_every_base_gives_back_what_it_took(base: str, data: bytes) -> None:
    text = encode(data, base)
    assert text.startswith(BASES[base].prefix)
    assert decode(text) == data


@given(st.sampled_from(ONE_CASE), st.binary(max_size=64))
def test_text_in_the_other_case_is_the_same_value(base: str, data: bytes) -> None:
    prefix, text = BASES[base].prefix, encode(data, base)[1:]
    assert decode(prefix + text.swapcase()) == data


@given(
    st.sampled_from([(name, row.prefix) for name, row in BASES.items()]),
    st.text("0123456789abcdefABCDEFzZ-_+/=AQgw", max_size=16) | st.text(max_size=8),
)
def test_untrusted_text_is_the_one_text_of_its_value_or_refused(base: tuple[str, str], text: str) -> None:
    name, prefix = base
    try:
        data = decode(prefix + text)
    except WireError:
        return
    again = encode(data, name)
    assert again == prefix + text or (name in ONE_CASE and again[1:].lower() == text.lower())
