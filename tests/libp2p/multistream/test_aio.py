"""Negotiating over real streams."""

from __future__ import annotations

import asyncio

import pytest

from tests.libp2p.transports.streams import stream_pair
from zwerm.core.errors import RemoteProtocolError
from zwerm.libp2p.multistream.aio import dial, listen
from zwerm.libp2p.multistream.message import HEADER, serialize
from zwerm.libp2p.stream import ProtocolNotSupported


async def test_both_sides_learn_the_protocol_and_lose_no_byte() -> None:
    async with stream_pair() as (near, far):
        await near.write(serialize(HEADER) + serialize("/no") + serialize("/a") + b"early")
        assert await listen(far, {"/a"}.__contains__) == ("/a", b"early")
        await far.write(b"answer")
        assert (await near.read()).startswith(serialize(HEADER))


async def test_dialing_and_listening_meet() -> None:
    async with stream_pair() as (near, far):
        dialed, listened = await asyncio.gather(dial(near, ["/x", "/a"]), listen(far, {"/a"}.__contains__))
        assert dialed == listened == ("/a", b"")


async def test_a_refusal_names_what_was_proposed() -> None:
    async with stream_pair() as (near, far):
        listening = asyncio.create_task(listen(far, lambda _: False))
        with pytest.raises(ProtocolNotSupported, match="none of /x, /y"):
            await dial(near, ["/x", "/y"])
        await near.close_write()
        with pytest.raises(RemoteProtocolError, match="closed the stream"):
            await listening


async def test_a_peer_that_speaks_something_else_is_an_error_of_its() -> None:
    async with stream_pair() as (near, far):
        await far.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await far.close_write()  # "H" announces 72 bytes, and it is the end that says there are no more
        with pytest.raises(RemoteProtocolError, match="multistream-select"):
            await dial(near, ["/a"])
