"""What was added: the root of a file, directory or symlink, and what a directory must know to link to it."""

from __future__ import annotations

import enum
from typing import NamedTuple

from zwerm.ipfs.unixfs.data import Mtime
from zwerm.multiformats.cid import CID


class Kind(enum.Enum):
    """What a person sees; a sharded directory is a directory."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"


class Entry(NamedTuple):
    """A finished node."""

    cid: CID
    size: int  # bytes of file; of a directory, 0
    total_size: int  # bytes of all blocks: Tsize, what a link to this carries
    kind: Kind = Kind.FILE
    mode: int | None = None
    mtime: Mtime | None = None
