"""Whether a history is what it says: signatures, links, times that do not run backwards, content that is here."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import enum
from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.versions.chain import Chain, Stub
from zwerm.ipfs.versions.commit import Commit
from zwerm.multiformats import multihash
from zwerm.multiformats.cid import CID

FUTURE: Final = 86_400_000  # milliseconds ahead of our clock that are no reason to wonder
MAX_PROBLEMS: Final = 100  # remembered; the others are counted
MAX_AUTHORS: Final = 100
_BREATH: Final = 64  # commits between two moments at which others may run
_LAST_SECOND: Final = 253_402_300_799  # the end of the year 9999


class Severity(enum.Enum):
    """How bad it is."""

    WARNING = "warning"  # odd, and nothing is proved wrong by it
    ERROR = "error"  # the history is not what it says


class Problem(NamedTuple):
    """What is wrong with one commit."""

    commit: CID | None  # None: the newest, which cannot be read
    severity: Severity
    text: str


@dataclasses.dataclass(slots=True)
class Verification:
    """What was found."""

    commits: int = 0  # checked
    authors: list[str] = dataclasses.field(
        default_factory=list
    )  # peer IDs, newest first, each once; at most `MAX_AUTHORS`
    kept: int = 0  # versions whose content is meant to be here
    gap: CID | None = None  # the chain ends here because this commit cannot be had
    problems: list[Problem] = dataclasses.field(default_factory=list)
    omitted: int = 0  # problems beyond `MAX_PROBLEMS`
    valid: bool = True  # no error was found

    def report(self, commit: CID | None, severity: Severity, text: str) -> None:
        """Take note of a problem."""
        self.valid = self.valid and severity is Severity.WARNING
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(commit, severity, text))
        else:
            self.omitted += 1


async def verify(chain: Chain, source: BlockSource, now: int, *, whole: bool) -> Verification:
    """Check a chain from its newest commit to its end, in constant memory.

    A block that is malformed ends the check, since what it links to is not known. Of the content only the root block of
    each version is looked for.

    Args:
        chain: What to check.
        source: Where the content is looked for.
        now: Milliseconds since 1970; a commit from later than that is odd.
        whole: Content that is meant to be kept and is missing is an error, not a warning.

    Raises:
        BlockNotFound: the newest commit cannot be had.
    """
    result = Verification()
    newer: tuple[CID, Commit] | None = None
    try:
        async for stub in chain.stubs():
            if stub.root is None:
                result.gap = stub.cid
                break
            commit = await chain.commit(stub.cid)
            result.commits += 1
            if newer is not None:
                _check_order(result, newer, stub.cid, commit)
            _check_commit(result, stub, commit, now)
            if stub.kept:
                result.kept += 1
                if not await source.has(stub.root):
                    severity = Severity.ERROR if whole else Severity.WARNING
                    result.report(stub.cid, severity, f"the content of this version, {stub.root}, is not here")
            newer = stub.cid, commit
            if result.commits % _BREATH == 0:
                await asyncio.sleep(0)  # a signature takes 0.1 ms, and others want to work too
    except WireError as error:
        result.report(newer[0] if newer else None, Severity.ERROR, str(error))
    return result


def _check_commit(result: Verification, stub: Stub, commit: Commit, now: int) -> None:
    cid = stub.cid
    if not multihash.verify(cid.multihash, commit.to_block().data):
        result.report(cid, Severity.ERROR, "the block is not what its CID says")
    if not commit.signed_by_author():
        result.report(cid, Severity.ERROR, "the signature is not the author's")
    if (commit.root, commit.time) != (stub.root, stub.time):
        result.report(cid, Severity.ERROR, "the index says another root or time than the commit")
    if commit.time > now + FUTURE:
        moment = dt.datetime.fromtimestamp(min(commit.time // 1000, _LAST_SECOND), dt.UTC)
        result.report(cid, Severity.WARNING, f"it is dated {moment:%Y-%m-%d}, which is in the future")
    peer_id = commit.peer_id()
    author = "unknown" if peer_id is None else str(peer_id)
    if author not in result.authors and len(result.authors) < MAX_AUTHORS:
        result.authors.append(author)


def _check_order(result: Verification, newer: tuple[CID, Commit], cid: CID, commit: Commit) -> None:
    if newer[1].parents[:1] != (cid,):
        result.report(newer[0], Severity.ERROR, f"its parent is not {cid}, which the index has before it")
    if newer[1].time < commit.time:
        result.report(newer[0], Severity.WARNING, "it is dated before its parent")
