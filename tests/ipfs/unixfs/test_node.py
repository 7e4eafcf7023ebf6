"""One block, whatever its codec, as a message and links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.node import Node, file_sizes, parse_inner
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

DAG_PB = CID.of(b"", multicodec.DAG_PB)


def test_a_raw_block_is_a_file_of_its_bytes() -> None:
    node = Node.parse(CID.of(b"bytes"), b"bytes")
    assert (node.kind, node.message.data, node.links) == (Kind.FILE, b"bytes", ())
    assert file_sizes(CID.of(b"bytes"), node) == (5, ())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (DataType.RAW, Kind.FILE),
        (DataType.FILE, Kind.FILE),
        (DataType.DIRECTORY, Kind.DIRECTORY),
        (DataType.HAMT_SHARD, Kind.DIRECTORY),
        (DataType.SYMLINK, Kind.SYMLINK),
    ],
)
def test_types_are_kinds_that_a_person_sees(kind: DataType, expected: Kind) -> None:
    blocks = Blocks()
    cid = blocks.node(UnixFSData(kind))
    assert Node.parse(cid, blocks.data[cid]).kind is expected


@pytest.mark.parametrize(
    ("cid", "data", "reason"),
    [
        (CID.of(b"\xa0", multicodec.DAG_CBOR), b"\xa0", "is dag-cbor, expected a file or directory"),
        (DAG_PB, b"", "is a dag-pb node without data"),
        (DAG_PB, b"\x0a\x02\x08\x03", "is UnixFS metadata"),
    ],
)
def test_what_is_no_unixfs_is_the_askers_mistake_at_the_root_and_the_writers_inside(
    cid: CID, data: bytes, reason: str
) -> None:
    with pytest.raises(NotUnixFS, match=reason):
        Node.parse(cid, data)
    with pytest.raises(WireError, match=reason):
        parse_inner(cid, data)


@given(st.binary(max_size=80))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        node = parse_inner(DAG_PB, data)
        file_sizes(DAG_PB, node)
    except WireError:
        pass


@pytest.mark.parametrize(
    ("message", "links", "reason"),
    [
        (UnixFSData(DataType.FILE, filesize=2, blocksizes=(1,)), 1, "holds 2 bytes, its parts hold 1"),
        (UnixFSData(DataType.FILE, b"x", 0), 0, "holds 0 bytes, its parts hold 1"),
        (UnixFSData(DataType.FILE, blocksizes=(1,)), 2, "2 links and 1 block sizes"),
        (UnixFSData(DataType.FILE, blocksizes=(2**63,)), 1, "more than a file can"),
    ],
)
def test_a_node_that_contradicts_itself_has_no_size(message: UnixFSData, links: int, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        file_sizes(DAG_PB, Node(message, (PBLink(DAG_PB),) * links))
