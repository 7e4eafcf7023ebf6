"""Pubsub of go-libp2p's daemon, over its control socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.peers.p2pd import P2pd, fields_of
from zwerm.core.protobuf import serialize_field
from zwerm.identity.peer_id import PeerId

_PUBSUB = 8
_PEERS, _PUBLISH, _SUBSCRIBE = 1, 2, 3


def _request(verb: int, topic: str, data: bytes = b"") -> bytes:
    body = serialize_field(1, verb) + serialize_field(2, topic.encode())
    body += serialize_field(3, data) if data else b""
    return serialize_field(1, _PUBSUB) + serialize_field(8, body)


async def publish(daemon: P2pd, topic: str, data: bytes) -> None:
    async with daemon._asking(_request(_PUBLISH, topic, data)) as reader:
        await daemon._ok(reader)


async def peers(daemon: P2pd, topic: str) -> set[PeerId]:
    async with daemon._asking(_request(_PEERS, topic)) as reader:
        told = (await daemon._ok(reader)).get(7, [b""])
    return {PeerId.parse(bytes(peer)) for peer in fields_of(bytes(told[0])).get(2, [])}  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def subscribed(daemon: P2pd, topic: str) -> AsyncIterator[asyncio.Queue[tuple[PeerId, bytes]]]:
    """Give the messages of a topic as author and data."""
    messages: asyncio.Queue[tuple[PeerId, bytes]] = asyncio.Queue()
    async with daemon._asking(_request(_SUBSCRIBE, topic)) as reader:
        await daemon._ok(reader)

        async def read() -> None:
            while True:
                fields = fields_of(await daemon._message(reader))
                messages.put_nowait((PeerId.parse(bytes(fields[1][0])), bytes(fields[2][0])))  # type: ignore[arg-type]

        task = asyncio.create_task(read())
        try:
            yield messages
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
