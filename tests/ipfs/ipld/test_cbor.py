"""Plain CBOR: every form that RFC 8949 has for a value of the data model is read, one is written."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.values import documents, floats, integers, texts
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import cbor
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH, MAX_ENTRIES
from zwerm.multiformats.cid import CID

plain = documents(st.none() | st.booleans() | integers | floats | texts | st.binary(max_size=60))


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ("1817", 23),
        ("f90000", 0.0),
        ("fa3fc00000", 1.5),
        ("a2616201616102", {"b": 1, "a": 2}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("5fff", b""),
        ("7f657374726561646d696e67ff", "streaming"),
        ("7fff", ""),
        ("9fff", []),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bfff", {}),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("bf7f6146616eff01ff", {"Fn": 1}),
        ("9f5f41ffff20ff", [b"\xff", -1]),
    ],
)
def test_all_forms_are_read(wire: str, value: object) -> None:
    data = bytes.fromhex(wire)
    assert cbor.decode(data) == value
    for size in range(len(data)):
        with pytest.raises(WireError):
            cbor.decode(data[:size])


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("d82a450001550000", id="a link"),
        pytest.param("c001", id="a tag"),
        pytest.param("f7", id="undefined"),
        pytest.param("f97e00", id="NaN"),
        pytest.param("ff", id="a break"),
        pytest.param("1f", id="an indefinite integer"),
        pytest.param("3f", id="an indefinite negative integer"),
        pytest.param("df", id="an indefinite tag"),
        pytest.param("5f6161ff", id="a chunk of text in bytes"),
        pytest.param("7f4161ff", id="a chunk of bytes in text"),
        pytest.param("5f5f4101ffff", id="an indefinite chunk"),
        pytest.param("7f61c361bcff", id="a character over two chunks"),
        pytest.param("bf6161ff", id="a key without a value"),
        pytest.param("bf61610161 6102ff", id="a key twice"),
        pytest.param("a2616101616102", id="a key twice in a definite map"),
        pytest.param("bf0101ff", id="a key that is an integer"),
        pytest.param("bf5f4101ff01ff", id="an indefinite key of bytes"),
        pytest.param("9f01", id="no break"),
    ],
)
def test_what_the_data_model_does_not_have_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        cbor.decode(bytes.fromhex(wire))


def test_nesting_and_containers_are_limited_in_indefinite_lengths_too() -> None:
    assert cbor.decode(b"\x9f" * MAX_DEPTH + b"\xff" * MAX_DEPTH) != []
    with pytest.raises(WireError):
        cbor.decode(b"\x9f" * (MAX_DEPTH + 1) + b"\xff" * (MAX_DEPTH + 1))
    with pytest.raises(WireError):
        cbor.decode(b"\xbf\x60" * (MAX_DEPTH + 1) + b"\0" + b"\xff" * (MAX_DEPTH + 1))
    with pytest.raises(WireError):
        cbor.decode(b"\x9f" + b"\x80" * MAX_ENTRIES + b"\xff")


@given(plain)
def test_a_value_survives_a_round_trip(value: object) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(plain, st.booleans())
def test_what_another_implementation_writes_is_read(value: object, indefinite: bool) -> None:
    assert cbor.decode(cbor2.dumps(value, canonical=True)) == value
    assert cbor.decode(cbor2.dumps(value, indefinite_containers=indefinite)) == value


@given(st.lists(st.sampled_from([b"\x9f", b"\xbf", b"\x5f", b"\x7f", b"\xff", b"\x61a"]) | st.binary(max_size=3)))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    try:
        value = cbor.decode(data)
    except WireError:
        return
    assert cbor.decode(cbor.encode(value)) == value


def test_a_link_has_no_place_in_plain_cbor() -> None:
    with pytest.raises(LocalProtocolError):
        cbor.encode({"a": CID.of(b"")})
    assert cbor.links(b"\xa0") == []
