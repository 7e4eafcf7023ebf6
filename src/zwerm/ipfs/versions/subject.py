"""What a history is asked of: one of the files, or a path below a commit from anywhere."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import aclosing

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.versions.address import BadVersion, Named
from zwerm.ipfs.versions.chain import BlockChain, Chain, OwnChain, read_commit
from zwerm.ipfs.versions.commit import is_commit
from zwerm.ipfs.versions.table import VersionTable
from zwerm.multiformats.cid import CID


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A chain, and the path in its trees."""

    chain: Chain
    path: FilePath
    table: VersionTable | None  # of our own chain; None for another

    @classmethod
    async def of(cls, text: str, table: VersionTable, source: BlockSource) -> Subject:
        """Read `/a/b` or `/ipfs/COMMIT/a/b`.

        Raises:
            BadPath, WireError: neither; or the block is no commit.
            BlockNotFound: the commit cannot be had.
        """
        content = commit_path(text)
        if content is None:
            return cls(OwnChain(table, source), FilePath.from_text(text), table)
        head, below = content
        await read_commit(source, head)
        return cls(BlockChain(source, head), below, None)

    async def position(self, named: Named) -> int:
        """Return how many commits of the chain are newer than the named one; -1 when it is not in this chain.

        Raises:
            BadVersion: it could be more than one.
        """
        if self.table is not None:
            rows = await asyncio.to_thread(self.table.between, named.low, named.high)
            if len(rows) > 1:
                raise BadVersion(f"{named.text} could be any of {', '.join(str(row.cid) for row in rows)}")
            return await asyncio.to_thread(self.table.newer, rows[0].sequence) if rows else -1
        position, found = 0, -1
        async with aclosing(self.chain.stubs()) as stubs:
            async for stub in stubs:
                if named.matches(stub.cid):
                    if found >= 0:
                        raise BadVersion(f"{named.text} could be more than one commit; give more of it")
                    found = position
                    if named.cid is not None:
                        break
                position += 1
        return found


def commit_path(text: str) -> tuple[CID, FilePath] | None:
    """Read `/ipfs/COMMIT/a/b`, or the same without `/ipfs/`; None for a path of the files.

    Raises:
        BadPath: neither.
        WireError: content that is no commit.
    """
    if text.startswith("/") and not text.startswith("/ipfs/"):
        return None
    try:
        path = ContentPath.from_text(text)
    except WireError:
        if text.startswith("/"):
            return None
        raise BadPath(f"{text[:64]!r} is neither a path of the files nor a commit") from None
    if path.cid is None or not is_commit(path.cid):
        raise WireError(f"{text} is no commit, and only those have a history; put it among the files to give it one")
    return path.cid, FilePath(path.segments)
