"""The registry of codecs: one way to read and write any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import MAX_BLOCK
from zwerm.ipfs.ipld import codec
from zwerm.ipfs.ipld.codec import MAX_TEXT_DOCUMENT, UnknownCodec
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ACORN = CID.of(b"acorn")
CODES = [
    multicodec.RAW,
    multicodec.DAG_PB,
    multicodec.DAG_CBOR,
    multicodec.DAG_JSON,
    multicodec.CBOR,
    multicodec.JSON,
    multicodec.GIT_RAW,
]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (multicodec.RAW, b"bytes"),
        (multicodec.DAG_PB, PBNode((PBLink(ACORN, "a", 1),), b"data")),
        (multicodec.DAG_CBOR, {"a": ACORN}),
        (multicodec.DAG_JSON, {"a": ACORN}),
        (multicodec.CBOR, {"a": b"1"}),
        (multicodec.JSON, {"a": [1.5, None]}),
    ],
)
def test_each_codec_reads_what_it_writes(code: int, value: object) -> None:
    assert codec.known(code)
    data = codec.encode(code, value)
    assert codec.decode(code, data) == value
    holds_link = code in {multicodec.DAG_PB, multicodec.DAG_CBOR, multicodec.DAG_JSON}
    assert codec.links(code, data) == ([ACORN] if holds_link else [])


def test_a_codec_that_is_not_known_is_said_to_be() -> None:
    assert not codec.known(0x300001)
    for call in (codec.decode, codec.links, codec.encode):
        with pytest.raises(UnknownCodec, match="0x300001"):
            call(0x300001, b"")


def test_the_json_form_of_a_block_may_be_longer_than_a_block() -> None:
    block = codec.encode(multicodec.DAG_CBOR, b"x" * (MAX_BLOCK - 10))
    text = codec.encode(multicodec.DAG_JSON, codec.decode(multicodec.DAG_CBOR, block))
    assert len(text) > MAX_BLOCK
    assert codec.encode(multicodec.DAG_CBOR, codec.decode(multicodec.DAG_JSON, text)) == block


def test_a_dag_pb_node_becomes_a_map_in_the_other_codecs() -> None:
    node = PBNode((PBLink(ACORN, "a", 1),), b"data")
    for code in (multicodec.DAG_CBOR, multicodec.DAG_JSON):
        model = codec.decode(code, codec.encode(code, node))
        assert model == {"Data": b"data", "Links": [{"Hash": ACORN, "Name": "a", "Tsize": 1}]}
        assert codec.encode(multicodec.DAG_PB, model) == node.serialize()


@pytest.mark.parametrize("value", [None, "text", [], bytearray(b"a")])
def test_raw_takes_bytes_only(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        codec.encode(multicodec.RAW, value)


@pytest.mark.parametrize("code", CODES)
def test_a_document_larger_than_any_block_is_refused(code: int) -> None:
    limit = MAX_TEXT_DOCUMENT if code in {multicodec.DAG_JSON, multicodec.JSON} else MAX_BLOCK
    with pytest.raises(WireError, match=f"expected at most {limit}"):
        codec.decode(code, b" " * (limit + 1))


def test_forms_of_old_writers_are_read_when_asked_for() -> None:
    assert codec.decode(multicodec.DAG_CBOR, b"\x18\x01", strict=False) == 1
    with pytest.raises(WireError):
        codec.decode(multicodec.DAG_CBOR, b"\x18\x01")
    assert codec.decode(multicodec.RAW, b"a", strict=False) == b"a"


@given(st.sampled_from(CODES), st.binary(max_size=50))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(code: int, data: bytes) -> None:
    for call in (codec.decode, codec.links):
        try:
            call(code, data)
        except WireError:
            continue
