"""IPNS records: made, read, and held against their name and the time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.ipns.vectors import HOUR, NOW, PATH, Vector, signed, vector, vectors
from zwerm.core import protobuf
from zwerm.core.errors import LocalProtocolError, RemoteProtocolError, WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipns.record import MAX_RECORD, MAX_SEQUENCE, Record, RecordExpired, RecordRefused

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)
FIELDS = {"Value": PATH.encode(), "Validity": b"2100-01-01T00:00:00Z", "ValidityType": 0, "Sequence": 1, "TTL": 2}


def resigned(key: PrivateKey = KEY, extra: bytes = b"", **changes: object) -> bytes:
    """A record of version 2 that says whatever the test wants, rightly signed."""
    document = {field: value for field, value in (FIELDS | changes).items() if value is not None}
    data = dag_cbor.encode(document)
    signature = key.sign(b"ipns-signature:" + data)
    return protobuf.serialize_field(8, signature) + protobuf.serialize_field(9, data) + extra


@pytest.mark.parametrize("case", vectors(), ids=lambda case: case.case)
def test_the_specifications_records_are_taken_or_refused_as_it_says(case: Vector) -> None:
    if case.path is None:
        with pytest.raises(RemoteProtocolError):
            Record.parse(case.encoded).verify(case.name, NOW)
    else:
        record = Record.parse(case.encoded)
        record.verify(case.name, NOW)
        assert str(record.path) == case.path


@pytest.mark.parametrize("case", vectors(), ids=lambda case: case.case)
def test_a_record_that_is_cut_short_is_refused(case: Vector) -> None:
    for length in range(len(case.encoded)):
        with pytest.raises(RemoteProtocolError):
            Record.parse(case.encoded[:length]).verify(case.name, NOW)


@pytest.mark.parametrize("key_type", list(KeyType), ids=lambda kind: kind.name)
def test_records_of_every_kind_of_key_verify(key_type: KeyType) -> None:
    key = PrivateKey.generate(key_type)
    record = Record.parse(signed(key).encoded)
    record.verify(PeerId.of(key.public), NOW)
    assert record == signed(key) or key_type is not KeyType.ED25519
    assert bool(record.public_key) is (key_type in (KeyType.RSA, KeyType.ECDSA))


def test_a_record_of_version_2_only_carries_two_fields() -> None:
    record = Record.create(KEY, PATH, sequence=3, validity=NOW + HOUR, ttl=5, v1_compatible=False)
    assert [number for number, _ in protobuf.parse_fields(record.encoded)] == [8, 9]
    assert Record.parse(record.encoded) == record
    record.verify(NAME, NOW)


def test_the_signature_of_version_1_is_made_for_old_readers() -> None:
    record = signed(KEY)
    fields = dict(protobuf.parse_fields(record.encoded))
    assert KEY.public.verify(record.signature_v1, fields[1] + fields[4] + b"0")  # type: ignore[operator]


def test_a_record_ends_at_its_end_of_life() -> None:
    record = signed(KEY, life=HOUR)
    record.verify(NAME, NOW + HOUR - 1)
    with pytest.raises(RecordExpired, match="2027-01-15T09:00:00"):
        record.verify(NAME, NOW + HOUR)


def test_a_record_of_another_key_is_refused() -> None:
    with pytest.raises(RecordRefused, match="wrong signature"):
        signed(PrivateKey.generate()).verify(NAME, NOW)


def test_another_key_inside_the_record_is_refused() -> None:
    other = PrivateKey.generate()
    forged = resigned(other, protobuf.serialize_field(7, other.public.serialize()))
    with pytest.raises(RecordRefused, match="another key"):
        Record.parse(forged).verify(NAME, NOW)


def test_bytes_that_are_no_key_inside_the_record_are_refused() -> None:
    with pytest.raises(RecordRefused, match="cannot be read"):
        Record.parse(resigned(KEY, protobuf.serialize_field(7, b"none"))).verify(NAME, NOW)


def test_a_record_of_a_hashed_key_without_the_key_is_refused() -> None:
    key = PrivateKey.generate(KeyType.RSA)
    with pytest.raises(RecordRefused, match="without a key"):
        Record.parse(resigned(key)).verify(PeerId.of(key.public), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"Value": None},
        {"Value": PATH},
        {"Validity": b"tomorrow"},
        {"ValidityType": 1},
        {"Sequence": -1},
        {"Sequence": True},
        {"TTL": 1.5},
        {"Validity": None},
    ],
    ids=str,
)
def test_signed_data_that_lacks_something_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WireError):
        Record.parse(resigned(**changes))


def test_unknown_fields_in_the_signed_data_are_ignored() -> None:
    Record.parse(resigned(_mine={"anything": 1})).verify(NAME, NOW)


@pytest.mark.parametrize(
    ("number", "value"),
    [(1, b"/ipfs/other"), (3, 1), (4, b"2099-01-01T00:00:00Z"), (5, 9), (6, 9)],
    ids=["value", "validity type", "validity", "sequence", "ttl"],
)
def test_copies_for_old_readers_must_say_what_is_signed(number: int, value: int | bytes) -> None:
    changed = [(field, value if field == number else old) for field, old in protobuf.parse_fields(signed(KEY).encoded)]
    with pytest.raises(WireError, match="differs"):
        Record.parse(b"".join(protobuf.serialize_field(*field) for field in changed))


def test_a_field_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(WireError, match="field 9"):
        Record.parse(protobuf.serialize_field(9, 1))


def test_a_record_past_the_size_limit_is_refused_unread_and_never_made() -> None:
    with pytest.raises(WireError, match="10241 bytes"):
        Record.parse(bytes(MAX_RECORD + 1))
    with pytest.raises(LocalProtocolError, match="limit"):
        signed(KEY, "/ipfs/" + "a" * MAX_RECORD)


def test_a_record_of_just_the_limit_is_read() -> None:
    record = resigned()
    room = MAX_RECORD - len(record)
    Record.parse(record + protobuf.serialize_field(100, bytes(room - 4))).verify(NAME, NOW)


@pytest.mark.parametrize(("sequence", "ttl"), [(-1, 0), (MAX_SEQUENCE + 1, 0), (0, -1), (0, 2**63)])
def test_numbers_that_do_not_fit_are_refused_when_signing(sequence: int, ttl: int) -> None:
    with pytest.raises(LocalProtocolError):
        signed(KEY, sequence=sequence, ttl=ttl)


@pytest.mark.parametrize("value", [b"\xff", b"/somewhere/else", b""], ids=["no text", "no path", "nothing"])
def test_a_value_that_is_no_path_is_found_out_when_it_is_asked_for(value: bytes) -> None:
    record = Record.parse(resigned(Value=value))
    with pytest.raises(WireError):
        _ = record.path


@given(st.binary(max_size=300))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        Record.parse(data).verify(NAME, NOW)
    except RemoteProtocolError:
        return
    pytest.fail("no bytes at random are signed")


@given(st.integers(0), st.integers(0, 7))
def test_no_bit_of_what_is_signed_can_be_turned(position: int, bit: int) -> None:
    encoded = bytearray(vector("v2").encoded)
    encoded[position % len(encoded)] ^= 1 << bit
    with pytest.raises(RemoteProtocolError):
        Record.parse(bytes(encoded)).verify(vector("v2").name, NOW)
