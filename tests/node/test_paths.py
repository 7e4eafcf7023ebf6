"""What a path means: content, one of the node's own files, or a file as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import zwerm
from zwerm.core.errors import NotFoundError, WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.mfs.errors import FileMissing
from zwerm.ipfs.names import NameNotFound, ResolvedName
from zwerm.multiformats import multicodec
from zwerm.node.paths import content_path, is_file_path, resolve_path


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[zwerm.Node]:
    async with zwerm.Node(tmp_path / "repository", profile="test") as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/", True),
        ("/a", True),
        ("/ipfs", True),
        ("/ipfs/x", False),
        ("/ipns/x", False),
        ("bafy", False),
        ("a/b", False),
    ],
)
def test_what_begins_with_a_slash_is_a_file_unless_it_says_otherwise(text: str, expected: bool) -> None:
    assert is_file_path(text) is expected


async def test_content_is_written_in_four_ways(node: zwerm.Node) -> None:
    cid = await node.add(b"hello")
    for path in (cid, str(cid), f"/ipfs/{cid}", f"ipfs://{cid}", ContentPath.of(cid)):
        assert await content_path(node, path) == ContentPath.of(cid)
        assert await resolve_path(node, path) == cid


async def test_a_path_below_content_ends_at_the_block_it_leads_to(node: zwerm.Node) -> None:
    await node.files.write("/d/file", b"hello", create=True, parents=True)
    root = (await node.files.stat("/d")).cid
    assert await resolve_path(node, f"/ipfs/{root}/file") == (await node.files.stat("/d/file")).cid
    with pytest.raises(NotFoundError):
        await resolve_path(node, f"/ipfs/{root}/none")


async def test_a_file_is_what_it_is_now_or_was_in_a_version(node: zwerm.Node) -> None:
    first = await node.add(b"one", to="/file")
    second = await node.add(b"two", to="/file")
    assert await resolve_path(node, "/file") == second
    assert await resolve_path(node, "/file@~1") == first


async def test_a_name_with_an_at_sign_is_that_file(node: zwerm.Node) -> None:
    await node.add(b"one", to="/file")
    cid = await node.add(b"other", to="/file@~1")
    assert await resolve_path(node, "/file@~1") == cid


async def test_a_file_that_does_not_exist_is_named(node: zwerm.Node) -> None:
    with pytest.raises(FileMissing, match="/none"):
        await resolve_path(node, "/none")


async def test_a_path_that_ends_inside_a_block_leads_to_no_block(node: zwerm.Node) -> None:
    block = Block.create(dag_cbor.encode({"a": {"b": 1}}), multicodec.DAG_CBOR)
    node.store.put([block])
    with pytest.raises(WireError, match=f"ends inside block {block.cid}, at a/b"):
        await resolve_path(node, f"{block.cid}/a/b")


async def test_text_that_is_no_path_is_refused(node: zwerm.Node) -> None:
    with pytest.raises(WireError):
        await content_path(node, "nonsense")


async def test_a_name_is_followed_to_what_it_stands_for(node: zwerm.Node) -> None:
    await node.files.write("/d/file", b"hello", create=True, parents=True)
    directory = (await node.files.stat("/d")).cid

    class Names:
        async def resolve(self, name: str) -> ResolvedName:
            assert name == "example.org"
            return ResolvedName(ContentPath.of(directory))

    with pytest.raises(NameNotFound):
        await content_path(node, "/ipns/example.org/file")
    node.names = Names()
    assert await content_path(node, "/ipns/example.org/file") == ContentPath.of(directory).child("file")
    assert await resolve_path(node, "ipns://example.org/file") == (await node.files.stat("/d/file")).cid
