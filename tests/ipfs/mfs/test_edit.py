"""Surgery on a file's tree gives the bytes that the same surgery on a bytearray gives, whatever the tree."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.mfs.edit import ZERO_LEAF, FileEdit
from zwerm.ipfs.unixfs.builder import FileBuilder, leaves
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.errors import NotAFile
from zwerm.ipfs.unixfs.layout import Child
from zwerm.ipfs.unixfs.profile import Layout, Profile
from zwerm.ipfs.unixfs.reader import open_file, stat
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

# Three links a node and four bytes a leaf: a hundred bytes already make a tree of several levels.
SMALL = Profile(chunker="size-4", max_links=3, layout=Layout.TRICKLE)
PROFILES = [
    SMALL,
    dataclasses.replace(SMALL, layout=Layout.BALANCED),
    dataclasses.replace(SMALL, cid_version=0, raw_leaves=False),
    dataclasses.replace(SMALL, cid_version=0, raw_leaves=False, layout=Layout.BALANCED),
    dataclasses.replace(SMALL, max_links=9, layout=Layout.BALANCED),
]


class Bed:
    """A store with one file in it, and the edit of that file."""

    def __init__(self) -> None:
        self.store = MemoryBlockstore()
        self.source = LocalSource(self.store)

    def build(self, data: bytes, profile: Profile, **metadata: object) -> CID:
        builder = FileBuilder(self.store, profile, **metadata)  # type: ignore[arg-type]
        builder.write(data)
        return builder.finish().cid

    async def edit(self, data: bytes, profile: Profile = SMALL, **metadata: object) -> FileEdit:
        cid = self.build(data, profile, **metadata)
        return await FileEdit.open(self.source, dataclasses.replace(profile, layout=Layout.TRICKLE, max_links=3), cid)

    def append(self, edit: FileEdit, data: bytes, profile: Profile = SMALL) -> list[Child]:
        made = leaves(profile, [data[start : start + 4] for start in range(0, len(data), 4)])
        edit.keep([leaf.block for leaf in made])
        return [Child(leaf.block.cid, leaf.size, len(leaf.block.data)) for leaf in made]

    async def read(self, edit: FileEdit) -> bytes:
        """Finish the edit, and read the file back through the reader, which checks every size."""
        root = await edit.finish(None)
        self.store.put(edit.fresh.values())
        file = await open_file(self.source, root.cid)
        assert (file.size, edit.size) == (root.size, root.size)
        assert (await stat(self.source, root.cid)).total_size == root.total_size
        return await file.read()


steps = st.lists(
    st.one_of(
        st.tuples(st.just("overwrite"), st.integers(0, 120), st.binary(min_size=1, max_size=40)),
        st.tuples(st.just("append"), st.just(0), st.binary(min_size=1, max_size=60)),
        st.tuples(st.just("truncate"), st.integers(0, 150), st.just(b"")),
        st.tuples(st.just("hole"), st.integers(1, 9), st.just(b"")),
    ),
    max_size=8,
)


@given(st.binary(max_size=150), st.sampled_from(PROFILES), steps)
@settings(max_examples=150, deadline=None)
async def test_any_surgery_gives_what_a_bytearray_gives(
    data: bytes, profile: Profile, todo: list[tuple[str, int, bytes]]
) -> None:
    bed, model = Bed(), bytearray(data)
    edit = await bed.edit(data, profile)
    for what, number, piece in todo:
        if what == "overwrite" and number < len(model):
            piece = piece[: len(model) - number]  # noqa: PLW2901
            await edit.overwrite(number, piece)
            model[number : number + len(piece)] = piece
        elif what == "append":
            await edit.append(bed.append(edit, piece, profile))
            model += piece
        elif what == "truncate" and number <= len(model):
            await edit.truncate(number)
            del model[number:]
        elif what == "hole":
            await edit.append_hole(number)
            model += bytes(number)
    assert await bed.read(edit) == bytes(model)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
async def test_a_file_that_grew_is_the_file_that_was_made_at_once(counts: list[int], width: int) -> None:
    bed = Bed()
    profile = dataclasses.replace(SMALL, max_links=width)
    data = b"".join(bytes([number % 251]) * 4 for number in range(sum(counts)))
    edit = await FileEdit.open(bed.source, profile, bed.build(data[: 4 * counts[0]], profile))
    done = counts[0]
    for count in counts[1:]:
        await edit.append(bed.append(edit, data[4 * done : 4 * (done + count)]))
        done += count
    assert edit.root.cid == bed.build(data, profile)
    bed.store.put(edit.fresh.values())


async def test_writing_in_the_middle_makes_one_leaf_and_the_path_to_it() -> None:
    bed = Bed()
    edit = await bed.edit(bytes(range(200)), SMALL)
    before = len(list(bed.store.multihashes()))
    await edit.overwrite(101, b"!")
    assert before > 60
    leaf = [block for block in edit.fresh.values() if block.cid.codec == multicodec.RAW]
    assert [block.data for block in leaf] == [bytes([100, 33, 102, 103])]
    assert len(edit.fresh) <= 6


async def test_a_hole_of_a_petabyte_is_a_handful_of_blocks() -> None:
    bed = Bed()
    edit = FileEdit(bed.source, dataclasses.replace(SMALL, max_links=174), Child(bed.build(b"abc", SMALL), 3, 3))
    await edit.append_hole(10**15)
    assert len(edit.fresh) < 60
    root = await edit.finish(None)
    bed.store.put(edit.fresh.values())
    file = await open_file(bed.source, root.cid)
    assert file.size == 10**15 + 3
    assert await file.read(0, 6) == b"abc\0\0\0"
    assert await file.read(10**15 - 5) == bytes(8)


async def test_a_hole_is_made_of_equal_leaves() -> None:
    bed = Bed()
    edit = await bed.edit(b"")
    await edit.append_hole(2 * ZERO_LEAF + 1)
    assert sorted(len(block.data) for block in edit.fresh.values() if block.cid.codec == multicodec.RAW) == [
        1,
        ZERO_LEAF,
    ]


async def test_a_file_of_one_bare_leaf_becomes_that_leaf() -> None:
    bed = Bed()
    edit = await bed.edit(b"abcd")  # a trickle tree has a node above its only leaf
    assert edit.root.cid.codec == multicodec.DAG_PB
    assert (await edit.finish(None)).cid == CID.of(b"abcd")


async def test_what_a_file_held_in_its_one_node_becomes_a_leaf_when_it_grows() -> None:
    bed = Bed()
    profile = dataclasses.replace(SMALL, cid_version=0, raw_leaves=False)
    edit = await bed.edit(b"abcd", dataclasses.replace(profile, layout=Layout.BALANCED), mode=0o600)
    await edit.append(bed.append(edit, b"efgh", profile))
    assert await bed.read(edit) == b"abcdefgh"
    root = PBNode.parse(edit.fresh[edit.root.cid.multihash].data)
    message = UnixFSData.parse(root.data or b"")
    assert (message.data, message.blocksizes, message.mode) == (None, (4, 4), 0o600)


async def test_data_in_a_node_that_also_has_links_is_kept_and_changed_in_place() -> None:
    bed = Bed()
    leaf = Block.create(b"efgh")
    message = UnixFSData(DataType.FILE, b"abcd", 8, (4,))
    node = Block.create(PBNode((PBLink(leaf.cid, "", 4),), message.serialize()).serialize(), multicodec.DAG_PB)
    bed.store.put([leaf, node])
    edit = await FileEdit.open(bed.source, SMALL, node.cid)
    await edit.overwrite(2, b"XYZ!")
    assert await bed.read(edit) == b"abXYZ!gh"
    await edit.truncate(3)
    assert await bed.read(edit) == b"abX"


async def test_a_time_that_the_file_has_becomes_now_and_no_other_is_made_up() -> None:
    bed = Bed()
    dated = await bed.edit(b"abcdefgh", mtime=Mtime(5))
    assert (await stat(bed.source, dated.root.cid)).mtime == Mtime(5)
    await dated.finish(Mtime(9))
    bed.store.put(dated.fresh.values())
    assert (await stat(bed.source, dated.root.cid)).mtime == Mtime(9)
    undated = await bed.edit(b"abcdefgh")
    before = undated.root
    assert await undated.finish(Mtime(9)) == before


async def test_a_leaf_by_another_hash_keeps_it_and_an_inlined_one_gets_a_real_one() -> None:
    bed = Bed()
    profile = dataclasses.replace(SMALL, hash_code=multicodec.BLAKE3)
    edit = await bed.edit(b"abcdefgh", profile)
    await edit.overwrite(0, b"X")
    codes = {block.cid.hash_code for block in edit.fresh.values()}
    assert codes == {multicodec.BLAKE3}
    inlined = CID.of(b"abcd", hash_code=multicodec.IDENTITY)
    edit = await FileEdit.open(bed.source, SMALL, inlined)
    await edit.overwrite(0, b"X")
    assert edit.root.cid == CID.of(b"Xbcd")


async def test_a_node_that_contradicts_the_one_above_is_refused_and_the_file_stays() -> None:
    bed = Bed()
    leaf = Block.create(b"abc")
    message = UnixFSData(DataType.FILE, None, 5, (5,))
    node = Block.create(PBNode((PBLink(leaf.cid, "", 3),), message.serialize()).serialize(), multicodec.DAG_PB)
    bed.store.put([leaf, node])
    edit = await FileEdit.open(bed.source, SMALL, node.cid)
    before = edit.root
    with pytest.raises(WireError, match="holds 3 bytes, the node above says 5"):
        await edit.overwrite(1, b"x")
    assert edit.root == before


async def test_a_tower_of_nodes_is_refused() -> None:
    bed = Bed()
    block = Block.create(b"abc")
    blocks = [block]
    for _ in range(70):
        message = UnixFSData(DataType.FILE, None, 3, (3,))
        data = PBNode((PBLink(block.cid, "", 3),), message.serialize()).serialize()
        block = Block.create(data, multicodec.DAG_PB)
        blocks.append(block)
    bed.store.put(blocks)
    edit = await FileEdit.open(bed.source, SMALL, block.cid)
    for change in (edit.overwrite(0, b"x"), edit.truncate(1)):
        with pytest.raises(WireError, match="expected at most 64"):
            await change


async def test_a_directory_is_no_file_at_the_top_and_none_inside() -> None:
    bed = Bed()
    folder = Block.create(PBNode((), UnixFSData(DataType.DIRECTORY).serialize()).serialize(), multicodec.DAG_PB)
    message = UnixFSData(DataType.FILE, None, 4, (4,))
    node = Block.create(PBNode((PBLink(folder.cid, "", 4),), message.serialize()).serialize(), multicodec.DAG_PB)
    bed.store.put([folder, node])
    with pytest.raises(NotAFile):
        await FileEdit.open(bed.source, SMALL, folder.cid)
    edit = await FileEdit.open(bed.source, SMALL, node.cid)
    with pytest.raises(WireError, match="a directory inside a file"):
        await edit.overwrite(0, b"x")


async def test_bytes_behind_the_end_are_the_callers_mistake() -> None:
    edit = await Bed().edit(b"abcd")
    with pytest.raises(LocalProtocolError):
        await edit.overwrite(2, b"xyz")
    with pytest.raises(LocalProtocolError):
        await edit.truncate(5)
