"""Bitswap messages (bitswap spec, "Bitswap 1.2.0: Wire Format")."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.ipfs.bitswap.message import (
    BITSWAP_1_0,
    BITSWAP_1_1,
    MAX_ENTRIES,
    MAX_PAYLOADS,
    Entry,
    Message,
    Payload,
    Presence,
    WantType,
    prefix_of,
)
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.multiformats import multicodec, varint
from zwerm.multiformats.cid import CID

RAW = CID.of(b"hello")
OLD = CID.of(b"hello", multicodec.DAG_PB, version=0)
WHOLE = Message(
    [
        Entry(RAW, 7, WantType.HAVE, send_dont_have=True),
        Entry(OLD, -1),
        Entry(RAW, 0, cancel=True),
    ],
    full=True,
    payloads=[Payload(prefix_of(RAW), b"hello"), Payload(prefix_of(OLD), b"")],
    presences=[Presence(RAW, has=True), Presence(OLD, has=False)],
    pending=1 << 20,
)


def test_a_message_comes_back_as_it_was() -> None:
    assert Message.parse(WHOLE.serialize()) == WHOLE
    assert Message.parse(b"") == Message([], payloads=[], presences=[])
    assert Message().is_empty
    assert not WHOLE.is_empty


def test_the_bytes_are_those_of_the_specification() -> None:
    wire = Message([Entry(RAW, 1, WantType.HAVE, send_dont_have=True)]).serialize().hex()
    assert wire == "0a2e" + "0a2c" + "0a24" + bytes(RAW).hex() + "1001" + "2001" + "2801"
    wire = Message(payloads=[Payload(prefix_of(RAW), b"hello")]).serialize().hex()
    assert wire == "1a0d" + "0a0401551220" + "1205" + b"hello".hex()
    wire = Message(presences=[Presence(OLD, has=False)], pending=5).serialize().hex()
    assert wire == "2226" + "0a22" + bytes(OLD).hex() + "1001" + "2805"


@pytest.mark.parametrize("data", [b"hello", b""], ids=["some bytes", "none"])
@pytest.mark.parametrize(
    "cid",
    [
        RAW,
        OLD,
        CID.of(b"", multicodec.DAG_CBOR, multicodec.SHA2_512),
        CID.of(b"", multicodec.RAW, multicodec.BLAKE3),
        CID(1, multicodec.RAW, b"\x12\x14" + CID.of(b"hello").digest[:20]),
    ],
    ids=["raw", "version 0", "sha2-512", "blake3", "truncated"],
)
def test_a_block_is_named_by_hashing_it(cid: CID, data: bytes) -> None:
    named = Payload(prefix_of(cid), data).name()
    assert (named.version, named.codec, named.hash_code) == (cid.version, cid.codec, cid.hash_code)
    assert len(named.digest) == len(cid.digest)
    assert CID.of(data, cid.codec, cid.hash_code, cid.version).digest.startswith(named.digest)


@pytest.mark.parametrize(
    "prefix",
    ["01550020", "0155997520", "01551221", "01551213"],
    ids=["identity", "unknown function", "longer than the hash", "too short to prove anything"],
)
def test_a_block_that_nobody_can_name_is_refused(prefix: str) -> None:
    with pytest.raises(WireError):
        Payload(bytes.fromhex(prefix), b"hello").name()


def test_blocks_are_views_into_what_was_read() -> None:
    wire = Message(payloads=[Payload(prefix_of(RAW), b"hello")]).serialize()
    (payload,) = Message.parse(wire).payloads
    assert isinstance(payload.data, memoryview)
    assert payload.data.obj is wire


def test_a_peer_of_version_1_1_is_not_told_what_it_does_not_know() -> None:
    told = Message.parse(WHOLE.serialize(BITSWAP_1_1))
    assert told.wants == [Entry(OLD, -1), Entry(RAW, 0, cancel=True)]
    assert told.payloads == WHOLE.payloads
    assert (told.presences, told.pending) == ([], 0)


def test_a_peer_of_version_1_0_gets_bare_blocks() -> None:
    wire = Message(payloads=[Payload(prefix_of(OLD), b"hello")]).serialize(BITSWAP_1_0)
    assert wire.hex() == "1205" + b"hello".hex()
    assert Message.parse(wire).payloads[0].name() == OLD


@pytest.mark.parametrize(
    "wire",
    [
        "0800",
        "0a020a00",
        "0a021001" + "0a0110",
        "0a04" + "0a022005",
        "1a00",
        "1a060a0401551220" + "1a050a03015512",
        "2200",
        "220410020a00",
        "2a00",
        "ff",
    ],
    ids=[
        "wantlist that is a number",
        "want without CID",
        "wantlist cut short",
        "want of an unknown type",
        "block without prefix",
        "prefix cut short",
        "presence without CID",
        "presence of an unknown type",
        "pending that is bytes",
        "cut short",
    ],
)
def test_what_the_format_does_not_allow_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        Message.parse(bytes.fromhex(wire))


def test_every_cut_of_a_message_is_parsed_or_refused() -> None:
    wire = WHOLE.serialize()
    for size in range(len(wire)):
        try:
            Message.parse(wire[:size])
        except WireError:
            continue


def test_limits_on_one_message_hold() -> None:
    entry = serialize_field(1, serialize_field(1, bytes(RAW)))
    presence = serialize_field(4, serialize_field(1, bytes(RAW)))
    assert len(Message.parse(serialize_field(1, entry * MAX_ENTRIES)).wants) == MAX_ENTRIES
    block = serialize_field(2, b"")
    too_large = serialize_field(2, bytes(MAX_BLOCK + 1))
    cid = serialize_field(4, serialize_field(1, bytes(161)))
    for wire in (
        serialize_field(1, entry * (MAX_ENTRIES + 1)),
        presence * (MAX_ENTRIES + 1),
        block * (MAX_PAYLOADS + 1),
        too_large,
        cid,
    ):
        with pytest.raises(WireError, match=r"more than|at most"):
            Message.parse(wire)


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except WireError:
        return
    for payload in message.payloads:
        try:
            payload.name()
        except WireError:
            continue
    assert Message.parse(message.serialize()) == message


def test_the_framed_form_has_its_length_before_it() -> None:
    message = Message([Entry(CID.of(b"a"))], payloads=[Payload(prefix_of(CID.of(b"b")), b"b" * 300)])
    plain = message.serialize()
    assert b"".join(message.framed_pieces()) == varint.serialize(len(plain)) + plain
    assert Message().framed_pieces() == []
