"""Signaling for examples and tools, in aiortc's names and messages: lines of JSON, pasted, by TCP or a Unix socket.

    signaling = create_signaling(arguments)      # of `add_signaling_arguments`
    await signaling.send(pc.localDescription)
    description = await signaling.receive()      # or an RTCIceCandidate, or BYE

Over a socket the side that sends first listens, and the one that receives first connects. A side that is gone without a
word has said BYE too, so that a program which waits for that ends.
"""

from __future__ import annotations

import abc
import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.w3c.errors import RTCTypeError
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate
from zwerm.webrtc.w3c.session_description import RTCSessionDescription

MAX_LINE: Final = 1_048_576  # bytes of one message
RETRY: Final = 0.1  # seconds between attempts to reach a side that does not listen yet
PATIENCE: Final = 100  # attempts
FAREWELL: Final = 1.0  # seconds for the last words to go out

_Connected: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


class SignalingBye:
    """The other side has nothing more to say."""


BYE: Final = SignalingBye()

Signaled: TypeAlias = RTCSessionDescription | RTCIceCandidate | SignalingBye


def object_to_string(obj: Signaled) -> str:
    """Write a message as one line of JSON."""
    match obj:
        case RTCSessionDescription(sdp, kind):
            message: dict[str, Any] = {"sdp": sdp, "type": kind}
        case RTCIceCandidate():
            place = {"id": obj.sdpMid, "label": obj.sdpMLineIndex}
            message = {"candidate": obj.candidate, "type": "candidate"} | place
        case _:
            message = {"type": "bye"}
    return json.dumps(message, sort_keys=True)


def object_from_string(message_str: str) -> Signaled:
    """Read a message.

    Raises:
        WireError: it is none.
    """
    try:
        message = json.loads(message_str)
        kind = message["type"]
        if kind == "bye":
            return BYE
        if kind == "candidate":
            return RTCIceCandidate(message["candidate"], message.get("id"), message.get("label"))
        return RTCSessionDescription(message["sdp"], kind)
    except (ValueError, LookupError, RTCTypeError) as error:
        raise WireError(f"a message of signaling that cannot be read: {error}") from None
    except (TypeError, RecursionError):
        raise WireError("a message of signaling that is no object") from None


class BaseSignaling(abc.ABC):
    """What carries messages between two sides."""

    @abc.abstractmethod
    async def connect(self) -> None:
        """Get ready."""

    @abc.abstractmethod
    async def send(self, descr: Signaled) -> None:
        """Send a message."""

    @abc.abstractmethod
    async def receive(self) -> Signaled:
        """Wait for a message; BYE when none will come.

        Raises:
            WireError: what came is none.
        """

    @abc.abstractmethod
    async def close(self) -> None:
        """Say goodbye, and let go of everything. Twice is harmless."""


class CopyAndPasteSignaling(BaseSignaling):
    """A person carries the lines: from this standard output to the other side's standard input, and back."""

    def __init__(self) -> None:
        self._reader: asyncio.StreamReader | None = None
        self._transport: asyncio.ReadTransport | None = None

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._reader = reader = asyncio.StreamReader(MAX_LINE)
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def send(self, descr: Signaled) -> None:
        _say(f"-- Give this line to the other side --\n{object_to_string(descr)}\n")

    async def receive(self) -> Signaled:
        """Wait for a line; BYE at the end of input."""
        if self._reader is None:
            raise LocalProtocolError("receive before connect")
        _say("-- Enter the line of the other side --")
        return await _read_line(self._reader)

    async def close(self) -> None:
        if self._transport is not None:
            await self.send(BYE)
            self._transport.close()
        self._reader = self._transport = None


class _SocketSignaling(BaseSignaling):
    """One connection, which is made by the first `send` or `receive`."""

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    @abc.abstractmethod
    def _listen(self, connected: _Connected) -> Awaitable[asyncio.Server]: ...

    @abc.abstractmethod
    def _open(self) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]: ...

    async def connect(self) -> None:
        """Nothing: who listens is decided by who speaks first."""

    async def send(self, descr: Signaled) -> None:
        if self._writer is None:
            arrived: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
            arrived = asyncio.get_running_loop().create_future()

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if arrived.done():
                    writer.close()  # there are two sides
                else:
                    arrived.set_result((reader, writer))

            self._server = await self._listen(connected)
            self._reader, self._writer = await arrived
        self._writer.write(object_to_string(descr).encode() + b"\n")

    async def receive(self) -> Signaled:
        for attempt in range(PATIENCE):
            if self._writer is not None:
                break
            try:
                self._reader, self._writer = await self._open()
            except OSError:  # the other side does not listen yet
                if attempt == PATIENCE - 1:
                    raise
                await asyncio.sleep(RETRY)
        return BYE if self._reader is None else await _read_line(self._reader)

    async def close(self) -> None:
        if self._writer is not None:
            await self.send(BYE)
            self._writer.close()
            with contextlib.suppress(OSError):  # the other side was faster, or reads no more
                async with asyncio.timeout(FAREWELL):
                    await self._writer.wait_closed()
        self._reader = self._writer = None
        if self._server is not None:
            self._server.close()
            self._server = None
            self._gone()

    def _gone(self) -> None:
        """Nobody is listened for any more."""


class TcpSocketSignaling(_SocketSignaling):
    """A connection over TCP."""

    def __init__(self, host: str, port: int | str) -> None:
        super().__init__()
        self._host, self._port = host, int(port)

    def _listen(self, connected: _Connected) -> Awaitable[asyncio.Server]:
        return asyncio.start_server(connected, self._host, self._port, limit=MAX_LINE)

    def _open(self) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        return asyncio.open_connection(self._host, self._port, limit=MAX_LINE)


class UnixSocketSignaling(_SocketSignaling):
    """A connection over a Unix socket, which is a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def _listen(self, connected: _Connected) -> Awaitable[asyncio.Server]:
        return asyncio.start_unix_server(connected, self._path, limit=MAX_LINE)

    def _open(self) -> Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        return asyncio.open_unix_connection(self._path, limit=MAX_LINE)

    def _gone(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # Python 3.13 removes it by itself
            os.unlink(self._path)


def add_signaling_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a program's command line the options that `create_signaling` reads."""
    choices = ("copy-and-paste", "tcp-socket", "unix-socket")
    parser.add_argument("-s", "--signaling", choices=choices, help="how offer and answer go (default: copy-and-paste)")
    parser.add_argument("--signaling-host", default="127.0.0.1", help="of tcp-socket (default: %(default)s)")
    parser.add_argument("--signaling-port", default=1234, type=int, help="of tcp-socket (default: %(default)s)")
    parser.add_argument("--signaling-path", default="aiortc.socket", help="of unix-socket (default: %(default)s)")


def create_signaling(args: argparse.Namespace) -> BaseSignaling:
    """Make what the command line asks for."""
    match args.signaling:
        case "tcp-socket":
            return TcpSocketSignaling(args.signaling_host, args.signaling_port)
        case "unix-socket":
            return UnixSocketSignaling(args.signaling_path)
        case _:
            return CopyAndPasteSignaling()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _read_line(reader: asyncio.StreamReader) -> Signaled:
    line = b""
    try:
        while not line.strip():
            line = await reader.readuntil()
    except (asyncio.IncompleteReadError, ConnectionError):
        return BYE
    except asyncio.LimitOverrunError:
        raise WireError(f"a message of signaling of more than {MAX_LINE} bytes") from None
    return object_from_string(line.decode("utf-8", "replace"))
