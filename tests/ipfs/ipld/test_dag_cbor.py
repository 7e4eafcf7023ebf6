"""dag-cbor against the rules of ipld.io/specs/codecs/dag-cbor/spec, "Strictness"."""

from __future__ import annotations

import math

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipld.values import documents, links_in
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.cbor_reader import MAX_DEPTH, MAX_ENTRIES
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

LEAF = CID.parse(bytes.fromhex("01550000"))
LINK = "d82a" + "4500" + "01550000"
ACORN = CID.of(b"acorn")

VECTORS = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (255, "18ff"),
    (256, "190100"),
    (65_535, "19ffff"),
    (65_536, "1a00010000"),
    (2**32 - 1, "1affffffff"),
    (2**32, "1b0000000100000000"),
    (2**63 - 1, "1b7fffffffffffffff"),
    (2**63, "1b8000000000000000"),
    (2**64 - 1, "1bffffffffffffffff"),
    (-1, "20"),
    (-24, "37"),
    (-25, "3818"),
    (-(2**63), "3b7fffffffffffffff"),
    (-(2**63) - 1, "3b8000000000000000"),
    (-(2**64), "3bffffffffffffffff"),
    (0.0, "fb0000000000000000"),
    (-0.5, "fbbfe0000000000000"),
    (1e300, "fb7e37e43c8800759c"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\1\2", "420102"),
    (b"x" * 24, "5818" + "78" * 24),
    ("", "60"),
    ("a", "6161"),
    ("ü水", "65c3bce6b0b4"),
    ("\U00010151", "64f0908591"),
    ("x" * 256, "790100" + "78" * 256),
    ([], "80"),
    ([1, [2, "a"]], "8201820261" + "61"),
    ([0] * 24, "9818" + "00" * 24),
    ({}, "a0"),
    ({"a": 1}, "a1616101"),
    ({"b": 1, "aa": 2, "": 3}, "a3" + "6003" + "616201" + "6261" + "6102"),
    ({"é": 1, "z": 2, "zz": 3}, "a3" + "617a02" + "627a7a03" + "62c3a901"),
    (LEAF, LINK),
    ({"link": ACORN}, "a1" + "646c696e6b" + "d82a5825" + "00" + bytes(ACORN).hex()),
]


@pytest.mark.parametrize(("value", "wire"), VECTORS)
def test_vectors(value: object, wire: str) -> None:
    data = bytes.fromhex(wire)
    assert dag_cbor.encode(value) == data
    decoded = dag_cbor.decode(data)
    assert decoded == value
    assert type(decoded) is type(value)
    assert dag_cbor.decode(data, strict=False) == value


@pytest.mark.parametrize("wire", [wire for _, wire in VECTORS])
def test_vectors_cut_short_at_each_length_are_refused(wire: str) -> None:
    data = bytes.fromhex(wire)
    for size in range(len(data)):
        for strict in (True, False):
            with pytest.raises(WireError):
                dag_cbor.decode(data[:size], strict=strict)
        with pytest.raises(WireError):
            dag_cbor.links(data[:size])


@pytest.mark.parametrize("wire", [wire for _, wire in VECTORS])
def test_bytes_after_the_value_are_refused(wire: str) -> None:
    data = bytes.fromhex(wire) + b"\0"
    with pytest.raises(WireError):
        dag_cbor.decode(data)
    with pytest.raises(WireError):
        dag_cbor.links(data)


FORMS_OF_OLD_WRITERS = [
    pytest.param("1817", 23, id="an integer in two bytes for one"),
    pytest.param("1900ff", 255, id="an integer in three bytes for two"),
    pytest.param("1a0000ffff", 65_535, id="an integer in five bytes for three"),
    pytest.param("1b00000000ffffffff", 2**32 - 1, id="an integer in nine bytes for five"),
    pytest.param("3817", -24, id="a negative integer in two bytes for one"),
    pytest.param("580101", b"\1", id="a length of bytes"),
    pytest.param("780161", "a", id="a length of text"),
    pytest.param("59000101", b"\1", id="a length of bytes in three bytes"),
    pytest.param("980101", [1], id="a length of a list"),
    pytest.param("b801616101", {"a": 1}, id="a length of a map"),
    pytest.param("a178016101", {"a": 1}, id="a length of a key"),
    pytest.param("d9002a" + "4500" + "01550000", LEAF, id="a tag in three bytes for two"),
    pytest.param("d82a" + "580500" + "01550000", LEAF, id="a length of a link"),
    pytest.param("a2616201616102", {"b": 1, "a": 2}, id="keys out of order"),
    pytest.param("a262616101616202", {"aa": 1, "b": 2}, id="keys ordered as text, not by length"),
    pytest.param("f93c00", 1.0, id="a float of 16 bits"),
    pytest.param("fa3fc00000", 1.5, id="a float of 32 bits"),
]


@pytest.mark.parametrize(("wire", "value"), FORMS_OF_OLD_WRITERS)
def test_forms_of_old_writers_are_refused_unless_asked_for(wire: str, value: object) -> None:
    data = bytes.fromhex(wire)
    with pytest.raises(WireError):
        dag_cbor.decode(data)
    assert dag_cbor.decode(data, strict=False) == value
    assert dag_cbor.links(data) == ([value] if isinstance(value, CID) else [])


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("", id="nothing"),
        pytest.param("1c", id="reserved low bits"),
        pytest.param("1f", id="an indefinite integer"),
        pytest.param("5f4101ff", id="indefinite bytes"),
        pytest.param("7f6161ff", id="indefinite text"),
        pytest.param("9f01ff", id="an indefinite list"),
        pytest.param("bf616101ff", id="an indefinite map"),
        pytest.param("ff", id="a break"),
        pytest.param("f7", id="undefined"),
        pytest.param("f0", id="an unassigned simple value"),
        pytest.param("f818", id="a simple value in two bytes"),
        pytest.param("f97e00", id="a NaN of 16 bits"),
        pytest.param("f97c00", id="infinity in 16 bits"),
        pytest.param("fa7f800000", id="infinity in 32 bits"),
        pytest.param("fb7ff0000000000000", id="infinity"),
        pytest.param("fbfff0000000000000", id="negative infinity"),
        pytest.param("fb7ff8000000000000", id="NaN"),
        pytest.param("fb7ff0000000000001", id="a signalling NaN"),
        pytest.param("c001", id="tag 0, a date"),
        pytest.param("c249010000000000000000", id="tag 2, a big number"),
        pytest.param("d8184101", id="tag 24"),
        pytest.param("d9d9f700", id="tag 55799, self-described CBOR"),
        pytest.param("d82a00", id="a link that is an integer"),
        pytest.param("d82a40", id="a link of nothing"),
        pytest.param("d82a4100", id="a link without a CID"),
        pytest.param("d82a45" + "0101550000", id="a link with another first byte"),
        pytest.param("d82a44" + "01550000", id="a link without the zero byte"),
        pytest.param("d82a46" + "00" + "01550000" + "00", id="a link with bytes after its CID"),
        pytest.param("d82a" + LINK, id="a link in a link"),
        pytest.param("d82a59" + "0201" + "00" + "01" * 0x200, id="a link longer than any CID"),
    ],
)
def test_what_dag_cbor_never_has_is_refused(wire: str) -> None:
    data = bytes.fromhex(wire)
    for strict in (True, False):
        with pytest.raises(WireError):
            dag_cbor.decode(data, strict=strict)
    if "fb" not in wire and "f97" not in wire and "fa7" not in wire:
        with pytest.raises(WireError):
            dag_cbor.links(data)


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param("61ff", id="text that is not UTF-8"),
        pytest.param("63eda080", id="a surrogate in UTF-8"),
        pytest.param("a161ff01", id="a key that is not UTF-8"),
        pytest.param("a10101", id="a key that is an integer"),
        pytest.param("a1416101", id="a key of bytes"),
        pytest.param("a1f601", id="a key of null"),
        pytest.param("a2616101616102", id="a key twice"),
        pytest.param("a3616101616202616103", id="a key twice, not in a row"),
    ],
)
def test_maps_and_texts_must_be_sound(wire: str) -> None:
    for strict in (True, False):
        with pytest.raises(WireError):
            dag_cbor.decode(bytes.fromhex(wire), strict=strict)


@pytest.mark.parametrize("head", ["5b", "7b", "9b", "bb", "5a", "7a", "9a", "ba"])
@pytest.mark.parametrize("count", ["ffffffffffffffff", "7fffffffffffffff"])
def test_a_length_is_believed_only_as_far_as_bytes_follow(head: str, count: str) -> None:
    data = bytes.fromhex(head + (count if head[1] == "b" else count[:8]) + "00")
    with pytest.raises(WireError):
        dag_cbor.decode(data)
    with pytest.raises(WireError):
        dag_cbor.links(data)


def nested(depth: int) -> bytes:
    return b"\x81" * depth + b"\0"


def test_nesting_is_limited() -> None:
    value = dag_cbor.decode(nested(MAX_DEPTH))
    assert dag_cbor.encode(value) == nested(MAX_DEPTH)
    with pytest.raises(WireError):
        dag_cbor.decode(nested(MAX_DEPTH + 1))
    with pytest.raises(WireError):
        dag_cbor.decode(nested(2_000_000))
    with pytest.raises(WireError):
        dag_cbor.decode(b"\xa1\x60" * (MAX_DEPTH + 1) + b"\0")
    with pytest.raises(LocalProtocolError):
        dag_cbor.encode([value])


def test_links_need_no_stack() -> None:
    assert dag_cbor.links(nested(100_000)) == []


def test_containers_are_limited() -> None:
    count = MAX_ENTRIES - 1
    wire = b"\x9a" + count.to_bytes(4, "big") + b"\x80" * count
    assert len(dag_cbor.decode(wire)) == count
    with pytest.raises(WireError):
        dag_cbor.decode(b"\x81" + wire)


def test_integers_in_lists_are_not() -> None:
    count = MAX_ENTRIES + 1
    assert dag_cbor.decode(b"\x9a" + count.to_bytes(4, "big") + b"\0" * count) == [0] * count


def test_links_are_found_in_order_and_as_often_as_they_stand() -> None:
    value = {"a": [ACORN, {"x": LEAF}], "bb": ACORN, "c": "text", "d": 2**64 - 1, "e": 1.5, "f": b"*" * 300}
    assert dag_cbor.links(dag_cbor.encode(value)) == [ACORN, LEAF, ACORN]


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        2**64,
        -(2**64) - 1,
        "\ud800",
        {1: 2},
        {b"a": 1},
        {None: 1},
        {"\udc00": 1},
        (1, 2),
        {1, 2},
        bytearray(b"a"),
        object(),
        [[[object()]]],
    ],
)
def test_a_value_outside_the_data_model_is_our_mistake(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        dag_cbor.encode(value)


@given(documents())
def test_a_value_survives_a_round_trip_in_one_form(value: object) -> None:
    wire = dag_cbor.encode(value)
    decoded = dag_cbor.decode(wire)
    assert decoded == value
    assert dag_cbor.encode(decoded) == wire
    assert dag_cbor.decode(wire, strict=False) == value


@given(documents())
def test_links_are_those_of_the_decoded_value(value: object) -> None:
    wire = dag_cbor.encode(value)
    assert dag_cbor.links(wire) == links_in(dag_cbor.decode(wire))


@given(documents(), st.data())
def test_a_value_cut_short_is_refused(value: object, data: st.DataObject) -> None:
    wire = dag_cbor.encode(value)
    cut = data.draw(st.integers(0, len(wire) - 1))
    with pytest.raises(WireError):
        dag_cbor.decode(wire[:cut])


heads = st.sampled_from([bytes([major << 5 | low]) for major in range(8) for low in (0, 1, 2, 24, 25, 26, 27, 31)])
soup = st.lists(heads | st.just(bytes.fromhex(LINK)) | st.binary(max_size=4), max_size=20).map(b"".join)


@given(st.binary(max_size=60) | soup)
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        relaxed = dag_cbor.decode(data, strict=False)
    except WireError:
        with pytest.raises(WireError):
            dag_cbor.decode(data)
        return
    assert dag_cbor.decode(dag_cbor.encode(relaxed)) == relaxed
    try:
        strict = dag_cbor.decode(data)
    except WireError:
        return
    assert strict == relaxed
    assert dag_cbor.encode(strict) == data


@given(st.binary(max_size=60) | soup)
def test_links_of_untrusted_bytes_are_found_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        found = dag_cbor.links(data)
    except WireError:
        with pytest.raises(WireError):
            dag_cbor.decode(data, strict=False)
        return
    assert all(isinstance(cid, CID) for cid in found)


@given(documents())
def test_another_cbor_implementation_reads_what_we_write(value: object) -> None:
    def untagged(value: object) -> object:
        if isinstance(value, CID):
            return cbor2.CBORTag(42, b"\0" + bytes(value))
        if isinstance(value, list):
            return [untagged(entry) for entry in value]
        return {key: untagged(entry) for key, entry in value.items()} if isinstance(value, dict) else value

    assert cbor2.loads(dag_cbor.encode(value)) == untagged(value)


def test_the_empty_map_has_the_cid_that_everybody_gives_it() -> None:
    cid = CID.of(dag_cbor.encode({}), multicodec.DAG_CBOR)
    assert str(cid) == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
