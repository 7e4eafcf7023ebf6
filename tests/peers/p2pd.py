"""go-libp2p's daemon on loopback, asked over its control socket (libp2p specs of go-libp2p-daemon, "CONTROL.md").

    async with p2pd("-dhtServer", "-forceReachabilityPublic") as peer:
        await peer.connect(identity, addresses)
        async for response in peer.dht(DhtVerb.FIND_PROVIDERS, cid=bytes(cid), count=1): ...

One connection to the socket a question, as its Go client does it. The binary comes with PyPI's hivemind.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

from zwerm.core.protobuf import parse_fields, parse_varint_prefix, serialize_field, serialize_varint
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

_LIBRARY = Path(__file__).parent / "suites" / "p2pd-venv" / "lib"
PATIENCE = 20  # seconds that one question may take, told to the daemon


class Failed(Exception):
    """The daemon answered with an error."""


class DhtVerb(enum.IntEnum):
    FIND_PEER = 0
    FIND_PROVIDERS = 2
    GET_CLOSEST_PEERS = 3
    GET_VALUE = 5
    PUT_VALUE = 7
    PROVIDE = 8


def binary() -> Path:
    (found,) = _LIBRARY.glob("python3.*/site-packages/hivemind/hivemind_cli/p2pd")
    return found


def fields_of(data: bytes) -> dict[int, list[int | bytes]]:
    found: dict[int, list[int | bytes]] = {}
    for number, value in parse_fields(data):
        found.setdefault(number, []).append(value)
    return found


class P2pd:
    """A running daemon."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.peer: PeerId
        self.addresses: list[Multiaddr]

    async def identify(self) -> None:
        """Learn who and where it is."""
        async with self._asking(serialize_field(1, 0)) as reader:
            told = fields_of((await self._ok(reader))[4][0])
        self.peer = PeerId.parse(told[1][0])
        self.addresses = [Multiaddr.parse(address) for address in told[2]]

    async def connect(self, peer: PeerId, addresses: Sequence[Multiaddr]) -> None:
        request = serialize_field(1, peer.multihash)
        request += b"".join(serialize_field(2, bytes(address)) for address in addresses) + serialize_field(3, PATIENCE)
        async with self._asking(serialize_field(1, 1) + serialize_field(2, request)) as reader:
            await self._ok(reader)

    async def dht(
        self,
        verb: DhtVerb,
        *,
        peer: bytes = b"",
        cid: bytes = b"",
        key: bytes = b"",
        value: bytes = b"",
        count: int = 0,
    ) -> AsyncGenerator[bytes | PeerId, None]:
        """Ask its DHT; yields the values or peers of the answer."""
        request = serialize_field(1, int(verb))
        for number, given in ((2, peer), (3, cid), (4, key), (5, value), (6, count), (7, PATIENCE)):
            request += serialize_field(number, given) if given else b""
        async with self._asking(serialize_field(1, 4) + serialize_field(5, request)) as reader:
            told = (await self._ok(reader)).get(5)
            if told is None:
                return
            part = fields_of(told[0])
            while True:
                if 3 in part:
                    yield part[3][0]
                if 2 in part:
                    yield PeerId.parse(fields_of(part[2][0])[1][0])
                if part[1][0] == 2 or (part[1][0] == 1 and verb in (DhtVerb.FIND_PEER, DhtVerb.GET_VALUE)):
                    return
                part = fields_of(await self._message(reader))

    @contextlib.asynccontextmanager
    async def _asking(self, request: bytes) -> AsyncIterator[asyncio.StreamReader]:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        try:
            writer.write(serialize_varint(len(request)) + request)
            yield reader
        finally:
            writer.close()
            await writer.wait_closed()

    async def _message(self, reader: asyncio.StreamReader) -> bytes:
        length = b""
        while not length or length[-1] >= 0x80:
            length += await reader.readexactly(1)
        return await reader.readexactly(parse_varint_prefix(length)[0])

    async def _ok(self, reader: asyncio.StreamReader) -> dict[int, list[int | bytes]]:
        answer = fields_of(await self._message(reader))
        if answer[1][0]:
            raise Failed(bytes(fields_of(answer[2][0])[1][0]).decode())
        return answer


@contextlib.asynccontextmanager
async def p2pd(*options: str) -> AsyncIterator[P2pd]:
    """Start a daemon that listens on a free port of the loopback; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="p2pd-") as folder:
        socket = Path(folder) / "control"
        arguments = ["-listen", f"/unix{socket}", "-hostAddrs", "/ip4/127.0.0.1/tcp/0", *options]
        process = await asyncio.create_subprocess_exec(
            binary(), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                while b"Peer Addrs" not in (line := await process.stdout.readline()):
                    assert line, "p2pd has ended"
                peer = P2pd(socket)
                await peer.identify()
            yield peer
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()
