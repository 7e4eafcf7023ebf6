"""Walks over DAGs: their order, what they fetch, and the limits that end those made to hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from itertools import pairwise

import pytest

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.ipld.traverse import Limits, load, walk
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


class Store:
    """A store in memory, and a source that counts what it is asked for."""

    def __init__(self) -> None:
        self.blocks = MemoryBlockstore()
        self.asked: list[CID] = []
        self._source = LocalSource(self.blocks)

    def put(self, data: bytes, codec: int = multicodec.RAW) -> CID:
        block = Block.create(data, codec)
        self.blocks.put([block])
        return block.cid

    def node(self, *links: CID, data: bytes | None = None) -> CID:
        return self.put(PBNode(tuple(map(PBLink, links)), data).serialize(), multicodec.DAG_PB)

    def document(self, value: object) -> CID:
        return self.put(dag_cbor.encode(value), multicodec.DAG_CBOR)

    async def get(self, cid: CID) -> bytes:
        self.asked.append(cid)
        return await self._source.get(cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        cids = list(cids)
        self.asked += cids
        async for data in self._source.get_many(cids):
            yield data

    async def has(self, cid: CID) -> bool:
        return await self._source.has(cid)

    async def walked(self, *roots: CID, limits: Limits | None = None, repeats: bool = False) -> list[CID]:
        steps = walk(self, roots, limits=limits or Limits(), repeats=repeats)
        return [cid async for cid, _ in steps]


@pytest.fixture
def store() -> Store:
    return Store()


async def test_a_walk_is_depth_first_in_the_order_of_the_links(store: Store) -> None:
    a, b, c, d = (store.put(name.encode()) for name in "abcd")
    left = store.node(b, a)
    right = store.document({"z": [c], "y": {"x": d}})
    root = store.node(left, right)
    assert await store.walked(root) == [root, left, b, a, right, d, c]


async def test_a_walk_yields_the_bytes_of_each_block(store: Store) -> None:
    root = store.node(store.put(b"leaf"), data=b"root")
    assert [data async for _, data in walk(store, [root])] == [PBNode.parse(await store.get(root)).serialize(), b"leaf"]


async def test_a_block_is_yielded_and_fetched_once(store: Store) -> None:
    leaf = store.put(b"leaf")
    inner = store.node(leaf, leaf)
    root = store.node(inner, leaf, inner)
    assert await store.walked(root, root) == [root, inner, leaf]
    assert len(store.asked) == 3


async def test_repeated_blocks_come_as_often_as_links_lead_to_them(store: Store) -> None:
    leaf = store.put(b"leaf")
    inner = store.node(leaf, leaf)
    root = store.node(inner, leaf, inner)
    assert await store.walked(root, repeats=True) == [root, inner, leaf, leaf, leaf, inner, leaf, leaf]


async def test_several_roots_are_walked_one_after_another(store: Store) -> None:
    leaf, other = store.put(b"leaf"), store.put(b"other")
    one, two = store.node(leaf), store.node(leaf, other)
    assert await store.walked(one, two) == [one, leaf, two, other]


async def test_a_codec_that_is_not_known_is_a_leaf(store: Store) -> None:
    odd = store.put(b"anything", 0x300001)
    root = store.document([odd])
    assert await store.walked(root) == [root, odd]


async def test_siblings_are_asked_for_together_and_a_long_list_not_all_at_once(store: Store) -> None:
    leaves = [store.put(b"%d" % number) for number in range(100)]
    root = store.node(*leaves)
    steps = walk(store, [root])
    assert (await anext(steps))[0] == root
    assert (await anext(steps))[0] == leaves[0]
    assert 1 < len(store.asked) - 1 <= 20
    await steps.aclose()


async def test_what_was_fetched_ahead_is_bounded_by_its_size(store: Store) -> None:
    megabyte = 1 << 20
    tower = store.put(b"top")
    for level in range(30):
        siblings = [store.put(bytes([level, number]) * (megabyte // 2)) for number in range(20)]
        tower = store.node(tower, *siblings)
    steps = walk(store, [tower])
    seen = 0
    async for cid, _ in steps:
        seen += 1
        if cid.codec == multicodec.RAW:
            break
    assert len(store.asked) - seen < 60
    await steps.aclose()


async def test_a_missing_block_ends_the_walk_when_its_turn_comes(store: Store) -> None:
    before, after = store.put(b"before"), store.put(b"after")
    missing = CID.of(b"missing")
    root = store.node(before, missing, after)
    walked: list[CID] = []

    async def collect() -> None:
        async for cid, _ in walk(store, [root]):
            walked.append(cid)

    with pytest.raises(BlockNotFound) as caught:
        await collect()
    assert caught.value.cid == missing
    assert walked == [root, before]


async def test_a_missing_root_is_said_at_once(store: Store) -> None:
    with pytest.raises(BlockNotFound):
        await store.walked(CID.of(b"missing"))


async def test_a_block_that_is_not_of_its_codec_ends_the_walk(store: Store) -> None:
    for codec in (multicodec.DAG_PB, multicodec.DAG_CBOR, multicodec.DAG_JSON):
        with pytest.raises(WireError):
            await store.walked(store.put(b"\xff", codec))


async def test_identity_cids_answer_from_themselves_and_count(store: Store) -> None:
    inner = CID.of(b"inside", hash_code=multicodec.IDENTITY)
    node = CID.of(PBNode((PBLink(inner),)).serialize(), multicodec.DAG_PB, multicodec.IDENTITY)
    root = store.node(node)
    assert await load(store, inner) == b"inside"
    assert await store.walked(root) == [root, node, inner]
    assert store.asked == [root]
    with pytest.raises(ResourceLimitError):
        await store.walked(root, limits=Limits(blocks=2))


async def test_a_chain_without_end_is_ended_by_the_depth(store: Store) -> None:
    chain = store.document(None)
    for _ in range(50):
        chain = store.document([chain])
    assert len(await store.walked(chain, limits=Limits(depth=50))) == 51
    with pytest.raises(ResourceLimitError, match="deeper than 49"):
        await store.walked(chain, limits=Limits(depth=49))


async def test_a_block_of_many_links_is_ended_by_the_width(store: Store) -> None:
    root = store.node(*(CID.of(b"%d" % number, hash_code=multicodec.IDENTITY) for number in range(100)))
    assert len(await store.walked(root, limits=Limits(width=100))) == 101
    with pytest.raises(ResourceLimitError, match="100 links"):
        await store.walked(root, limits=Limits(width=99))


async def test_links_to_follow_at_once_are_limited(store: Store) -> None:
    root = store.put(b"end")
    for level in range(10):
        root = store.node(root, *(store.put(b"%d %d" % (level, number)) for number in range(10)))
    with pytest.raises(ResourceLimitError, match="to follow at once"):
        await store.walked(root, limits=Limits(pending=50))


async def test_blocks_and_bytes_are_limited(store: Store) -> None:
    root = store.node(store.put(b"1" * 100), store.put(b"2" * 100))
    size = 200 + len(await store.get(root))
    assert len(await store.walked(root, limits=Limits(blocks=3, size=size))) == 3
    with pytest.raises(ResourceLimitError, match="more than 2 blocks"):
        await store.walked(root, limits=Limits(blocks=2))
    with pytest.raises(ResourceLimitError, match="bytes"):
        await store.walked(root, limits=Limits(size=size - 1))


async def test_a_dag_with_more_ways_than_blocks_is_walked_once_or_ended(store: Store) -> None:
    node = store.put(b"x")
    for _ in range(100):
        node = store.node(node, node)
    assert len(await store.walked(node)) == 101
    with pytest.raises(ResourceLimitError):
        await store.walked(node, limits=Limits(blocks=1_000), repeats=True)


async def test_a_chain_of_thousands_needs_no_stack(store: Store) -> None:
    chain = [store.document(0)]
    for _ in range(3_000):
        chain.append(store.document(chain[-1]))
    assert await store.walked(chain[-1]) == chain[::-1]
    assert all(parent != child for parent, child in pairwise(chain))
