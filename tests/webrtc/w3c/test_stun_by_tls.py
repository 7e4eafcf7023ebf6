"""`stuns:` among the `iceServers`: an address of ICE-TCP (RFC 6544) from a server that is asked by TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.webrtc.certificate import write_certificate
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection
from zwerm.webrtc.stun.attributes import XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Message

LIMIT = 60.0  # seconds, of a busy machine


@contextlib.asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[int, list[int]]]:
    """It sees everybody as from behind a translator; its port, and those that it was asked from."""
    cert, key = write_certificate(folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    asked: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = Message.parse(await reader.read(1_000))
            asked.append(writer.get_extra_info("peername")[1])
            writer.write(question.success(XOR_MAPPED_ADDRESS(("203.0.113.5", 4_444))).serialize())
            await reader.read()
        except OSError:
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield listener.sockets[0].getsockname()[1], asked


@pytest.mark.parametrize("is_trusted", [True, False], ids=["of an authority we know", "of one we do not know"])
async def test_the_port_that_listens_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    async with asyncio.timeout(LIMIT), server(tmp_path) as (port, asked):
        if is_trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        url = f"stuns:127.0.0.1:{port}"
        configuration = RTCConfiguration(iceServers=[{"urls": url}], includeLoopback=True, interfaces=["127.0.0.1"])
        connection = RTCPeerConnection(configuration)
        failures: list[Any] = []
        connection.onicecandidateerror = failures.append
        told: list[Any] = []
        connection.onicecandidate = told.append
        connection.createDataChannel("any")
        await connection.setLocalDescription()
        lines = connection.localDescription.sdp.splitlines() if connection.localDescription else []
        await connection.close()
    (listening,) = [line.split() for line in lines if " typ host tcptype passive" in line]
    found = [line.split() for line in lines if " typ srflx " in line]
    if not is_trusted:
        assert (found, [failure.url for failure in failures]) == ([], [url])
        return
    assert asked == [int(listening[5])]
    assert [line[2:3] + line[4:] for line in found] == [
        f"tcp 203.0.113.5 4444 typ srflx raddr 127.0.0.1 rport {listening[5]} tcptype passive".split()
    ]
    assert failures == []
    assert [(event.url, event.candidate and event.candidate.url) for event in told if event.url] == [(url, url)]
