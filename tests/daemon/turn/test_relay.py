"""A relay that runs in this process: its numbers, its credentials, its certificate."""

import asyncio
from pathlib import Path

import pytest

from tests.webrtc.certificate import write_certificate
from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.turn.numbers import HELP, render
from zwerm.daemon.turn.options import TurnOptions
from zwerm.daemon.turn.relay import TurnRelay, serve_metrics
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.aio import Allocation

LISTEN = ("127.0.0.1:0",)


async def test_it_gives_credentials_that_end_and_takes_them() -> None:
    relay = TurnRelay(TurnOptions(listen=LISTEN, secret="north"))
    await relay.start()
    try:
        credential = relay.time_limited("web", 60)
        assert relay.ice_servers(credential)["iceServers"][0]["username"].endswith(":web")
        async with asyncio.timeout(20), await Allocation.open(relay.uris[0], credential):
            assert (await relay.statistics())["turn_allocations"] == 1
    finally:
        await relay.close()
        await relay.close()


def test_without_a_secret_there_are_none() -> None:
    with pytest.raises(LocalProtocolError, match="secret"):
        TurnRelay(TurnOptions(listen=LISTEN)).time_limited("web")


async def get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_its_numbers_are_served_for_prometheus() -> None:
    relay = TurnRelay(TurnOptions(listen=LISTEN))
    await relay.start()
    server = await serve_metrics(relay, ("127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(20):
            page = await get(port, "/metrics")
            assert b"200 OK" in page
            assert b"\nzwerm_turn_allocations 0\n" in page
            assert b"# TYPE zwerm_turn_bytes_to_peers_total counter\n" in page
            assert b"404" in await get(port, "/")
        numbers = await relay.statistics()
        assert set(numbers) <= set(HELP)
        assert render(numbers).count(b"# HELP") == len(numbers)
    finally:
        server.close()
        await server.wait_closed()
        await relay.close()


async def test_a_new_certificate_is_read_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    relay = TurnRelay(TurnOptions(listen=LISTEN, cert=str(certificate), key=str(key)))
    await relay.start()
    try:
        assert Transport.TLS in [transport for transport, _ in relay.addresses]
        relay.reload()
        certificate.write_text("nothing")
        with pytest.raises(LocalProtocolError, match="--cert"):
            relay.reload()
    finally:
        await relay.close()
