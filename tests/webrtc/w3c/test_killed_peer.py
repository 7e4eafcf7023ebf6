"""The other side's process is killed with SIGKILL: this side knows of it within the times of RFC 7675."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.webrtc.w3c.both import HERE, Inbox, connected, happened
from zwerm.webrtc import RTCPeerConnection
from zwerm.webrtc.contrib.signaling import UnixSocketSignaling

PROGRAM = Path(__file__).parents[1] / "contrib" / "program.py"
LIMIT = 120.0
DISCONNECTED = 20.0  # seconds: an interval of consent at its longest, three of silence, and room for a busy machine
FAILED = 60.0  # consent lasts 30, one last check 12


@pytest.mark.full
async def test_a_peer_that_is_killed_is_disconnected_then_failed_and_its_channel_can_be_closed(tmp_path: Path) -> None:
    where = str(tmp_path / "signaling")
    arguments = ("answer", "--signaling", "unix-socket", "--signaling-path", where)
    peer = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), *arguments)
    signaling, connection = UnixSocketSignaling(where), RTCPeerConnection(HERE)
    channel = connection.createDataChannel("chat")
    inbox = Inbox(channel)
    clock = asyncio.get_running_loop().time
    told: dict[str, float] = {}
    connection.on("connectionstatechange", lambda: told.setdefault(connection.connectionState, clock()))
    try:
        async with asyncio.timeout(LIMIT):
            await connection.setLocalDescription(await connection.createOffer())
            assert connection.localDescription is not None
            await signaling.send(connection.localDescription)
            answer = await signaling.receive()
            await connection.setRemoteDescription(answer)  # type: ignore[arg-type]
            await connected(channel)
            channel.send("ping")
            assert await inbox.take(1) == ["pong"]
            peer.kill()
            killed = clock()
            channel.send("is anybody there?")
            await happened(connection, "connectionstatechange", lambda: connection.connectionState == "failed")
        assert told["disconnected"] - killed < DISCONNECTED
        assert told["failed"] - killed < FAILED
        assert channel.readyState == "open"  # as the W3C has it: a restart may find the other side again
    finally:
        if peer.returncode is None:
            peer.kill()
        await peer.wait()
        await connection.close()
        await signaling.close()
    assert channel.readyState == "closed"
