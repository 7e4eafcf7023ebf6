"""`/libp2p/fetch/0.0.1` on a host (libp2p specs, fetch/README.md): one request and one answer on a stream."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from typing import Final

from zwerm.core import protobuf
from zwerm.core.errors import RemoteProtocolError, WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.host import Host
from zwerm.libp2p.stream import Stream

PROTOCOL: Final = "/libp2p/fetch/0.0.1"
MAX_KEY: Final = 1_024  # bytes
REQUEST_TIME: Final = 90.0  # seconds for a request to come; links are away for a minute
MAX_VALUE: Final = 65_536  # bytes; the values that are asked for have a tenth of it

Lookup = Callable[[bytes], Awaitable[bytes | None]]


class Status(enum.IntEnum):
    """How an answer begins."""

    OK = 0
    NOT_FOUND = 1
    ERROR = 2


def answer_fetches(host: Host, lookup: Lookup) -> Callable[[], None]:
    """Answer requests by `lookup`, which gets an untrusted key; return what ends that."""

    async def answer(stream: Stream) -> None:
        async with stream:
            async with asyncio.timeout(REQUEST_TIME):
                request = await read_message(stream, MAX_KEY + 16)
            if request is None:
                return
            try:
                key = parse_request(request)
            except WireError:
                await write_message(stream, serialize_response(Status.ERROR))
                return
            value = await lookup(key)
            status = Status.NOT_FOUND if value is None else Status.OK
            await write_message(stream, serialize_response(status, value or b""))

    host.handle(PROTOCOL, answer)
    return lambda: host.unhandle(PROTOCOL)


async def fetch(host: Host, peer: PeerId, key: bytes) -> bytes | None:
    """Ask a peer for the value of a key; None when it has none.

    Raises:
        RemoteProtocolError: it could not say, or what it said is no answer.
        DialFailed, ResourceLimitError, ProtocolNotSupported, StreamReset: as `Host.open_stream`.
    """
    async with await host.open_stream(peer, [PROTOCOL]) as stream:
        await write_message(stream, protobuf.serialize_field(1, key))
        await stream.close_write()
        response = await read_message(stream, MAX_VALUE)
        if response is None:
            raise RemoteProtocolError(f"{peer} closed the stream without an answer")
        status, value = parse_response(response)
        if status is Status.ERROR:
            raise RemoteProtocolError(f"{peer} could not look the key up")
        return value if status is Status.OK else None


def parse_request(data: bytes) -> bytes:
    """Read the key out of untrusted bytes; WireError when there is none."""
    for number, value in protobuf.parse_fields(data):
        if number == 1 and isinstance(value, bytes) and value:
            return value
    raise WireError("fetch request without a key")


def parse_response(data: bytes) -> tuple[Status, bytes]:
    """Read untrusted bytes; WireError for a status that there is not."""
    status, found = 0, b""
    for number, value in protobuf.parse_fields(data):
        if number == 1 and isinstance(value, int):
            status = value
        elif number == 2 and isinstance(value, bytes):
            found = value
    try:
        return Status(status), found
    except ValueError:
        raise WireError(f"fetch status {status}, expected 0 to 2") from None


def serialize_response(status: Status, value: bytes = b"") -> bytes:
    return (protobuf.serialize_field(1, int(status)) if status else b"") + (
        protobuf.serialize_field(2, value) if value else b""
    )
