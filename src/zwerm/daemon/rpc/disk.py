"""Walking files and folders named on a command line, in the order in which they are sent (Kubo, `ipfs add`).

What is hidden or matches an ignore rule is left out below a named folder; what was named itself is always taken. A pipe
or terminal that was named is read to its end; a device or socket is not: /dev/zero has none.
"""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from zwerm.daemon.rpc.body import DiskBody, PartKind

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.errors import ImportFailed
    from zwerm.ipfs.unixfs.ignore import IgnoreRules

_DESCRIPTORS: Final = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")  # symlinks that stand for what is open there


class _Shape(enum.Enum):
    """What is wrong with a folder that could be read."""

    FOLDER = "not asked for"
    LOOP = "lies in itself"


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
        ImportFailed: a folder without `recursive`, a device or socket, a loop of symbolic links, or something that
            cannot be read; the words are those of `unixfs.walk`.
        OSError: what was named is not there.
    """
    rules = ignore_rules(body)
    for index, path in enumerate(body.paths):
        name = body.names[index] if body.names else path_name(path)
        status = named_status(path, follow=follows(body, path))
        if stat.S_ISDIR(status.st_mode) and not body.recursive:
            raise failed(path, _Shape.FOLDER)
        yield from _walk(body, rules, path, name, "", status, ())


def check_named(body: DiskBody) -> None:
    """Refuse what cannot be added because of what it is, before anything is. Errors as `walk`."""
    for path in body.paths:
        if stat.S_ISDIR(named_status(path, follow=follows(body, path)).st_mode) and not body.recursive:
            raise failed(path, _Shape.FOLDER)
    ignore_rules(body)


def follows(body: DiskBody, path: Path) -> bool:
    """Whether a named symbolic link stands for what it points to."""
    return body.dereference_arguments or body.dereference_symlinks or str(path).startswith(_DESCRIPTORS)


def named_status(path: Path, *, follow: bool) -> os.stat_result:
    """Look at what was named; a link to a pipe or terminal is that.

    Raises:
        ImportFailed: a device or socket.
        OSError: nothing is there.
    """
    status = path.stat() if follow else path.lstat()
    if stat.S_ISLNK(status.st_mode):
        try:
            target = path.stat()
        except OSError:
            return status  # it leads nowhere, and is added as a link
        status = target if is_stream(target) else status
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)) and not (
        is_stream(status) and not _is_endless(path, status)
    ):
        raise failed(path, status)
    return status


def is_stream(status: os.stat_result) -> bool:
    """Whether it is read as it comes: a pipe or a character device."""
    return stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode)


def _is_endless(path: Path, status: os.stat_result) -> bool:
    """Whether it is a device other than a terminal and /dev/null."""
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev == os.stat(os.devnull).st_rdev:
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return not os.isatty(descriptor)
    finally:
        os.close(descriptor)


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
    if stat.S_ISREG(status.st_mode) or (not relative and is_stream(status)):
        yield Entry(name, path, PartKind.FILE, status)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise failed(path, status)
    identity = (status.st_dev, status.st_ino)
    if identity in parents:
        raise failed(path, _Shape.LOOP)
    yield Entry(name, path, PartKind.DIRECTORY, status)
    for child in sorted(_names(path), key=os.fsencode):
        if not body.hidden and child.startswith("."):
            continue
        below = path / child
        child_status = _status(below, follow=body.dereference_symlinks)
        child_relative = f"{relative}/{child}" if relative else child
        if rules is not None and rules.match(child_relative, is_directory=stat.S_ISDIR(child_status.st_mode)):
            continue
        yield from _walk(body, rules, below, f"{name}/{child}", child_relative, child_status, (*parents, identity))


def _names(path: Path) -> list[str]:
    try:
        return os.listdir(path)
    except OSError as error:
        raise failed(path, error) from error


def _status(path: Path, *, follow: bool) -> os.stat_result:
    try:
        return path.stat() if follow else path.lstat()
    except OSError as error:
        raise failed(path, error) from error


def failed(path: Path, why: OSError | os.stat_result | _Shape) -> ImportFailed:
    """Return the error in the importer's words; its modules are heavy, and are not needed unless something is wrong."""
    from zwerm.ipfs.unixfs import disk_file

    if isinstance(why, os.stat_result):
        return disk_file.failed(path, disk_file.special(why))
    if isinstance(why, _Shape):
        return disk_file.failed(path, disk_file.Refused(disk_file.LOOP if why is _Shape.LOOP else disk_file.FOLDER))
    return disk_file.failed(path, why)
