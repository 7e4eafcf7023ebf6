"""Power loss, simulated: what a process wrote is recorded, and the disk is rebuilt as a power cut could have left it.

`record` runs a program under strace, which sees every call that changes a file, SQLite's too, with its data and in
order. A `Recording` can then be cut anywhere: what was synced before the cut is on the disk; of the rest each write,
truncation, new name or removal is there, is not there, or (a write) is there in part, whatever the order in which it
was made. Names and contents are synced separately: a file's name by its folder, as POSIX has it.

Lines that the program writes to its standard output stand in the recording where they were written: they are how it
says what it has acknowledged.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

SECTOR = 512  # bytes that reach a disk together or not at all
CALLS = (
    "openat,open,creat,mkdir,mkdirat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,"
    "fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,copy_file_range,sendfile"
)


class Mode(enum.Enum):
    """What becomes of the things that were not synced."""

    NOTHING = "all of it is lost"
    NAMES = "names are there, contents are not"
    CONTENTS = "contents are there, names are not"
    ZEROS = "names and sizes are there, contents are zeros"
    UNCUT = "all of it is there, but no file was made shorter"
    RANDOM = "each is there, or not, or torn"
    EVERYTHING = "all of it is there, as after a kill"


@dataclasses.dataclass(slots=True)
class Change:
    """Something that happened to a file's contents or to a folder's names."""

    position: int  # in the recording
    durable: int | None = None  # the position from which on it is on the medium
    offset: int = 0
    data: bytes | None = None  # a write
    size: int | None = None  # a truncation
    name: str | None = None  # in a folder: this name
    node: Node | None = None  # now means that; None: nothing
    old_name: str | None = None  # a rename: this name means nothing any more


class Node:
    """A file or a folder, whatever it is called."""

    def __init__(self, *, folder: bool) -> None:
        self.folder = folder
        self.changes: list[Change] = []

    def sync(self, began: int, ended: int) -> None:
        for change in self.changes:
            if change.durable is None and change.position < began:
                change.durable = ended


class Recording:
    """What one program did to one folder."""

    def __init__(self, root: str) -> None:
        self.lines: list[tuple[int, str]] = []  # positions and lines of its standard output
        self.length = 0  # positions: one for every call
        self._root = root
        self._top = Node(folder=True)
        self._nodes: dict[str, Node] = {root: self._top}  # as the program sees it now

    def image(self, position: int, mode: Mode, seed: int, target: Path) -> None:
        """Build the folder as a power cut behind `position` could have left it."""
        self._build(self._top, target, position, mode, random.Random(f"{seed} {position} {mode}"))

    def unsynced_positions(self) -> list[int]:
        """The positions at which something is in flight: where a cut can do harm."""
        changes = [change for node in self._everything() for change in node.changes]
        return sorted({change.position for change in changes} | {p for c in changes if (p := c.durable) is not None})

    def _everything(self) -> Iterator[Node]:
        seen: set[int] = set()
        waiting = [self._top]
        while waiting:
            node = waiting.pop()
            if id(node) not in seen:
                seen.add(id(node))
                yield node
                waiting += [change.node for change in node.changes if change.node is not None]

    def _build(self, node: Node, target: Path, position: int, mode: Mode, chance: random.Random) -> None:
        if not node.folder:
            target.write_bytes(_contents(node, position, mode, chance))
            return
        target.mkdir(exist_ok=True)
        names: dict[str, Node] = {}
        for change in _surviving(node, position, mode, chance):
            if change.old_name is not None:
                names.pop(change.old_name, None)
            assert change.name is not None
            if change.node is None:
                names.pop(change.name, None)
            else:
                names[change.name] = change.node
        for name, child in sorted(names.items()):
            if not name.endswith("-shm"):  # SQLite's shared memory; never read back after a crash
                self._build(child, target / name, position, mode, chance)

    # What the parser tells

    def create(self, path: str, *, folder: bool = False) -> None:
        if path not in self._nodes and self._inside(path):
            node = self._nodes[path] = Node(folder=folder)
            self._name(path, node)

    def write(self, path: str, offset: int, data: bytes) -> None:
        self._change(path, Change(self.length, offset=offset, data=data))

    def truncate(self, path: str, size: int) -> None:
        self._change(path, Change(self.length, size=size))

    def sync(self, path: str, began: int) -> None:
        if path in self._nodes:
            self._nodes[path].sync(began, self.length)

    def unlink(self, path: str) -> None:
        if self._nodes.pop(path, None) is not None:
            self._name(path, None)

    def rename(self, old: str, new: str) -> None:
        node = self._nodes.pop(old, None)
        if node is None:
            return
        assert os.path.dirname(old) == os.path.dirname(new), "renames between folders are not simulated"
        self._nodes[new] = node
        self._name(new, node, os.path.basename(old))

    def link(self, old: str, new: str) -> None:
        if old in self._nodes:
            self._nodes[new] = self._nodes[old]
            self._name(new, self._nodes[old])

    def _inside(self, path: str) -> bool:
        return os.path.dirname(path) in self._nodes

    def _change(self, path: str, change: Change) -> None:
        if path in self._nodes:
            self._nodes[path].changes.append(change)

    def _name(self, path: str, node: Node | None, old_name: str | None = None) -> None:
        folder = self._nodes.get(os.path.dirname(path))
        if folder is not None:
            name = os.path.basename(path)
            folder.changes.append(Change(self.length, name=name, node=node, old_name=old_name))


def _surviving(node: Node, position: int, mode: Mode, chance: random.Random) -> Iterator[Change]:
    """The changes that a cut leaves, in their order."""
    for change in node.changes:
        if change.position > position:
            return
        is_durable = change.durable is not None and change.durable <= position
        if is_durable or _survives(change, mode, chance):
            yield change


def _survives(change: Change, mode: Mode, chance: random.Random) -> bool:
    if mode is Mode.RANDOM:
        return chance.random() < 0.6
    if mode is Mode.NAMES:
        return change.name is not None
    if mode is Mode.CONTENTS:
        return change.name is None
    if mode is Mode.UNCUT:
        return change.size is None
    return mode in (Mode.ZEROS, Mode.EVERYTHING)


def _contents(node: Node, position: int, mode: Mode, chance: random.Random) -> bytes:
    contents = bytearray()
    for change in _surviving(node, position, mode, chance):
        is_durable = change.durable is not None and change.durable <= position
        if change.size is not None:
            del contents[change.size :]
            contents.extend(bytes(change.size - len(contents)))
        elif change.data is not None:
            end = change.offset + len(change.data)
            contents.extend(bytes(max(end - len(contents), 0)))
            if is_durable or mode in (Mode.EVERYTHING, Mode.CONTENTS, Mode.UNCUT):
                contents[change.offset : end] = change.data
            elif mode is Mode.RANDOM:
                _tear(contents, change.offset, change.data, chance)
    return bytes(contents)


def _tear(contents: bytearray, offset: int, data: bytes, chance: random.Random) -> None:
    """Write all of `data`, or only some of its sectors."""
    share = chance.choice((1.0, 1.0, 0.5, 0.1))
    start = 0
    while start < len(data):
        end = min(start + SECTOR - (offset + start) % SECTOR, len(data))
        if chance.random() < share:
            contents[offset + start : offset + end] = data[start:end]
        start = end


def record(command: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Recording:
    """Run a Python program (its arguments) under strace; return what it did to `folder`, which must be empty."""
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch, "trace")
        strace = shutil.which("strace")
        assert strace is not None, "apt install strace"
        subprocess.run(
            [
                *(strace, "-f", "-y", "-xx", "-s", "8388608", "-o", str(trace), "-e", f"trace={CALLS}"),
                *(sys.executable, "-W", "error", *command),
            ],
            check=True,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            timeout=120,
        )
        return parse(trace, str(folder.resolve()))


_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$", re.DOTALL)
_RESULT = re.compile(r"\) += (-?\d+)")
_HEX = re.compile(r"(?:\\x[0-9a-f]{2})*")
_DESCRIPTOR = re.compile(r"(?:AT_FDCWD|(\d+))<((?:\\x[0-9a-f]{2})*)>(\(deleted\))?")


def parse(trace: Path, root: str) -> Recording:
    """Read strace's output. Calls count from the moment they return; a sync covers what had returned when it began."""
    recording = Recording(root)
    begun: dict[str, tuple[str, str, int]] = {}
    with trace.open() as lines:
        for line in lines:
            match = _LINE.match(line.rstrip("\n"))
            if match is None:
                continue
            recording.length += 1
            process, _, rest, call, arguments = match.groups()
            began = recording.length
            if call is not None and arguments.endswith("<unfinished ...>"):
                begun[process] = (call, arguments.removesuffix("<unfinished ...>"), began)
                continue
            if call is None:
                call, arguments, began = begun.pop(process)
                arguments += rest
            result = _RESULT.search(arguments, arguments.rfind(")"))
            if result is not None and int(result[1]) >= 0:
                _apply(recording, call, arguments[: result.start()], arguments, began, int(result[1]))
    return recording


def _apply(recording: Recording, call: str, arguments: str, line: str, began: int, result: int) -> None:
    if call in ("write", "pwrite64", "writev", "pwritev", "pwritev2"):
        _apply_write(recording, call, arguments, result)
    elif call in ("openat", "open", "creat"):
        if "O_CREAT" in arguments or call == "creat":
            opened = _DESCRIPTOR.search(line, line.rfind("= "))
            assert opened is not None
            recording.create(_text(opened[2]))
        assert "O_TRUNC" not in arguments or not recording._inside(_path(arguments)), (
            "truncating opens are not simulated"
        )
    elif call in ("fsync", "fdatasync"):
        recording.sync(_described(arguments), began)
    elif call == "ftruncate":
        recording.truncate(_described(arguments), int(arguments.rsplit(", ", 1)[1]))
    elif call in ("mkdir", "mkdirat"):
        recording.create(_path(arguments), folder=True)
    elif call in ("unlink", "unlinkat"):
        recording.unlink(_path(arguments))
    elif call in ("rename", "renameat", "renameat2", "link", "linkat"):
        old, new = (_text(quoted) for quoted in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments))
        (recording.link if call.startswith("link") else recording.rename)(old, new)
    else:
        described = _DESCRIPTOR.match(arguments)
        assert described is None or not _text(described[2]).startswith(recording._root), f"{call} is not simulated"


def _apply_write(recording: Recording, call: str, arguments: str, result: int) -> None:
    data = b"".join(_bytes(part) for part in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments))[:result]
    if arguments.startswith("1<"):
        recording.lines += [(recording.length, text) for text in data.decode().splitlines()]
        return
    path = _described(arguments)
    if path in recording._nodes:
        assert call != "write", "writes without an offset are not simulated"
        numbers = re.findall(r", (\d+)(?=,|$)", arguments)
        offset = int(numbers[-2] if call == "pwritev2" else numbers[-1])
        recording.write(path, offset, data)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _text(text: str) -> str:
    return os.fsdecode(_bytes(text))


def _described(arguments: str) -> str:
    """The path of the descriptor that a call begins with; none when the file has been unlinked."""
    found = _DESCRIPTOR.match(arguments)
    assert found is not None
    return "" if found[3] else _text(found[2])


def _path(arguments: str) -> str:
    found = re.search(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
    assert found is not None
    return _text(found[1])
