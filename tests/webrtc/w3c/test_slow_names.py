"""A server whose name is looked up slowly delays the end of gathering, and no candidate but its own."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.webrtc.w3c.both import happened
from zwerm.webrtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection
from zwerm.webrtc.stun.message import is_stun

LIMIT = 20.0


class SlowNames:
    """Looks names up when the test says so, and finds `address` for each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, address: tuple[str, int]) -> None:
        self.asked: list[str] = []
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self._address = address
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._look_up)

    async def _look_up(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        self.is_asked.set()
        await self.may_answer.wait()
        return [(0, 0, 0, "", self._address)]


def connection_with(server: tuple[str, int], *, trickle: bool) -> RTCPeerConnection:
    urls = [f"stun:slow.example:{server[1]}"]
    options = {"includeLoopback": True, "interfaces": ["lo"], "iceTcp": False, "trickle": trickle}
    connection = RTCPeerConnection(RTCConfiguration([{"urls": urls}], **options))  # type: ignore[arg-type]
    connection.createDataChannel("chat")
    return connection


@pytest.mark.parametrize("answers_first", [False, True], ids=["an offer", "an answer"])
async def test_candidates_come_before_the_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, answers_first: bool
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0)
        names = SlowNames(monkeypatch, server.getsockname())
        connection = connection_with(server.getsockname(), trickle=True)
        told: list[RTCIceCandidate | None] = []
        connection.on("icecandidate", told.append)
        async with asyncio.timeout(LIMIT):
            if answers_first:
                other = RTCPeerConnection(RTCConfiguration(includeLoopback=True, trickle=True))
                other.createDataChannel("chat")
                await connection.setRemoteDescription(await other.createOffer())
                await other.close()
            await connection.setLocalDescription()
            await happened(connection, "icecandidate", lambda: bool(told))
            assert names.asked == ["slow.example"] * len(names.asked)
            assert told[0] is not None
            assert connection.iceGatheringState == "gathering"
            names.may_answer.set()
            request, _ = await asyncio.get_running_loop().sock_recvfrom(server, 1_500)
        assert is_stun(request)
        assert None not in told
        await connection.close()


async def test_without_trickle_the_description_waits_for_the_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0)
        names = SlowNames(monkeypatch, server.getsockname())
        connection = connection_with(server.getsockname(), trickle=False)
        async with asyncio.timeout(LIMIT):
            setting = asyncio.ensure_future(connection.setLocalDescription())
            await happened(connection, "icecandidate", lambda: connection.iceGatheringState == "gathering")
            assert not setting.done()
            names.may_answer.set()
            await asyncio.get_running_loop().sock_recvfrom(server, 1_500)
        await connection.close()
        await setting


async def test_a_connection_that_is_closed_meanwhile_lets_the_name_be(monkeypatch: pytest.MonkeyPatch) -> None:
    names = SlowNames(monkeypatch, ("127.0.0.1", 9))
    connection = connection_with(("127.0.0.1", 9), trickle=True)
    await connection.setLocalDescription()
    await names.is_asked.wait()
    await connection.close()  # leaves no task behind: tests/conftest.py looks
