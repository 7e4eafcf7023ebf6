"""UnixFS: files, directories and symlinks as trees of blocks (specs.ipfs.tech/unixfs).

`builder` and `importer` write, `reader` and `directory` read, `export` brings a tree back to the disk. `profile` says
which of the many trees that one file can be is made. Importing this package makes content paths lead through
directories (`ipld.resolve`).
"""

from __future__ import annotations

from zwerm.ipfs.unixfs import paths
from zwerm.ipfs.unixfs.builder import FileBuilder, NoStore
from zwerm.ipfs.unixfs.directory import DirectoryBuilder, DirectoryWriter, DirEntry
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile, SizeEstimate
from zwerm.ipfs.unixfs.reader import File, Stat, open_file, stat

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

paths.register()
