"""Directories: one block of links, or, above a size, a tree sharded by the hash of the name (HAMT).

What the package offers is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core import lazy

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
    from zwerm.ipfs.unixfs.directory.bulk import DirectoryWriter
    from zwerm.ipfs.unixfs.directory.listing import DirEntry, entries, lookup
    from zwerm.ipfs.unixfs.directory.listing import entries as list  # noqa: A004 - read as directory.list

__all__ = ["DirEntry", "DirectoryBuilder", "DirectoryWriter", "entries", "list", "lookup"]

__getattr__ = lazy.attributes(
    __name__,
    {
        "DirectoryBuilder": "builder",
        "DirectoryWriter": "bulk",
        "DirEntry": "listing",
        "entries": "listing",
        "list": "listing:entries",
        "lookup": "listing",
    },
)
