"""An allocation as asyncio programs see it, when the server is not there or goes away."""

import asyncio

import pytest

from zwerm.core.errors import TransportError
from zwerm.net.udp import UdpSocket
from zwerm.webrtc.stun.uri import ServerUri
from zwerm.webrtc.turn.aio import Allocation
from zwerm.webrtc.turn.credentials import Credential

ALICE = Credential("alice", "wonder")


async def test_giving_up_leaves_nothing_open() -> None:
    with UdpSocketThatSaysNothing() as port, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Allocation.open(ServerUri.from_text(f"turn:127.0.0.1:{port}"), ALICE)


async def test_a_stream_to_nobody_is_a_failure_that_names_it() -> None:
    with UdpSocketThatSaysNothing() as port, pytest.raises(TransportError, match="takes no connection"):
        await Allocation.open(ServerUri.from_text(f"turn:127.0.0.1:{port}?transport=tcp"), ALICE)


async def test_dtls_is_named_as_what_it_is_not() -> None:
    with pytest.raises(TransportError, match="TURN over DTLS is not supported"):
        await Allocation.open(ServerUri.from_text("turns:127.0.0.1?transport=udp"), ALICE)


class UdpSocketThatSaysNothing:
    def __enter__(self) -> int:
        self.socket = UdpSocket.open(("127.0.0.1", 0))
        return self.socket.address[1]

    def __exit__(self, *_: object) -> None:
        self.socket.close()
