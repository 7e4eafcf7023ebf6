"""Files as the pages show them: entries, their types, and listings that are sorted and paged."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from zwerm.daemon.app.request import time_text
from zwerm.ipfs.mfs.path import FilePath
from zwerm.ipfs.mfs.status import FileEntry, FileStat, entries
from zwerm.ipfs.source import BlockSource
from zwerm.ipfs.unixfs.data import DataType
from zwerm.ipfs.unixfs.directory.hamt import Shard
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.node import Node
from zwerm.multiformats.cid import CID

SORTED_UP_TO: Final = 10_000  # entries of a directory that is sorted; larger ones come in their own order
_SAMPLE: Final = 4  # shards looked into to guess the size of a directory
_BELOW: Final = 3  # names that a shard in a shard stands for, at least about
_CACHED: Final = 4  # sorted directories remembered, so that its second page does not sort again
_DIGITS: Final = re.compile(r"(\d+)")


def entry_document(path: FilePath, entry: FileEntry) -> dict[str, Any]:
    """Describe one entry of the directory `path`."""
    kind = entry.kind.value if entry.kind else "file"
    size = entry.total_size if entry.kind is Kind.DIRECTORY else entry.size
    return {
        "name": entry.name,
        "path": str(path.child(entry.name)),
        "kind": kind,
        "size": size,
        "cid": str(entry.cid),
        "modified": time_text(entry.mtime[0] if entry.mtime else None),
        "mode": entry.mode,
        "type": media_type(entry.name) if entry.kind is Kind.FILE else None,
        "target": entry.target,
    }


def stat_document(path: FilePath, stat: FileStat) -> dict[str, Any]:
    """Describe what is at `path`."""
    entry = FileEntry(
        path.name, stat.cid, stat.cumulative_size, stat.kind, stat.size, stat.mode, stat.mtime, stat.target
    )
    document = entry_document(path.parent, entry)
    return document | {"path": str(path)}


def media_type(name: str) -> str | None:
    """Guess a type from a name; None when it says nothing."""
    return mimetypes.guess_type(name)[0]


class Listing(NamedTuple):
    """A directory's entries in the order asked for."""

    entries: list[FileEntry]
    sorted: bool  # False: one page in the directory's own order
    more: bool  # there are entries behind these


class Listings:
    """Sorted directories, a few of them remembered by CID: content does not change, so they never go stale."""

    def __init__(self, source: BlockSource) -> None:
        self._source = source
        self._cache: OrderedDict[tuple[CID, str, str], list[FileEntry]] = OrderedDict()

    async def read(self, cid: CID, *, sort: str, order: str, after: str | None, limit: int) -> Listing:
        """Return a directory of up to `SORTED_UP_TO` entries whole and sorted, else the page behind `after`."""
        key = (cid, sort, order)
        known = self._cache.get(key)
        if known is None:
            if await self._is_large(cid):
                return await self._page(cid, after, limit)
            known = [entry async for entry in entries(self._source, cid, long=True)]
            known.sort(key=_SORTS[sort], reverse=order == "desc")
            known.sort(key=lambda entry: entry.kind is not Kind.DIRECTORY)
            self._cache[key] = known
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        self._cache.move_to_end(key)
        return Listing(known, sorted=True, more=False)

    async def _is_large(self, cid: CID) -> bool:
        """Guess from a few blocks whether a directory is too large to sort: hashes spread the names evenly."""
        node = Node.parse(cid, await self._source.get(cid))
        if node.message.type is not DataType.HAMT_SHARD:
            return len(node.links) > SORTED_UP_TO
        below = [link.cid for link in Shard.parse(cid, node).links if link.name is None]
        found = 0
        for child in below[:_SAMPLE]:
            shard = Shard.parse(child, Node.parse(child, await self._source.get(child)))
            found += sum(1 if link.name is not None else _BELOW for link in shard.links)
        estimate = len(node.links) - len(below) + found * len(below) / max(min(len(below), _SAMPLE), 1)
        return estimate > SORTED_UP_TO

    async def _page(self, cid: CID, after: str | None, limit: int) -> Listing:
        page: list[FileEntry] = []
        async for entry in entries(self._source, cid, long=True, after=after):
            if len(page) == limit:
                return Listing(page, sorted=False, more=True)
            page.append(entry)
        return Listing(page, sorted=False, more=False)


def plain(text: str) -> str:
    """Return text without case and accents, for comparing."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts as people do: `2` before `10`, case and accents apart."""
    parts = _DIGITS.split(plain(text))
    return [(0, int(part), "") if part.isdecimal() and len(part) < 20 else (1, 0, part) for part in parts if part]


def _size(entry: FileEntry) -> int:
    return entry.total_size if entry.kind is Kind.DIRECTORY else entry.size


_SORTS: Final[dict[str, Callable[[FileEntry], Any]]] = {
    "name": lambda entry: natural(entry.name),
    "size": lambda entry: (_size(entry), natural(entry.name)),
    "modified": lambda entry: (entry.mtime[0] if entry.mtime else 0, natural(entry.name)),
    "type": lambda entry: (media_type(entry.name) or "~", natural(entry.name)),
}
