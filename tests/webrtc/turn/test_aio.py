"""An allocation as asyncio programs see it, when the server is not there or goes away."""

import asyncio

import pytest

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address, Transmit
from zwerm.net.udp import Batch, UdpSocket
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER
from zwerm.webrtc.stun.message import Message
from zwerm.webrtc.stun.uri import ServerUri
from zwerm.webrtc.turn.aio import Allocation, TurnFailed
from zwerm.webrtc.turn.credentials import Credential, Users
from zwerm.webrtc.turn.server.aio import TurnService
from zwerm.webrtc.turn.server.config import RelayHost, TurnServerConfig

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


class Redirecting:
    """A server that names another one, whoever asks."""

    def __init__(self, other: Address | None) -> None:
        self.socket = UdpSocket.open(("127.0.0.1", 0))
        self.socket.on_batch = self._answer
        self.other = other or self.socket.address
        self.asked = 0

    @property
    def uri(self) -> ServerUri:
        return ServerUri.from_text(f"turn:127.0.0.1:{self.socket.address[1]}")

    def _answer(self, batch: Batch) -> None:
        for data in batch.datagrams:
            self.asked += 1
            refusal = Message.parse(data).error(300, "Try Alternate", ALTERNATE_SERVER(self.other))
            self.socket.send(Transmit(refusal.serialize(), batch.source))


async def test_a_server_that_names_another_is_left_for_it() -> None:
    service = TurnService(
        TurnServerConfig((("127.0.0.1", 0),), (RelayHost("127.0.0.1"),)), Users("zwerm", {"alice": "wonder"})
    )
    await service.start()
    first = Redirecting(service.addresses[0][1])
    try:
        async with asyncio.timeout(20), await Allocation.open(first.uri, ALICE) as allocation:
            assert allocation.relayed
        assert first.asked == 1
    finally:
        first.socket.close()
        await service.close()


async def test_servers_that_name_each_other_are_asked_once() -> None:
    first = Redirecting(None)
    try:
        async with asyncio.timeout(20):
            with pytest.raises(TurnFailed, match="Try Alternate"):
                await Allocation.open(first.uri, ALICE)
        assert first.asked == 1
    finally:
        first.socket.close()


class UdpSocketThatSaysNothing:
    def __enter__(self) -> int:
        self.socket = UdpSocket.open(("127.0.0.1", 0))
        return self.socket.address[1]

    def __exit__(self, *_: object) -> None:
        self.socket.close()
