"""Programs in the shape of aiortc's examples, as two processes; and what goes between them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc import RTCIceCandidate, RTCSessionDescription
from zwerm.webrtc.contrib.signaling import (
    BYE,
    BaseSignaling,
    CopyAndPasteSignaling,
    Signaled,
    TcpSocketSignaling,
    UnixSocketSignaling,
    add_signaling_arguments,
    create_signaling,
    object_from_string,
    object_to_string,
)

PROGRAM = Path(__file__).with_name("program.py")
LIMIT = 60.0
CANDIDATE = RTCIceCandidate("candidate:1 1 udp 1 192.0.2.1 9 typ host", "0", 0)
OBJECTS: list[Signaled] = [
    RTCSessionDescription("v=0\r\n", "offer"),
    RTCSessionDescription("v=0\r\n", "answer"),
    CANDIDATE,
    RTCIceCandidate("", "0", 0),
    BYE,
]


@contextlib.contextmanager
def _running(*arguments: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", str(PROGRAM), *arguments]
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()  # one that ended by itself does not mind


def _finish(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    return output.split("\n")[:-1]


@pytest.mark.slow
def test_a_chat_of_two_programs_whose_signaling_is_a_unix_socket(tmp_path: Path) -> None:
    where = ("--signaling", "unix-socket", "--signaling-path", str(tmp_path / "signaling"))
    with _running("offer", *where) as left, _running("answer", *where) as right:
        assert _finish(left) == ["pong 0", *(f"pong {'!' * number}" for number in range(1, 6))]
        assert _finish(right) == []
    assert not (tmp_path / "signaling").exists()


@pytest.mark.slow
def test_a_file_streams_between_two_programs_as_bufferedamountlow_lets_it(tmp_path: Path) -> None:
    where = ("--size", "20000000", "-s", "unix-socket", "--signaling-path", str(tmp_path / "signaling"))
    with _running("send", *where) as left, _running("receive", *where) as right:
        (sent,), (received,) = _finish(left), _finish(right)
    assert sent == received


@pytest.mark.slow
def test_two_programs_whose_lines_somebody_pastes() -> None:
    with _running("offer", stdin=subprocess.PIPE) as left, _running("answer", stdin=subprocess.PIPE) as right:
        for source, sink in ((left, right), (right, left)):
            assert source.stdout is not None
            assert sink.stdin is not None
            line = next(line for line in source.stdout if line.startswith("{"))
            sink.stdin.write(f"\n{line}")
            sink.stdin.flush()
        assert _finish(left)[-2].startswith('{"type": "bye"}')
        _finish(right)


@pytest.mark.parametrize("obj", OBJECTS, ids=["offer", "answer", "candidate", "end of candidates", "bye"])
def test_a_message_is_read_as_it_was_written(obj: Signaled) -> None:
    assert object_from_string(object_to_string(obj)) == obj


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", '"bye"', "{}", '{"type": "offer"}', '{"type": "offer", "sdp": 1}', '{"type": "x", "sdp": ""}',
     '{"type": "candidate", "candidate": "x"}', '{"type": ["bye"]}', "[" * 100_000],
    ids=["nothing", "cut", "a list", "a number", "a text", "no type", "no sdp", "an sdp that is a number",
         "another type", "a candidate of no section", "a type that is a list", "deep"],
)  # fmt: skip
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(WireError):
        object_from_string(text)


async def _exchange(left: BaseSignaling, right: BaseSignaling) -> list[Signaled]:
    await left.connect()
    await right.connect()

    async def answer() -> list[Signaled]:
        first = await right.receive()
        await right.send(CANDIDATE)
        return [first, await right.receive()]

    answering = asyncio.ensure_future(answer())
    await left.send(OBJECTS[0])
    back = await left.receive()
    await left.close()
    seen = await answering
    await right.close()
    await right.close()
    return [*seen, back]


async def test_sides_meet_whoever_comes_first_and_hear_the_end(tmp_path: Path, unused_tcp_port: int) -> None:
    def unix() -> BaseSignaling:
        return UnixSocketSignaling(str(tmp_path / "s"))

    def tcp() -> BaseSignaling:
        return TcpSocketSignaling("127.0.0.1", unused_tcp_port)

    async with asyncio.timeout(LIMIT):
        for kind in (unix, tcp):
            assert await _exchange(kind(), kind()) == [OBJECTS[0], BYE, CANDIDATE]


async def test_a_third_side_is_turned_away_and_a_line_without_end_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    left = UnixSocketSignaling(path)
    sending = asyncio.ensure_future(left.send(BYE))
    async with asyncio.timeout(LIMIT):
        right = UnixSocketSignaling(path)
        assert await right.receive() is BYE
        await sending
        reader, writer = await asyncio.open_unix_connection(path)
        assert await reader.read() == b""
        writer.close()
        assert right._writer is not None
        right._writer.write(b"x" * 2_000_000 + b"\n")
        with pytest.raises(WireError):
            await left.receive()
        await left.close()
        await right.close()


def test_the_command_line_says_which(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_signaling_arguments(parser)
    for words, kind in (
        ([], CopyAndPasteSignaling),
        (["-s", "copy-and-paste"], CopyAndPasteSignaling),
        (["-s", "tcp-socket", "--signaling-port", "9"], TcpSocketSignaling),
        (["-s", "unix-socket", "--signaling-path", str(tmp_path)], UnixSocketSignaling),
    ):
        assert type(create_signaling(parser.parse_args(words))) is kind
