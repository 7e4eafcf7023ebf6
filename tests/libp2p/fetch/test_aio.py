"""One request, one answer: over memory."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.hosts import hosts
from zwerm.core.errors import RemoteProtocolError, TransportError, WireError
from zwerm.libp2p.fetch.aio import (
    MAX_KEY,
    MAX_VALUE,
    PROTOCOL,
    Status,
    answer_fetches,
    fetch,
    parse_request,
    parse_response,
    serialize_response,
)
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.stream import Stream, StreamReset


async def known(key: bytes) -> bytes | None:
    return b"value" if key == b"key" else None


async def test_a_value_is_given_or_there_is_none() -> None:
    async with hosts(2) as (alice, bob):
        stop = answer_fetches(bob, known)
        assert await fetch(alice, bob.peer_id, b"key") == b"value"
        assert await fetch(alice, bob.peer_id, b"other") is None
        stop()
        with pytest.raises(TransportError):
            await fetch(alice, bob.peer_id, b"key")


async def test_a_request_without_a_key_is_an_error() -> None:
    async with hosts(2) as (alice, bob):
        answer_fetches(bob, known)
        async with await alice.open_stream(bob.peer_id, [PROTOCOL]) as stream:
            await write_message(stream, b"")
            response = await read_message(stream)
        assert response is not None
        assert parse_response(response) == (Status.ERROR, b"")


@pytest.mark.parametrize(
    "answer",
    [serialize_response(Status.ERROR), b"\x08\x09", bytes(MAX_VALUE + 1), None],
    ids=["error", "unknown status", "too long", "nothing"],
)
async def test_what_is_no_answer_is_an_error_of_the_peers(answer: bytes | None) -> None:
    async def wrong(stream: Stream) -> None:
        async with stream:
            await read_message(stream)
            if answer is not None:
                await write_message(stream, answer)

    async with hosts(2) as (alice, bob):
        bob.handle(PROTOCOL, wrong)
        with pytest.raises(RemoteProtocolError):
            await fetch(alice, bob.peer_id, b"key")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_request, parse_response):
        try:
            parse(data)
        except WireError:
            continue


@given(st.sampled_from(Status), st.binary(max_size=60))
def test_an_answer_reads_as_it_was_written(status: Status, value: bytes) -> None:
    assert parse_response(serialize_response(status, value)) == (status, value)


async def test_a_request_that_is_too_long_or_never_comes_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.fetch.aio.REQUEST_TIME", 0.1)
    async with hosts(2, identify=False) as (alice, bob):
        answer_fetches(bob, known)
        for begun in (bytes(MAX_KEY + 17), b""):
            async with asyncio.timeout(10), await alice.open_stream(bob.peer_id, [PROTOCOL]) as stream:
                if begun:
                    await write_message(stream, begun)
                with pytest.raises(StreamReset):
                    await stream.read()
