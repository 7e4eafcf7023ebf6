"""Uploads as commands see them."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Upload, upload
from zwerm.core.errors import ResourceLimitError
from zwerm.daemon.rpc.body import DiskBody, Part, PartKind, StreamBody, read_one
from zwerm.daemon.rpc.errors import UsageError


async def read(body: DiskBody | StreamBody) -> list[tuple[str, PartKind, bytes]]:
    return [(part.name, part.kind, await part.read(1 << 20)) async for part in body.parts()]


async def test_a_disk_body_yields_folders_before_their_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b").write_bytes(b"2")
    (tmp_path / "d" / "a").write_bytes(b"1")
    (tmp_path / "d" / "l").symlink_to("a")
    assert await read(DiskBody([tmp_path / "d"], recursive=True)) == [
        ("d", PartKind.DIRECTORY, b""),
        ("d/a", PartKind.FILE, b"1"),
        ("d/b", PartKind.FILE, b"2"),
        ("d/l", PartKind.SYMLINK, b"a"),
    ]


async def test_a_disk_body_keeps_metadata_only_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x")
    file.chmod(0o640)
    os.utime(file, ns=(0, 5_000_000_007))
    (bare,) = [part async for part in DiskBody([file]).parts()]
    assert (bare.mode, bare.mtime) == (None, None)
    (full,) = [part async for part in DiskBody([file], ["other"], keep_mode=True, keep_mtime=True).parts()]
    assert (full.name, full.mode, full.mtime, full.size) == ("other", 0o640, (5, 7), 1)


async def test_a_stream_body_reads_a_descriptor_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"x" * 3_000_000)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        (part,) = [part async for part in StreamBody(descriptor, "stdin").parts()]
        assert part.name == "stdin"
        assert await part.read(3_000_000) == b"x" * 3_000_000
    finally:
        os.close(descriptor)


async def test_a_part_is_read_up_to_its_limit_only() -> None:
    (part,) = [part async for part in upload(b"12345").parts()]
    with pytest.raises(ResourceLimitError, match="more than 4 bytes"):
        await part.read(4)


async def test_read_one_takes_one_file() -> None:
    assert await read_one(upload(b"a", b"b"), 10) == b"a"
    with pytest.raises(UsageError, match="missing"):
        await read_one(upload(), 10)
    with pytest.raises(UsageError, match="is no file"):
        await read_one(Upload([("d/", b"")]), 10)


def test_parts_say_what_they_are() -> None:
    assert PartKind("application/x-directory") is PartKind.DIRECTORY
    assert Part("x", None).kind is PartKind.FILE  # type: ignore[arg-type]


async def test_a_pipe_is_read_as_it_fills_and_to_its_end() -> None:
    reading, writing = os.pipe()
    try:
        (part,) = [part async for part in StreamBody(reading).parts()]
        os.write(writing, b"first")
        assert await anext(part.chunks) == b"first"
        later = asyncio.ensure_future(anext(part.chunks))
        os.write(writing, b"second")
        assert await later == b"second"
        os.close(writing)
        assert [chunk async for chunk in part.chunks] == []
    finally:
        os.close(reading)


async def test_waiting_for_a_pipe_can_be_given_up_and_loses_nothing() -> None:
    reading, writing = os.pipe()
    try:
        (part,) = [part async for part in StreamBody(reading).parts()]
        waiting = asyncio.ensure_future(anext(part.chunks))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        os.write(writing, b"still there")
        assert os.read(reading, 100) == b"still there"
    finally:
        os.close(reading)
        os.close(writing)


async def test_what_cannot_be_widened_is_read_all_the_same() -> None:
    """A socket is waited for as a pipe is, and holds what it holds."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"from a socket")
        (part,) = [part async for part in StreamBody(ours.fileno()).parts()]
        assert await part.read(100) == b"from a socket"
