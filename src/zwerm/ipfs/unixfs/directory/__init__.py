"""Directories: one block of links, or, above a size, a tree sharded by the hash of the name (HAMT)."""

from __future__ import annotations

from zwerm.ipfs.unixfs.directory.builder import DirectoryBuilder
from zwerm.ipfs.unixfs.directory.bulk import DirectoryWriter
from zwerm.ipfs.unixfs.directory.listing import DirEntry, entries, lookup
from zwerm.ipfs.unixfs.directory.listing import entries as list  # noqa: A004 - read as directory.list

__all__ = ["DirEntry", "DirectoryBuilder", "DirectoryWriter", "entries", "list", "lookup"]
