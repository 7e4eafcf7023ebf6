"""Calling RPC commands in process, as their three callers do, and uploads made of bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

from zwerm.daemon.rpc.body import Part, PartKind
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Context, RawStream, find
from zwerm.node.node import Node


@dataclasses.dataclass
class Upload:
    """A body made of names and bytes; a name that ends in `/` is a folder, bytes that begin with `-> ` a symlink."""

    files: Iterable[tuple[str, bytes]]
    mode: int | None = None
    mtime: tuple[int, int] | None = None
    piece: int = 100_000

    async def parts(self) -> AsyncIterator[Part]:
        for name, data in self.files:
            if name.endswith("/"):
                yield Part(name.rstrip("/"), self._chunks(b""), PartKind.DIRECTORY)
            elif data.startswith(b"-> "):
                yield Part(name, self._chunks(data[3:]), PartKind.SYMLINK)
            else:
                yield Part(name, self._chunks(data), mode=self.mode, mtime=self.mtime)

    async def _chunks(self, data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), self.piece):
            yield data[start : start + self.piece]


def upload(*data: bytes) -> Upload:
    """Nameless files."""
    return Upload([("", one) for one in data])


def named(**files: bytes) -> Upload:
    return Upload(list(files.items()))


@dataclasses.dataclass
class Rpc:
    """Commands on one node."""

    node: Node
    in_process: bool = False

    async def call(self, path: str, *arguments: str, body: Any = None, **options: Any) -> Any:
        """Run a command; what comes back is its raw result."""
        context = Context(self.node, in_process=self.in_process)
        given = {name.replace("_", "-"): value for name, value in options.items()}
        return await invoke(find(path), context, arguments, given, body)

    async def items(self, path: str, *arguments: str, body: Any = None, **options: Any) -> list[Any]:
        """Run a command that streams documents."""
        result = await self.call(path, *arguments, body=body, **options)
        async with aclosing(result):
            return [item async for item in result]

    async def last(self, path: str, *arguments: str, body: Any = None, **options: Any) -> Any:
        return (await self.items(path, *arguments, body=body, **options))[-1]

    async def data(self, path: str, *arguments: str, body: Any = None, **options: Any) -> bytes:
        """Run a command that gives bytes."""
        result = await self.call(path, *arguments, body=body, **options)
        assert isinstance(result, RawStream)
        async with aclosing(result.chunks) as chunks:
            data = b"".join([chunk async for chunk in chunks])
        assert result.length in (None, len(data))
        return data

    async def add(self, data: bytes, **options: Any) -> str:
        """Add one file, return its address."""
        return (await self.last("add", body=upload(data), **options))["Hash"]
