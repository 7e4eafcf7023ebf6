"""Chains of commits, newest first: our own from the table, any other from its blocks.

A chain of others is followed block by block, first parents only, in constant memory however long it is. It ends where
there is no parent, or at a gap: the parent's CID is known and its block cannot be had.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, NamedTuple, Protocol

from zwerm.core.errors import WireError
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.versions.commit import Commit, is_commit
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats.cid import CID

MAX_COMMITS: Final = 10_000_000  # followed in one chain; a peer cannot make one endless, but long


class Stub(NamedTuple):
    """What is known of a commit before its block is read; `root` None marks a gap, where the chain ends."""

    cid: CID
    root: CID | None
    time: int = 0  # milliseconds since 1970
    kept: bool = True  # whether its content is, as far as we decide
    grafted: bool = False  # whether its commit has grafts


class Chain(Protocol):
    """A history, newest first."""

    def stubs(self) -> AsyncGenerator[Stub, None]:
        """Yield the commits, and at the end a gap if there is one. Errors as `commit`."""
        ...

    async def commit(self, cid: CID) -> Commit:
        """Return a commit of the chain.

        Raises:
            WireError: the block is no commit.
            BlockNotFound: it cannot be had.
        """
        ...


class OwnChain:
    """The history of this node."""

    def __init__(self, table: VersionTable, source: BlockSource) -> None:
        self._table = table
        self._source = source

    async def stubs(self) -> AsyncGenerator[Stub, None]:
        """Yield the commits as the table has them; a page is read at a time."""
        before: int | None = None
        oldest: CID | None = None
        while page := await asyncio.to_thread(self._table.page, before):
            for row in page:
                yield Stub(row.cid, row.root, row.time, row.kept, row.grafted)
            before, oldest = page[-1].sequence, page[-1].cid
        if oldest is not None:
            parents = (await self.commit(oldest)).parents
            if parents:
                yield Stub(parents[0], None)

    async def commit(self, cid: CID) -> Commit:
        return await read_commit(self._source, cid)


class BlockChain:
    """The history that ends with a commit, wherever it came from."""

    def __init__(self, source: BlockSource, head: CID) -> None:
        self._source = source
        self._head = head
        self._last: tuple[CID, Commit] | None = None  # whoever asks for a commit has just been given its stub

    async def stubs(self) -> AsyncGenerator[Stub, None]:
        """Yield the commits by following first parents. A head that cannot be had is an error, not a gap."""
        cid = self._head
        for position in range(MAX_COMMITS):
            try:
                commit = await read_commit(self._source, cid)
            except BlockNotFound:
                if not position:
                    raise
                yield Stub(cid, None)
                return
            self._last = cid, commit
            yield Stub(cid, commit.root, commit.time, grafted=bool(commit.grafts))
            if not commit.parents:
                return
            cid = commit.parents[0]
        raise WireError(f"history of more than {MAX_COMMITS} commits")

    async def commit(self, cid: CID) -> Commit:
        if self._last is not None and self._last[0] == cid:
            return self._last[1]
        return await read_commit(self._source, cid)


async def read_commit(source: BlockSource, cid: CID) -> Commit:
    """Read a commit. Its form is checked, its signature is not.

    Raises:
        WireError: the block is no commit.
        BlockNotFound: it cannot be had.
    """
    if not is_commit(cid):
        raise WireError(f"{cid} is no commit: those are dag-cbor")
    try:
        return Commit.parse(await source.get(cid))
    except WireError as error:
        raise WireError(f"{cid}: {error}") from None
