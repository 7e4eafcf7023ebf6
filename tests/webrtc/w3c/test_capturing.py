"""Connections write captures where their configuration, or the environment, says so; and keys only when told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webrtc.capture.reader import blocks, packets
from tests.webrtc.w3c.both import HERE, Inbox, announced, connected, signal
from zwerm.core.errors import TransportError
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.w3c.capturing import close_shared

LIMIT = 30.0
SECRETS = 10
WORDS = b"what nobody else should read"


@pytest.fixture(autouse=True)
def nothing_shared() -> Iterator[None]:
    close_shared()
    yield
    close_shared()


async def talk(configuration: RTCConfiguration, *, other: RTCConfiguration = HERE) -> None:
    """Connect, say something, and close."""
    left, right = RTCPeerConnection(configuration), RTCPeerConnection(other)
    ours, there = left.createDataChannel("chat"), announced(right)
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(ours)
        inbox = Inbox(await there)
        ours.send(WORDS)
        await inbox.take(1)
    await left.close()
    await right.close()


async def test_a_path_in_the_configuration_becomes_a_whole_capture_when_the_connection_is_closed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "call.pcapng"
    await talk(RTCConfiguration(includeLoopback=True, capture=path))
    found = packets(path.read_bytes())
    assert {packet.interface for packet in found} == {0, 1}
    assert {packet.direction for packet in found} == {1, 2}
    assert abs(found[0].microseconds / 1_000_000 - time.time()) < 300
    assert any(WORDS in packet.data for packet in found if packet.interface == 1)
    assert not any(WORDS in packet.data for packet in found if packet.interface == 0)
    assert SECRETS not in [block.kind for block in blocks(path.read_bytes())]


async def test_keys_are_written_when_the_configuration_says_so(tmp_path: Path) -> None:
    path = tmp_path / "call.pcapng"
    await talk(RTCConfiguration(includeLoopback=True, capture=str(path), captureKeys=True))
    written = path.read_bytes()
    assert [block.kind for block in blocks(written)].count(SECRETS) == 1
    assert written.count(b"CLIENT_RANDOM") == 1


async def test_connections_may_share_a_file_that_stays_open(tmp_path: Path) -> None:
    capture = CaptureFile(tmp_path / "all.pcapng", now=asyncio.get_running_loop().time(), wall=time.time())
    configuration = RTCConfiguration(includeLoopback=True, capture=capture)
    await talk(configuration, other=configuration)
    once = packets(capture.path.read_bytes())
    assert len([packet for packet in once if WORDS in packet.data]) == 2  # as it left, and as it came
    await talk(configuration)
    assert len(packets(capture.path.read_bytes())) > len(once)
    capture.close()


async def test_the_environment_captures_every_connection_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "process.pcapng"
    monkeypatch.setenv("ZWERM_CAPTURE", str(path))
    await talk(HERE)
    assert len([packet for packet in packets(path.read_bytes()) if WORDS in packet.data]) == 2
    assert b"CLIENT_RANDOM" not in path.read_bytes()


async def test_the_environment_has_to_ask_for_keys_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "process.pcapng"
    monkeypatch.setenv("ZWERM_CAPTURE", str(path))
    monkeypatch.setenv("ZWERM_CAPTURE_KEYS", "1")
    await talk(HERE)
    assert path.read_bytes().count(b"CLIENT_RANDOM") == 2


async def test_a_file_that_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    connection = RTCPeerConnection(RTCConfiguration(includeLoopback=True, capture=tmp_path / "missing" / "call.pcapng"))
    connection.createDataChannel("chat")
    with pytest.raises(TransportError, match="cannot write the capture"):
        await connection.setLocalDescription()
    await connection.close()
