"""`multibase/*`: bytes as text and back (Kubo, "RPC API", `/api/v0/multibase/encode`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.cid import BASE_COLUMNS, bases
from zwerm.daemon.rpc.registry import Context, RawStream, command, file_argument, option
from zwerm.multiformats import multibase

_LIMIT: Final = 1 << 20  # bytes; the text is held in memory
_BASE: Final = option("b", text="The multibase to write.", default="base64url")


@command(
    "multibase/encode",
    "Write bytes as text",
    arguments=[file_argument("file", "The bytes.")],
    options=[_BASE],
    without_node=True,
)
async def multibase_encode(_context: Context, body: Body, b: str = "base64url") -> RawStream:
    return _raw(multibase.encode(await read_one(body, _LIMIT), b).encode())


@command(
    "multibase/decode",
    "Write text as bytes",
    arguments=[file_argument("encoded_file", "The text; its first letter names the base.")],
    without_node=True,
)
async def multibase_decode(_context: Context, body: Body) -> RawStream:
    return _raw(multibase.decode(await _text(body)))


@command(
    "multibase/transcode",
    "Write text in another base",
    arguments=[file_argument("encoded_file", "The text; its first letter names the base.")],
    options=[_BASE],
    without_node=True,
)
async def multibase_transcode(_context: Context, body: Body, b: str = "base64url") -> RawStream:
    return _raw(multibase.encode(multibase.decode(await _text(body)), b).encode())


@command(
    "multibase/list",
    "List the multibases",
    options=BASE_COLUMNS,
    without_node=True,
)
async def multibase_list(_context: Context) -> list[dict[str, Any]]:
    return bases()


async def _text(body: Body) -> str:
    return (await read_one(body, _LIMIT)).decode("utf-8", "replace").strip()


def _raw(data: bytes) -> RawStream:
    async def once() -> AsyncGenerator[bytes, None]:
        yield data

    return RawStream(once(), len(data), "application/octet-stream")
