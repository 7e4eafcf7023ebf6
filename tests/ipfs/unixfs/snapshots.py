"""What lies on the disk, with all that is kept of it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.ipfs.unixfs.blocks import Blocks
from zwerm.ipfs.unixfs.importer import Importer
from zwerm.ipfs.unixfs.profile import Profile
from zwerm.multiformats.cid import CID

KEEPING = Profile(keep_mode=True, keep_mtime=True, hamt_threshold=500)
TIME = 1_234_567_890_123_456_789


def snapshot(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything that lies under a path, with what is kept of it."""
    found: dict[str, tuple[object, ...]] = {}
    for path in [root, *root.rglob("*")]:
        status = path.lstat()
        content: object = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
        mode = None if path.is_symlink() else status.st_mode & 0o777
        found[str(path.relative_to(root))] = (content, mode, status.st_mtime_ns)
    return found


def stored(path: Path, profile: Profile = KEEPING) -> tuple[Blocks, CID]:
    blocks = Blocks()
    return blocks, Importer(blocks, profile).add_path(path, hidden=True).cid
