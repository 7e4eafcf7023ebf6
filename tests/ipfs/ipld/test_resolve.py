"""Content paths through IPLD maps, lists, links and UnixFS directories."""

from __future__ import annotations

import pytest

import zwerm.ipfs.unixfs  # noqa: F401 -- takes its place in `resolve`
from tests.ipfs.ipld.test_traverse import Store
from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.ipld import dag_json, directories
from zwerm.ipfs.ipld.codec import UnknownCodec
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import MAX_HOPS, PathNotFound, read_value, resolve
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

DIRECTORY = b"\x08\x01"  # a UnixFS message: type directory


@pytest.fixture
def store() -> Store:
    return Store()


def directory(store: Store, **entries: CID) -> CID:
    links = tuple(PBLink(cid, name, 1) for name, cid in entries.items())
    return store.put(PBNode(links, DIRECTORY).serialize(), multicodec.DAG_PB)


async def test_a_path_without_segments_fetches_nothing(store: Store) -> None:
    cid = CID.of(b"not here")
    assert await resolve(store, ContentPath.of(cid)) == (cid, (), (cid,))


async def test_a_path_leads_through_directories(store: Store) -> None:
    file = store.put(b"file")
    inner = directory(store, file=file)
    root = directory(store, a=inner)
    resolution = await resolve(store, ContentPath.of(root, "a", "file"))
    assert resolution == (file, (), (root, inner, file))
    assert file not in store.asked


async def test_a_path_leads_through_maps_lists_and_links(store: Store) -> None:
    leaf = store.document({"deep": [10, {"er": "value"}]})
    middle = store.put(dag_json.encode([None, leaf]), multicodec.DAG_JSON)
    root = store.document({"x": {"y": middle}})
    resolution = await resolve(store, ContentPath.of(root, "x", "y", "1", "deep", "1", "er"))
    assert resolution.cid == leaf
    assert resolution.remainder == ("deep", "1", "er")
    assert resolution.roots == (root, root, middle, leaf, leaf, leaf, leaf)
    assert await read_value(store, resolution) == "value"


async def test_a_link_at_the_end_is_followed(store: Store) -> None:
    file = directory(store)
    root = store.document({"site": file})
    assert await resolve(store, ContentPath.of(root, "site")) == (file, (), (root, file))


async def test_directories_and_documents_mix(store: Store) -> None:
    file = store.put(b"x")
    document = store.document({"site": directory(store, index=file)})
    root = directory(store, data=document)
    assert (await resolve(store, ContentPath.of(root, "data", "site", "index"))).cid == file


@pytest.mark.parametrize("segment", ["b", "0", "", "A", "a "])
async def test_a_name_that_is_not_in_a_map_is_not_found(store: Store, segment: str) -> None:
    root = store.document({"a": 1})
    path = ContentPath("ipfs", str(root), (segment,), root)
    with pytest.raises(PathNotFound) as caught:
        await resolve(store, path)
    assert str(caught.value) == f"no link named {segment!r} under {root}"


@pytest.mark.parametrize("segment", ["3", "-1", "01", "+1", " 1", "1_0", "a", "٣", "9" * 5_000])
async def test_a_list_is_indexed_by_plain_numbers(store: Store, segment: str) -> None:
    root = store.document([1, 2, 3])
    with pytest.raises(PathNotFound):
        await resolve(store, ContentPath.of(root, segment))
    assert await read_value(store, await resolve(store, ContentPath.of(root, "2"))) == 3


async def test_nothing_lies_below_a_scalar_a_file_or_raw_bytes(store: Store) -> None:
    raw = store.put(b"raw")
    file = store.put(PBNode(data=b"\x08\x02\x12\x01a\x18\x01").serialize(), multicodec.DAG_PB)
    for root in (store.document({"x": "text"}), directory(store, x=raw), directory(store, x=file)):
        with pytest.raises(PathNotFound):
            await resolve(store, ContentPath.of(root, "x", "y"))


async def test_a_name_that_is_not_in_a_directory_is_not_found(store: Store) -> None:
    root = directory(store, a=store.put(b""))
    with pytest.raises(PathNotFound, match="no link named 'b' under"):
        await resolve(store, ContentPath.of(root, "b"))


async def test_a_dag_pb_block_that_is_no_unixfs_is_followed_by_the_names_of_its_links(store: Store) -> None:
    leaf = store.put(b"leaf")
    root = store.put(PBNode((PBLink(leaf, "a"),), b"\xff\xff").serialize(), multicodec.DAG_PB)
    assert (await resolve(store, ContentPath.of(root, "a"))).cid == leaf
    with pytest.raises(PathNotFound):
        await resolve(store, ContentPath.of(root, "b"))


async def test_the_data_model_of_dag_pb_is_followed_when_asked_for(store: Store) -> None:
    leaf = store.node(data=b"leaf")
    root = directory(store, a=leaf)
    resolution = await resolve(store, ContentPath.of(root, "Links", "0", "Hash", "Data"), data_model=True)
    assert resolution == (leaf, ("Data",), (root, root, root, leaf, leaf))
    assert await read_value(store, resolution) == b"leaf"
    assert await read_value(store, await resolve(store, ContentPath.of(leaf))) == PBNode(data=b"leaf")
    with pytest.raises(PathNotFound):
        await resolve(store, ContentPath.of(root, "a"), data_model=True)


async def test_documents_of_old_writers_are_read(store: Store) -> None:
    root = store.put(bytes.fromhex("a2616201616102"), multicodec.DAG_CBOR)
    assert await read_value(store, await resolve(store, ContentPath.of(root, "a"))) == 2


async def test_identity_cids_are_read_from_themselves(store: Store) -> None:
    inner = CID.of(b"\xa1\x61b\x01", multicodec.DAG_CBOR, multicodec.IDENTITY)
    root = store.document({"a": inner})
    assert await read_value(store, await resolve(store, ContentPath.of(root, "a", "b"))) == 1


async def test_blocks_on_the_way_have_to_be_there_and_readable(store: Store) -> None:
    with pytest.raises(BlockNotFound):
        await resolve(store, ContentPath.of(CID.of(b"missing", multicodec.DAG_CBOR), "a"))
    with pytest.raises(UnknownCodec):
        await resolve(store, ContentPath.of(store.put(b"", 0x300001), "a"))
    for codec in (multicodec.DAG_CBOR, multicodec.DAG_PB, multicodec.DAG_JSON):
        with pytest.raises((WireError, PathNotFound)):
            await resolve(store, ContentPath.of(store.put(b"\xff", codec), "a"))


async def test_blocks_that_are_only_links_are_followed_but_not_for_ever(store: Store) -> None:
    link = store.document({"a": 1})
    for _ in range(MAX_HOPS):
        link = store.document(link)
    assert await read_value(store, await resolve(store, ContentPath.of(link, "a"))) == 1
    with pytest.raises(ResourceLimitError):
        await resolve(store, ContentPath.of(store.document(link), "a"))


async def test_a_name_has_to_be_looked_up_first(store: Store) -> None:
    with pytest.raises(LocalProtocolError):
        await resolve(store, ContentPath.from_text("/ipns/example.org/a"))


async def test_without_unixfs_directories_are_not_guessed_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directories, "follow", None)
    with pytest.raises(LocalProtocolError):
        await resolve(store, ContentPath.of(directory(store), "a"))
