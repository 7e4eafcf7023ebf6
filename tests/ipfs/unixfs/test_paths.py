"""Content paths lead through directories of either form, and through dag-pb blocks that are no UnixFS."""

from __future__ import annotations

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.dag_pb import PBLink
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import PathNotFound, resolve
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.directory import DirectoryWriter
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID


def written(blocks: Blocks, entries: dict[str, CID], threshold: int) -> CID:
    writer = DirectoryWriter(blocks, Profile(hamt_threshold=threshold))
    for name, cid in entries.items():
        writer.add(name, cid, 1)
    return writer.finish().cid


def follow(blocks: Blocks, root: CID, *segments: str) -> CID:
    return run(resolve(blocks, ContentPath.of(root, *segments))).cid


@pytest.mark.parametrize("threshold", [0, 10**6])
def test_names_lead_through_directories_to_files(threshold: int) -> None:
    blocks = Blocks()
    leaf = blocks.raw(b"leaf")
    inner = written(blocks, {f"name {number}": leaf for number in range(50)}, threshold)
    root = written(blocks, {"ünï": inner}, threshold)
    assert follow(blocks, root, "ünï", "name 33") == leaf
    assert follow(blocks, root, "ünï") == inner
    with pytest.raises(PathNotFound, match="no link named 'name 99'"):
        follow(blocks, root, "ünï", "name 99")


def test_nothing_is_below_a_file_or_a_symlink() -> None:
    blocks = Blocks()
    file = blocks.node(UnixFSData(DataType.FILE, blocksizes=(4,)), [PBLink(blocks.raw(b"leaf"), "name", 4)])
    for cid in (file, blocks.node(UnixFSData(DataType.SYMLINK, b"name"))):
        with pytest.raises(PathNotFound):
            follow(blocks, cid, "name")


@pytest.mark.parametrize("data", [None, b"", b"something else", UnixFSData(DataType.METADATA)])
def test_other_dag_pb_blocks_are_followed_by_the_names_of_their_links(data: UnixFSData | bytes | None) -> None:
    blocks = Blocks()
    leaf = blocks.raw(b"leaf")
    cid = blocks.node(data, [PBLink(leaf, "name", 1)])
    assert follow(blocks, cid, "name") == leaf
    with pytest.raises(PathNotFound):
        follow(blocks, cid, "other")


def test_a_directory_that_lies_is_an_error_and_not_an_absence() -> None:
    blocks = Blocks()
    cid = blocks.node(UnixFSData(DataType.HAMT_SHARD, b"\x01", hash_type=1, fanout=256), [])
    with pytest.raises(WireError, match="is a shard by hash 1"):
        follow(blocks, cid, "name")
