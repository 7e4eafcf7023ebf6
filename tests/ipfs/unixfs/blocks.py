"""Blocks in a dictionary, as a store and as a source that counts what is asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from typing import Any, TypeVar

from zwerm.ipfs.block import Block, BlockNotFound
from zwerm.ipfs.ipld import dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.unixfs.data import UnixFSData
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_Result = TypeVar("_Result")


class Blocks:
    """Keeps what is put, in the order of first putting, and gives it back."""

    def __init__(self) -> None:
        self.data: dict[CID, bytes] = {}
        self.puts = 0  # calls of `put`
        self.asked: list[CID] = []  # what was read, in order

    def put(self, blocks: Iterable[Block]) -> None:
        self.puts += 1
        for block in blocks:
            assert (
                CID(block.cid.version, block.cid.codec, Block.check(block.cid, block.data).cid.multihash) == block.cid
            )
            self.data[block.cid] = block.data

    async def get(self, cid: CID) -> bytes:
        self.asked.append(cid)
        await asyncio.sleep(0)
        if cid.hash_code == multicodec.IDENTITY:
            return cid.digest
        if cid not in self.data:
            raise BlockNotFound(cid)
        return self.data[cid]

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        for cid in cids:
            yield await self.get(cid)

    async def has(self, cid: CID) -> bool:
        return cid in self.data

    def raw(self, data: bytes) -> CID:
        """Put bytes as a raw block."""
        block = Block.create(data)
        self.put([block])
        return block.cid

    def node(self, message: UnixFSData | bytes | None, links: Iterable[PBLink] = ()) -> CID:
        """Put a dag-pb block, well-formed or not in what it says."""
        data = message.serialize() if isinstance(message, UnixFSData) else message
        pieces = [dag_pb.serialize_link(*link) for link in links]
        block = Block.create(dag_pb.join(pieces, data), multicodec.DAG_PB)
        self.put([block])
        return block.cid

    def parsed(self, cid: CID) -> tuple[UnixFSData, tuple[PBLink, ...]]:
        node = PBNode.parse(self.data[cid])
        return UnixFSData.parse(node.data or b""), node.links


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    return asyncio.run(work)
