"""The ping protocol (libp2p specs, "ping/ping.md"): 32 random bytes go, and come back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Final, Protocol

from zwerm.core.errors import RemoteProtocolError
from zwerm.core.random import Random
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.host import Host
from zwerm.libp2p.stream import Stream

PROTOCOL: Final = "/ipfs/ping/1.0.0"
SIZE: Final = 32  # bytes


class PingHost(Host, Protocol):
    """A host that has randomness to give."""

    @property
    def random(self) -> Random: ...


def answer_pings(host: Host) -> None:
    """Let `host` answer pings until it is closed."""
    host.handle(PROTOCOL, _answer, allow_limited=True)


async def ping(host: PingHost, peer: PeerId) -> float:
    """Return the seconds of one round trip to `peer`, connecting first when there is no connection.

    Raises:
        RemoteProtocolError: something else came back.
        DialFailed, ResourceLimitError, ProtocolNotSupported, StreamReset: as `Host.open_stream`.
    """
    async for seconds in pings(host, peer):
        return seconds
    raise AssertionError  # it has no end


async def pings(host: PingHost, peer: PeerId) -> AsyncIterator[float]:
    """Yield one round trip after the other, as fast as they are asked for; raises as `ping`. Close it when done."""
    async with await host.open_stream(peer, [PROTOCOL], allow_limited=True) as stream:
        while True:
            data = host.random.randbytes(SIZE)
            begun = time.perf_counter()  # uvloop's clock counts milliseconds
            await stream.write(data)
            echo = await read_exactly(stream, SIZE)
            if echo != data:
                raise RemoteProtocolError(f"{peer} answered a ping with other bytes")
            yield time.perf_counter() - begun


async def _answer(stream: Stream) -> None:
    while data := await stream.read(SIZE):
        await stream.write(data)
