"""From `iceServers` to addresses: by which transport, and what is left out."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from zwerm.webrtc.connection import ice_servers
from zwerm.webrtc.connection.ice_servers import find_servers, resolve
from zwerm.webrtc.ice.config import ServerTransport, StunServer, TurnServer
from zwerm.webrtc.stun.uri import IceServer, ServerUri


def server(*urls: str) -> IceServer:
    return IceServer(tuple(ServerUri.from_text(url) for url in urls), "alice", "wonder")


async def test_each_url_is_a_server_with_its_transport() -> None:
    stun, turn = await find_servers(
        [server("stun:192.0.2.1", "turn:192.0.2.2", "turn:192.0.2.2?transport=tcp", "turns:192.0.2.2")]
    )
    assert stun == (StunServer(("192.0.2.1", 3_478), "stun:192.0.2.1"),)
    assert [(one.address, one.transport, one.name) for one in turn] == [
        (("192.0.2.2", 3_478), ServerTransport.UDP, "192.0.2.2"),
        (("192.0.2.2", 3_478), ServerTransport.TCP, "192.0.2.2"),
        (("192.0.2.2", 5_349), ServerTransport.TLS, "192.0.2.2"),
    ]
    assert all(isinstance(one, TurnServer) and one.username == "alice" for one in turn)


async def test_a_stun_server_by_tls_is_asked_for_the_name_in_its_certificate() -> None:
    (stun,), _ = await find_servers([server("stuns:192.0.2.1")])
    assert stun == StunServer(("192.0.2.1", 5_349), "stuns:192.0.2.1", ServerTransport.TLS, "192.0.2.1")


async def test_what_cannot_be_used_is_left_out() -> None:
    stun, turn = await find_servers([server("turns:192.0.2.2?transport=udp")])
    assert (stun, turn) == ((), ())


async def test_a_name_without_an_address_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    async def look_up(host: str, port: int, **_: Any) -> list[Any]:
        if host == "dead.example":
            await asyncio.sleep(1_000)
        if host == "none.example":
            raise socket.gaierror("nothing")
        return [(0, 0, 0, "", (host, port))]

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    monkeypatch.setattr(ice_servers, "LOOK_UP_TIME", 0.01)
    stun, _ = await find_servers([server("stun:dead.example", "stun:none.example", "stun:192.0.2.1")])
    assert [one.address[0] for one in stun] == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"], ["2001:db8::1", "192.0.2.1"]),
        (["::1", "127.0.0.1"], ["::1"]),
        ([], []),
    ],
    ids=["one of each family", "one of this machine", "none"],
)
async def test_the_first_of_each_family_is_used(
    monkeypatch: pytest.MonkeyPatch, answers: list[str], expected: list[str]
) -> None:
    async def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (answer, port)) for answer in answers]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    assert await resolve("some.example", 5) == [(host, 5) for host in expected]


async def test_a_name_that_dns_cannot_have_has_no_address() -> None:
    assert await resolve("x" * 100 + ".example", 5) == []
