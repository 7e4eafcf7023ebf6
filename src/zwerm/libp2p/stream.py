"""What protocols are written against: a stream of bytes to one peer, and the connection that it belongs to.

libp2p specs, "connections/README.md". A stream is reliable and ordered, each direction closes by itself, and the sender
waits for the reader: a transport takes no more from the peer than its window while nobody reads.

`Stream` and `Connection` are what a `Host` hands out. `MuxedStream` and `MuxedConnection` are what a transport gives
the host: the peer is known and streams open, but no protocol has been agreed on for any of them.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, Self, TypeAlias

from zwerm.core.errors import TransportError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import Buffer
from zwerm.multiformats.multiaddr import Multiaddr

FULL_FRAME: Final = 65_507  # bytes; written in multiples of it, data fills its yamux frames and noise records


class Direction(enum.Enum):
    """Who began."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class StreamReset(TransportError):
    """One side gave the stream up, or its connection broke; what was not yet read is gone."""


class ConnectionClosed(StreamReset):
    """The connection is closed, so it opens no stream. The message says why."""


class ProtocolNotSupported(StreamReset):
    """The peer speaks none of the protocols that were proposed.

    A stream on which bytes went along with the proposal can only say so when it is read.
    """


class MuxedStream(Protocol):
    """One stream, before or after a protocol was agreed on."""

    async def read(self, limit: int = 65_536) -> bytes:
        """Return the next bytes, at least one and at most `limit`; empty when the peer has closed its direction.

        Cancelling loses no byte. One reader at a time.

        Raises:
            StreamReset: see there.
        """
        ...

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, waiting until the transport has taken it: that is its window and a bounded buffer.

        Cancelling leaves an unknown part sent; the stream is only fit for `reset` then. One writer at a time. The
        caller must not change `data` before this returns.

        Raises:
            StreamReset: see there, or our direction is closed.
        """
        ...

    async def close_write(self) -> None:
        """Tell the peer that nothing follows. Idempotent."""
        ...

    async def close(self) -> None:
        """Close our direction and throw away what still comes. Idempotent; never raises for the peer's doing."""
        ...

    def reset(self) -> None:
        """Give up both directions at once. Idempotent."""
        ...


class PieceReader(Protocol):
    """A stream that gives much at once."""

    async def read_pieces(self, limit: int) -> Sequence[Buffer]:
        """Return what came, up to `limit` bytes of it, in pieces as they came; empty at the end. Else as `read`."""
        ...


class PieceWriter(Protocol):
    """A stream that takes much at once."""

    async def write_pieces(self, pieces: Sequence[Buffer]) -> None:
        """Send pieces as if they were one, without joining them; return when all are taken. Else as `write`."""
        ...


ReadPieces: TypeAlias = Callable[[int], Awaitable[Sequence[Buffer]]]
WritePieces: TypeAlias = Callable[[Sequence[Buffer]], Awaitable[None]]


class MuxedConnection(Protocol):
    """A connection to a peer whose identity is proved, with streams."""

    @property
    def remote_peer(self) -> PeerId: ...

    @property
    def local_address(self) -> Multiaddr: ...

    @property
    def remote_address(self) -> Multiaddr: ...

    @property
    def direction(self) -> Direction: ...

    @property
    def security(self) -> str:
        """The protocol that proved the identity, such as `/noise`."""
        ...

    @property
    def muxer(self) -> str:
        """The protocol that carries the streams, such as `/yamux/1.0.0`; the transport's name where that is its own."""
        ...

    @property
    def is_limited(self) -> bool:
        """Whether it runs through a relay that limits time and bytes."""
        ...

    def start(self, on_stream: Callable[[MuxedStream], None]) -> None:
        """Say, once and at once, who gets the streams that the peer opens."""
        ...

    async def open_stream(self) -> MuxedStream:
        """Open a stream.

        Raises:
            ConnectionClosed: see there.
            ResourceLimitError: as many streams as this connection may have are open.
        """
        ...

    async def close(self) -> None:
        """Reset every stream and close. Idempotent."""
        ...

    async def wait_closed(self) -> str:
        """Wait for the end, whoever makes it; return the reason in words."""
        ...


class Stream(MuxedStream, PieceReader, PieceWriter, Protocol):
    """A stream on which both sides speak one protocol.

    As an async context manager it closes at the end of the block, and resets when the block raises.
    """

    @property
    def protocol(self) -> str: ...

    @property
    def connection(self) -> Connection: ...

    @property
    def direction(self) -> Direction: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...


class Connection(Protocol):
    """A connection as protocols see it."""

    @property
    def remote_peer(self) -> PeerId: ...

    @property
    def local_address(self) -> Multiaddr: ...

    @property
    def remote_address(self) -> Multiaddr: ...

    @property
    def direction(self) -> Direction: ...

    @property
    def security(self) -> str: ...

    @property
    def muxer(self) -> str: ...

    @property
    def is_limited(self) -> bool: ...

    @property
    def opened(self) -> Instant: ...

    @property
    def streams(self) -> Sequence[Stream]: ...

    async def open_stream(self, protocols: Sequence[str]) -> Stream:
        """Open a stream and agree on the first of `protocols` that the peer speaks.

        With one protocol that the peer is known to speak, the first write goes along with the proposal.

        Raises:
            ProtocolNotSupported: the peer speaks none of them.
            StreamReset, ResourceLimitError: see `MuxedConnection.open_stream`.
        """
        ...

    async def close(self) -> None: ...
