"""STUN on the loopback: over UDP, TCP and TLS, against our own server."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

import pytest

from tests.webrtc.certificate import tls_contexts
from zwerm.core.errors import RemoteProtocolError, TransportError
from zwerm.webrtc.stun.aio import StunService, ask, discover
from zwerm.webrtc.stun.attributes import ALTERNATE_SERVER, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.behaviour import Behaviour
from zwerm.webrtc.stun.message import Message
from zwerm.webrtc.stun.server import ServerConfig
from zwerm.webrtc.stun.uri import ServerUri


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def service(*, has_alternate: bool = False) -> AsyncIterator[int]:
    for _ in range(20):  # somebody may take a free port before we do
        port, other = free_port(), free_port()
        config = ServerConfig(("127.0.0.1", port), ("127.0.0.2", other) if has_alternate else None, software="zwerm")
        server = StunService(config)
        with contextlib.suppress(TransportError):
            await server.start()
            break
    else:
        raise AssertionError("no free port")
    try:
        yield port
    finally:
        await server.close()
        await server.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_server_tells_our_address(transport: str) -> None:
    async with service() as port:
        uri = ServerUri.from_text(f"turn:127.0.0.1:{port}?transport={transport}")
        answer = await ask(uri)
    assert answer.mapped == answer.local
    assert answer.server == ("127.0.0.1", port)
    assert answer.software == "zwerm"


async def test_a_server_is_asked_over_tls() -> None:
    server_tls, client_tls = tls_contexts("127.0.0.1")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = Message.parse(await reader.read(1_000))
        writer.write(message.success(XOR_MAPPED_ADDRESS(("192.0.2.1", 7))).serialize())
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_tls)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        uri = ServerUri.from_text(f"stuns:127.0.0.1:{port}")
        assert (await ask(uri, tls=client_tls)).mapped == ("192.0.2.1", 7)
        with pytest.raises(TransportError, match="certificate"):
            await ask(uri, tls=ssl.create_default_context())


@contextlib.asynccontextmanager
async def sending_on(*alternates: int | None) -> AsyncIterator[int]:
    """A server that sends everybody to one of those ports in turn; None: to itself."""
    left = list(alternates)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        message = Message.parse(await reader.read(1_000))
        alternate = ALTERNATE_SERVER(("127.0.0.1", left.pop(0) or port))
        writer.write(message.error(300, "Try Alternate", alternate).serialize())
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield port


async def test_the_server_that_another_one_names_is_asked() -> None:
    async with service() as port, sending_on(port) as first:
        answer = await ask(ServerUri.from_text(f"turn:127.0.0.1:{first}?transport=tcp"))
    assert answer.server == ("127.0.0.1", port)
    assert answer.mapped == answer.local


async def test_a_server_that_names_itself_is_not_asked_twice() -> None:
    async with sending_on(None) as first:
        with pytest.raises(RemoteProtocolError, match="300 Try Alternate"):
            await ask(ServerUri.from_text(f"turn:127.0.0.1:{first}?transport=tcp"))


async def test_nothing_stands_between_two_ends_of_the_loopback() -> None:
    async with service(has_alternate=True) as port:
        behaviour = await discover(ServerUri.from_text(f"stun:127.0.0.1:{port}"))
    assert not behaviour.is_translated
    assert behaviour.mapping is behaviour.filtering is Behaviour.ENDPOINT_INDEPENDENT


@pytest.mark.parametrize(
    "url", ["turn:127.0.0.1:{}?transport=tcp", "stun:no-such-host.invalid", "turns:x?transport=udp"]
)
async def test_a_server_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(TransportError):
        await ask(ServerUri.from_text(url.format(free_port())))


async def test_a_server_that_speaks_something_else_is_named() -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff" * 20)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(RemoteProtocolError):
            await ask(ServerUri.from_text(f"turn:127.0.0.1:{port}?transport=tcp"))


async def test_a_stream_that_lost_step_is_closed_by_the_server() -> None:
    async with service() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\xff" * 20)
        assert await reader.read() == b""
        writer.close()


async def test_a_port_that_is_taken_is_named_and_nothing_is_left_open() -> None:
    async with service() as port:
        with pytest.raises(TransportError):
            await StunService(ServerConfig(("127.0.0.1", port))).start()
