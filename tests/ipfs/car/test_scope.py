"""The blocks of a path, as the trustless gateway specification chooses them; the published cases are in interop."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from tests.ipfs.ipld.test_traverse import Store
from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.car.scope import DagScope, EntityRange, select
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import PathNotFound
from zwerm.ipfs.ipld.traverse import DEFAULT_LIMITS, Limits
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.reader import open_file
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


class Part(NamedTuple):
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    def resolve(self, size: int) -> tuple[int, int]:
        return min(self.start, size), min(self.end, size)


@pytest.fixture
def store() -> Store:
    return Store()


def file_of(store: Store, *children: tuple[CID, int]) -> tuple[CID, int]:
    sizes = tuple(size for _, size in children)
    message = UnixFSData(DataType.FILE, filesize=sum(sizes), blocksizes=sizes).serialize()
    node = PBNode(tuple(PBLink(cid, "", size) for cid, size in children), message)
    return store.put(node.serialize(), multicodec.DAG_PB), sum(sizes)


def leaf(store: Store, text: str) -> tuple[CID, int]:
    return store.put(text.encode()), len(text)


def directory(store: Store, **entries: CID) -> CID:
    links = tuple(PBLink(cid, name, 1) for name, cid in sorted(entries.items()))
    return store.put(PBNode(links, UnixFSData(DataType.DIRECTORY).serialize()).serialize(), multicodec.DAG_PB)


async def selected(
    store: Store,
    root: CID,
    *segments: str,
    scope: DagScope | None = None,
    entity: EntityRange | None = None,
    repeats: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> list[CID]:
    path = ContentPath.of(root, *segments)
    steps = select(store, path, scope=scope, entity=entity, repeats=repeats, limits=limits)
    return [cid async for cid, _ in steps]


async def test_each_scope_begins_with_the_path(store: Store) -> None:
    a, b = leaf(store, "aaa"), leaf(store, "bbb")
    file, _ = file_of(store, a, b)
    inner = directory(store, file=file)
    root = directory(store, inner=inner, other=store.put(b"other"))
    assert await selected(store, root, "inner", "file", scope=DagScope.BLOCK) == [root, inner, file]
    assert await selected(store, root, "inner", "file", scope=DagScope.ENTITY) == [root, inner, file, a[0], b[0]]
    assert await selected(store, root, "inner", scope=DagScope.BLOCK) == [root, inner]
    assert await selected(store, root, "inner", scope=DagScope.ENTITY) == [root, inner]
    assert await selected(store, root, "inner", scope=DagScope.ALL) == [root, inner, file, a[0], b[0]]
    assert await selected(store, root, "inner") == [root, inner, file, a[0], b[0]]


async def test_the_entity_of_what_is_no_file_or_directory_is_its_first_block(store: Store) -> None:
    leaf = store.put(b"leaf")
    plain = store.node(leaf, data=b"\xff")
    document = store.document({"a": leaf})
    symlink = store.put(PBNode(data=UnixFSData(DataType.SYMLINK, b"leaf").serialize()).serialize(), multicodec.DAG_PB)
    for root in (leaf, plain, document, symlink):
        for entity in (None, Part(0, 1)):
            assert await selected(store, root, scope=DagScope.ENTITY, entity=entity) == [root]


async def test_a_path_that_ends_inside_a_block_goes_on_below_it(store: Store) -> None:
    wanted, other = store.put(b"wanted"), store.put(b"other")
    root = store.document({"a": {"b": [wanted]}, "c": other})
    assert await selected(store, root, "a") == [root, wanted]
    assert await selected(store, root, "a", "b", "0") == [root, wanted]
    for scope in (DagScope.BLOCK, DagScope.ENTITY):
        assert await selected(store, root, "a", scope=scope) == [root]


async def test_a_path_that_leads_nowhere_is_proved_not_to(store: Store) -> None:
    inner = directory(store, a=store.put(b""))
    root = directory(store, inner=inner)
    found: list[CID] = []

    async def collect(*segments: str) -> None:
        async for cid, _ in select(store, ContentPath.of(root, *segments)):
            found.append(cid)

    with pytest.raises(PathNotFound):
        await collect("inner", "b")
    assert found == [root, inner]


async def test_a_missing_block_comes_after_those_before_it(store: Store) -> None:
    a = leaf(store, "aaa")
    file, _ = file_of(store, a, (CID.of(b"missing"), 7))
    found: list[CID] = []

    async def collect(root: CID) -> None:
        async for cid, _ in select(store, ContentPath.of(root)):
            found.append(cid)

    with pytest.raises(BlockNotFound):
        await collect(file)
    assert found == [file, a[0]]


def small_tree(store: Store) -> tuple[CID, dict[str, CID]]:
    """A file of ten bytes: ((ab cde) (f) (ghij))."""
    ab, cde, f, ghij = (leaf(store, text) for text in ("ab", "cde", "f", "ghij"))
    left, middle, right = file_of(store, ab, cde), file_of(store, f), file_of(store, ghij)
    root = file_of(store, left, middle, right)
    names = {"ab": ab, "cde": cde, "f": f, "ghij": ghij, "left": left, "middle": middle, "right": right, "root": root}
    return root[0], {name: cid for name, (cid, _) in names.items()}


@pytest.mark.parametrize(
    ("start", "end", "blocks"),
    [
        (0, 10, "root left ab cde middle f right ghij"),
        (0, 99, "root left ab cde middle f right ghij"),
        (0, 1, "root left ab"),
        (1, 3, "root left ab cde"),
        (2, 5, "root left cde"),
        (4, 6, "root left cde middle f"),
        (5, 6, "root middle f"),
        (9, 10, "root right ghij"),
        (10, 20, "root"),
        (3, 3, "root"),
        (7, 3, "root"),
    ],
)
async def test_a_part_of_a_file_takes_only_the_blocks_that_hold_it(
    store: Store, start: int, end: int, blocks: str
) -> None:
    root, names = small_tree(store)
    outer = directory(store, file=root)
    expected = [outer, *(names[name] for name in blocks.split())]
    for scope in (None, DagScope.ENTITY, DagScope.ALL):
        assert await selected(store, outer, "file", scope=scope, entity=Part(start, end)) == expected
    assert await selected(store, outer, "file", scope=DagScope.BLOCK, entity=Part(start, end)) == [outer, root]


async def test_the_blocks_of_any_part_of_any_tree_suffice_to_read_it_and_none_is_too_many(store: Store) -> None:
    random_source = random.Random(7)
    parts = [leaf(store, "x" * random_source.randrange(1, 9) + str(number)) for number in range(40)]
    while len(parts) > 1:
        count = random_source.randrange(1, 5)
        at = random_source.randrange(len(parts))
        parts[at : at + count] = [file_of(store, *parts[at : at + count])]
    [(root, size)] = parts
    content = await (await open_file(store, root)).read()
    for _ in range(60):
        start = random_source.randrange(size)
        end = random_source.randrange(start, size) + 1
        chosen = await selected(store, root, entity=Part(start, end))
        partial = Store()
        for cid in chosen:
            partial.put(await store.get(cid), cid.codec)
        store.asked.clear()
        assert await (await open_file(partial, root)).read(start, end - start) == content[start:end]
        assert set(partial.asked) == set(chosen)


async def test_repeated_blocks_come_once_or_every_time(store: Store) -> None:
    x, y = leaf(store, "xx"), leaf(store, "yy")
    inner = file_of(store, x, y)
    root, _ = file_of(store, inner, inner, x)
    whole = [root, inner[0], x[0], y[0], inner[0], x[0], y[0], x[0]]
    assert await selected(store, root) == [root, inner[0], x[0], y[0]]
    assert await selected(store, root, repeats=True) == whole
    assert await selected(store, root, entity=Part(0, 10)) == [root, inner[0], x[0], y[0]]
    assert await selected(store, root, entity=Part(0, 10), repeats=True) == whole
    assert await selected(store, root, entity=Part(3, 5)) == [root, inner[0], y[0], x[0]]
    assert await selected(store, root, entity=Part(3, 5), repeats=True) == [root, inner[0], y[0], inner[0], x[0]]


async def test_a_file_with_more_bytes_than_blocks_is_walked_once_or_ended(store: Store) -> None:
    part = leaf(store, "x")
    for _ in range(60):
        part = file_of(store, part, part)
    root, size = part
    assert len(await selected(store, root, entity=Part(0, size))) == 61
    assert len(await selected(store, root, entity=Part(1, size - 1))) == 61
    with pytest.raises(ResourceLimitError):
        await selected(store, root, entity=Part(0, size), repeats=True, limits=Limits(blocks=1_000))


async def test_a_part_of_a_file_that_lies_about_its_size_is_refused(store: Store) -> None:
    a = leaf(store, "aaa")
    inner, _ = file_of(store, a)
    for root, _ in (file_of(store, (inner, 4)), file_of(store, (directory(store), 3))):
        with pytest.raises(WireError):
            await selected(store, root, entity=Part(0, 2))


async def test_links_to_follow_at_once_are_limited(store: Store) -> None:
    root, _ = file_of(store, *(file_of(store, leaf(store, str(number))) for number in range(50)))
    with pytest.raises(ResourceLimitError):
        await selected(store, root, entity=Part(0, 100), limits=Limits(pending=10))
