"""libp2p specs, "ping/ping.md": the same bytes come back, however often one asks."""

from __future__ import annotations

import contextlib

import pytest

from tests.libp2p.hosts import hosts
from zwerm.core.errors import RemoteProtocolError, WireError
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.ping.aio import PROTOCOL, SIZE, ping, pings
from zwerm.libp2p.stream import ProtocolNotSupported, Stream


async def test_a_peer_answers_as_often_as_it_is_asked() -> None:
    async with hosts(2) as (alice, bob):
        assert await ping(alice, bob.peer_id) >= 0.0
        async with contextlib.aclosing(pings(alice, bob.peer_id)) as trips:
            assert len([await anext(trips) for _ in range(5)]) == 5


async def test_an_echo_comes_in_pieces_too() -> None:
    async with hosts(2) as (alice, bob), await alice.open_stream(bob.peer_id, [PROTOCOL]) as stream:
        await stream.write(b"x" * (SIZE + 3))
        await stream.close_write()
        echo = b""
        while part := await stream.read(7):
            echo += part
        assert echo == b"x" * (SIZE + 3)


async def test_another_answer_or_none_is_an_error() -> None:
    async with hosts(2, identify=False) as (alice, bob):
        with pytest.raises(ProtocolNotSupported):
            await ping(alice, bob.peer_id)

        async def lie(stream: Stream) -> None:
            await stream.read()
            await stream.write(bytes(SIZE))

        bob.handle(PROTOCOL, lie)
        with pytest.raises(RemoteProtocolError, match="other bytes"):
            await ping(alice, bob.peer_id)
        bob.unhandle(PROTOCOL)

        async def hang_up(stream: Stream) -> None: ...

        bob.handle(PROTOCOL, hang_up)
        with pytest.raises(WireError):
            await ping(alice, bob.peer_id)
        await bob.close()
        alice.peers.remove_addresses(bob.peer_id)
        await alice.disconnect(bob.peer_id)
        with pytest.raises(DialFailed):
            await ping(alice, bob.peer_id)
