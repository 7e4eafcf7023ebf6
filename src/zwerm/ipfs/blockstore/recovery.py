"""Opening a store: make packs and index agree, whatever the last process was doing when it ended.

What the index says was acknowledged is never touched. Bytes behind it are kept as far as they prove themselves: whole
sections whose blocks hash to their CIDs join the index (they were put and not yet synced, or the index is older than
the packs, or lost altogether), and only what follows the last of them is cut off. Compaction leaves its intentions in
the index, so its half-made copies and the packs it had emptied are told apart from packs that hold blocks, and
unlinked.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable
from typing import Final, NamedTuple

from zwerm.core.errors import DiskFull
from zwerm.ipfs.blockstore.disk import Disk, Sync
from zwerm.ipfs.blockstore.index import Index, PackRow, Place, Role
from zwerm.ipfs.blockstore.pack import HEADER, Section, number_of, scan
from zwerm.ipfs.blockstore.packfiles import PackFile, PackFiles

_BATCH: Final = 16_384  # blocks found that are indexed in one transaction


class Recovered(NamedTuple):
    """What opening a store found and did."""

    rebuilt: bool = False  # there was no index beside the packs
    found: int = 0  # blocks that the index did not know
    cut: int = 0  # bytes behind the last whole section that were cut off
    short: tuple[int, ...] = ()  # packs that have lost bytes the index counts on
    missing: tuple[int, ...] = ()  # packs that the index counts on and that are not there
    unread: tuple[int, ...] = ()  # packs with more than the index knows, for which a full disk has no room in it


def has_packs(folder: str) -> bool:
    """Whether the folder holds pack files that have more than a header."""
    return os.path.isdir(folder) and any(size > len(HEADER) for size in _sizes(folder).values())


def _sizes(folder: str) -> dict[int, int]:
    with os.scandir(folder) as entries:
        numbered = [(number_of(entry.name), entry) for entry in entries]
        return {number: entry.stat().st_size for number, entry in numbered if number is not None}


def recover(folder: str, index: Index, files: PackFiles, disk: Disk) -> Recovered:
    """Make the folder ready and let `files` know what is in it."""
    rows = {row.number: row for row in index.packs()}
    os.makedirs(folder, exist_ok=True)
    if not rows:
        disk.sync_directory(os.path.dirname(os.path.abspath(folder)), Sync.FOLDER)
    files.skip(max(rows, default=0))
    for number, size in _sizes(folder).items():
        files.add(number, size)
    _end_compaction(rows.values(), index, files, disk)
    rows = {row.number: row for row in index.packs()}
    report = Recovered(
        rebuilt=bool(index.state("rebuilt")),
        missing=tuple(number for number in rows if files.find(number) is None),
    )
    for number in files.numbers():
        row = rows.get(number)
        file = files.find(number)
        assert file is not None  # noqa: S101 -- for the type checker
        if row is not None and file.size < row.committed:
            report = report._replace(short=(*report.short, number))
        elif row is None or (file.size > row.committed and row.role == Role.KEPT):
            try:
                found, cut = _adopt(file, row, index, files, disk)
            except DiskFull:  # what is there can be read, and room be made; the rest is found at another opening
                report = report._replace(unread=(*report.unread, number))
                continue
            report = report._replace(found=report.found + found, cut=report.cut + cut)
    return report


def _end_compaction(rows: Iterable[PackRow], index: Index, files: PackFiles, disk: Disk) -> None:
    """Keep of half-made copies what the index points at; what lies behind it may be blocks deleted since."""
    copies = [row for row in rows if row.role == Role.COPIES]
    for row in copies:
        file = files.find(row.number)
        if row.committed and file is not None and file.size > row.committed:
            opened = files.acquire(row.number, writing=True)
            assert opened is not None  # noqa: S101 -- it was found a moment ago
            try:
                disk.truncate(opened.descriptor, row.committed)
                disk.sync(opened.descriptor, Sync.CUT_LATER)
                file.size = row.committed
            finally:
                files.release(opened)
    with contextlib.suppress(DiskFull):  # their roles stay for another opening, and nothing looks into them before
        for row in copies:
            with index.database.transaction() as connection:
                index.set_role(connection, row.number, Role.KEPT if row.committed else Role.EMPTIED)
        drop_emptied(index, files, disk)


def drop_emptied(index: Index, files: PackFiles, disk: Disk) -> None:
    """Unlink packs whose blocks are all elsewhere, then forget them."""
    numbers = [row.number for row in index.packs() if row.role == Role.EMPTIED]
    if not numbers:
        return
    for number in numbers:
        if files.find(number) is not None:
            files.remove(number)
    disk.sync_directory(files.folder, Sync.GONE)
    with index.database.transaction() as connection:
        index.drop_packs(connection, numbers)


def _adopt(file: PackFile, row: PackRow | None, index: Index, files: PackFiles, disk: Disk) -> tuple[int, int]:
    """Index what proves itself behind the acknowledged part; return the blocks found and the bytes cut off."""
    opened = files.acquire(file.number, writing=True)
    assert opened is not None  # noqa: S101 -- it was listed a moment ago
    found = 0
    end = row.committed if row is not None else 0
    try:
        disk.sync(opened.descriptor, Sync.FOUND)
        disk.sync_directory(files.folder, Sync.FOUND_PACK)
        sections = scan(opened.descriptor, end or len(HEADER), file.size, resume=row is None)
        intact = (section for section in sections if section.intact)
        while batch := list(itertools.islice(intact, _BATCH)):
            end = batch[-1].end
            found += _insert(batch, file.number, index)
        if row is None and not found:
            files.remove(file.number)  # nobody was ever told that something is in it
            return 0, file.size
        cut = file.size - end
        if cut:
            disk.truncate(opened.descriptor, end)
            file.size = end
        return found, cut
    finally:
        files.release(opened)


def _insert(sections: list[Section], number: int, index: Index) -> int:
    places = {
        section.cid.multihash: Place(number, section.offset, section.size, section.head, 0) for section in sections
    }
    for known in index.find_many(places):
        del places[known]
    places = dict(sorted(places.items()))
    with index.database.transaction() as connection:
        gained = index.insert(connection, places)
        index.grow_pack(connection, number, sections[-1].end, gained.get(number, 0))
    return len(places)
