"""UnixFS: files, directories and symlinks as trees of blocks (specs.ipfs.tech/unixfs).

`builder` and `importer` write, `reader` and `directory` read, `export` brings a tree back to the disk. `profile` says
which of the many trees that one file can be is made. Importing this package makes content paths lead through
directories (`ipld.resolve`); what it offers is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core import lazy
from zwerm.ipfs.ipld import directories

if TYPE_CHECKING:
    from zwerm.ipfs.source import BlockSource
    from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
    from zwerm.ipfs.unixfs.directory import DirectoryBuilder, DirectoryWriter, DirEntry
    from zwerm.ipfs.unixfs.entry import Entry, Kind
    from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile, SizeEstimate
    from zwerm.ipfs.unixfs.reader import File, Stat, open_file, stat
    from zwerm.multiformats.cid import CID

__all__ = [
    "DEFAULT",
    "PROFILES",
    "DirEntry",
    "DirectoryBuilder",
    "DirectoryWriter",
    "Entry",
    "File",
    "FileBuilder",
    "Kind",
    "Layout",
    "NoStore",
    "Profile",
    "SizeEstimate",
    "Stat",
    "open_file",
    "stat",
]

__getattr__ = lazy.attributes(
    __name__,
    {
        **dict.fromkeys(("FileBuilder", "NoStore"), "builder"),
        **dict.fromkeys(("DirEntry", "DirectoryBuilder", "DirectoryWriter"), "directory"),
        **dict.fromkeys(("Entry", "Kind"), "entry"),
        **dict.fromkeys(("DEFAULT", "PROFILES", "Layout", "Profile", "SizeEstimate"), "profile"),
        **dict.fromkeys(("File", "Stat", "open_file", "stat"), "reader"),
    },
)


async def _follow(source: BlockSource, cid: CID, name: str) -> CID | None:
    from zwerm.ipfs.unixfs.paths import follow

    return await follow(source, cid, name)


directories.register(_follow)
