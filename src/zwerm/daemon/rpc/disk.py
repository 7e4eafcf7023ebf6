"""Walking files and folders named on a command line, in the order in which they are sent (Kubo, `ipfs add`).

What is hidden or matches an ignore rule is left out below a named folder; what was named itself is always taken.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.rpc.body import DiskBody, PartKind

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.ignore import IgnoreRules


class Entry(NamedTuple):
    """One thing found on the disk."""

    name: str  # below the named path, `/` between
    path: Path
    kind: PartKind
    status: os.stat_result
    target: str = ""  # of a symbolic link


def walk(body: DiskBody) -> Iterator[Entry]:
    """Yield everything `body` names, folders before what is in them, names sorted.

    Raises:
        LocalProtocolError: a folder without `recursive`, a special file, a loop of symbolic links.
        OSError: something cannot be read.
    """
    rules = ignore_rules(body)
    for index, path in enumerate(body.paths):
        name = body.names[index] if body.names else path_name(path)
        follow = body.dereference_arguments or body.dereference_symlinks
        status = path.stat() if follow else path.lstat()
        if stat.S_ISDIR(status.st_mode) and not body.recursive:
            raise LocalProtocolError(f"{path} is a folder; use -r to add folders with all that is in them")
        yield from _walk(body, rules, path, name, "", status, ())


def ignore_rules(body: DiskBody) -> IgnoreRules | None:
    """Join the rules given one by one and those of a file; OSError when it cannot be read."""
    path = body.ignore_rules_path
    lines = [*body.ignore, *(path.read_text("utf-8").splitlines() if path is not None else ())]
    if not lines:
        return None
    from zwerm.ipfs.unixfs.ignore import GitIgnore

    return GitIgnore(lines)


def path_name(path: Path) -> str:
    """The last component of a path, also of `.` and `/`."""
    return path.name or path.resolve().name or "root"


def _walk(
    body: DiskBody,
    rules: IgnoreRules | None,
    path: Path,
    name: str,
    relative: str,
    status: os.stat_result,
    parents: tuple[tuple[int, int], ...],
) -> Iterator[Entry]:
    if stat.S_ISLNK(status.st_mode):
        yield Entry(name, path, PartKind.SYMLINK, status, os.readlink(path))
        return
    if stat.S_ISREG(status.st_mode) or (not parents and not relative and not stat.S_ISDIR(status.st_mode)):
        yield Entry(name, path, PartKind.FILE, status)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise LocalProtocolError(f"{path} is a device, pipe or socket; leave it out with --ignore")
    identity = (status.st_dev, status.st_ino)
    if identity in parents:
        raise LocalProtocolError(
            f"{path} is a symbolic link to a folder that it is in; add without --dereference-symlinks"
        )
    yield Entry(name, path, PartKind.DIRECTORY, status)
    for child in sorted(os.listdir(path), key=os.fsencode):
        if not body.hidden and child.startswith("."):
            continue
        below = path / child
        child_status = below.stat() if body.dereference_symlinks else below.lstat()
        child_relative = f"{relative}/{child}" if relative else child
        if rules is not None and rules.match(child_relative, is_directory=stat.S_ISDIR(child_status.st_mode)):
            continue
        yield from _walk(body, rules, below, f"{name}/{child}", child_relative, child_status, (*parents, identity))
