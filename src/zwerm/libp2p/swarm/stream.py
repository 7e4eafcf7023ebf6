"""Streams as protocols see them: agreed on, or with the agreement on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Self

from zwerm.core.errors import RemoteProtocolError
from zwerm.libp2p.multistream.aio import finish
from zwerm.libp2p.multistream.negotiation import Dialer
from zwerm.libp2p.secure import Buffer
from zwerm.libp2p.stream import (
    Connection,
    Direction,
    MuxedStream,
    ProtocolNotSupported,
    ReadPieces,
    StreamReset,
    WritePieces,
)
from zwerm.libp2p.swarm.bandwidth import Bandwidth, Cap

PIECE: Final = 16_384  # bytes that are written at once where there is a cap
PIECES: Final = 65_536  # bytes that are read at once where there is a cap
JOINED: Final = 65_536  # bytes of a first write that are copied behind the proposal, to go out with it


async def _wait(cap: Cap, bandwidth: Bandwidth) -> None:
    while (delay := cap.delay(bandwidth.now())) > 0.0:  # noqa: ASYNC110 -- what is waited for is time
        await asyncio.sleep(delay)


class SwarmStream:
    """A stream of one protocol.

    With `proposal` the protocol is proposed but not agreed on: the proposal goes out with the first write, and the
    answer is read by the first read, which raises `ProtocolNotSupported` when it is no.
    """

    __slots__ = (
        "_ahead",
        "_bandwidth",
        "_connection",
        "_flushed",
        "_has_ended",
        "_is_closed",
        "_meters",
        "_muxed",
        "_on_over",
        "_pieces",
        "_proposal",
        "_unsent",
        "_write_pieces",
        "direction",
        "protocol",
    )

    def __init__(
        self,
        muxed: MuxedStream,
        connection: Connection,
        direction: Direction,
        protocol: str,
        on_over: Callable[[SwarmStream], None],
        bandwidth: Bandwidth,
        *,
        ahead: bytes = b"",
        proposal: Dialer | None = None,
    ) -> None:
        """`ahead` was read with the negotiation; `on_over` is called once, when neither side can say more."""
        self.direction = direction
        self.protocol = protocol
        self._muxed = muxed
        self._pieces: ReadPieces | None = getattr(muxed, "read_pieces", None)
        self._write_pieces: WritePieces | None = getattr(muxed, "write_pieces", None)
        self._connection = connection
        self._on_over: Callable[[SwarmStream], None] | None = on_over
        self._bandwidth = bandwidth
        self._meters = bandwidth.meters(connection.remote_peer, protocol)
        self._ahead = ahead
        self._proposal = proposal
        self._unsent = proposal.data_to_send() if proposal else b""
        self._flushed: asyncio.Future[None] | None = None
        self._has_ended = False  # the peer will say no more, or nobody listens
        self._is_closed = False  # we shall say no more

    @property
    def connection(self) -> Connection:
        return self._connection

    async def read(self, limit: int = 65_536) -> bytes:
        if self._proposal is not None:
            await self._agree(self._proposal)
        if self._ahead:
            data, self._ahead = self._ahead[:limit], self._ahead[limit:]
            self._count(len(data), 0)
            return data
        if self._is_capped:  # before reading: a cancelled wait must lose nothing
            await _wait(self._bandwidth.download, self._bandwidth)
        data = await self._muxed.read(limit)
        if data:
            self._count(len(data), 0)
        else:
            self._has_ended = True
            self._look()
        return data

    async def read_pieces(self, limit: int) -> Sequence[Buffer]:
        if self._pieces is None or self._proposal is not None or self._ahead or self._is_capped:
            data = await self.read(min(limit, PIECES))
            return [data] if data else []
        pieces = await self._pieces(limit)
        if pieces:
            self._count(sum(map(len, pieces)), 0)
        else:
            self._has_ended = True
            self._look()
        return pieces

    @property
    def _is_capped(self) -> bool:
        return self._bandwidth.download.bytes_per_second is not None

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._flushed is not None:  # a reader sends the proposal
            await asyncio.shield(self._flushed)
        if self._unsent:
            first, self._unsent = self._unsent, b""
            if len(data) <= JOINED:
                data = first + data
            else:
                await self._muxed.write(first)
        if self._bandwidth.upload.bytes_per_second is not None:
            await self._write_slowly(data)
            return
        await self._muxed.write(data)
        self._count(0, len(data))

    async def write_pieces(self, pieces: Sequence[Buffer]) -> None:
        is_capped = self._bandwidth.upload.bytes_per_second is not None
        if self._write_pieces is None or self._flushed is not None or self._unsent or is_capped:
            await self.write(b"".join(pieces))
            return
        await self._write_pieces(pieces)
        self._count(0, sum(map(len, pieces)))

    async def _write_slowly(self, data: bytes | bytearray | memoryview) -> None:
        """Write piece by piece, each when the cap lets it go."""
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            await _wait(self._bandwidth.upload, self._bandwidth)
            piece = view[start : start + PIECE]
            await self._muxed.write(piece)
            self._count(0, len(piece))

    def _count(self, received: int, sent: int) -> None:
        bandwidth = self._bandwidth
        now = bandwidth.now()
        for meter in self._meters:
            meter.add(received, sent, now)
        bandwidth.download.charge(received, now)
        bandwidth.upload.charge(sent, now)

    async def close_write(self) -> None:
        await self._send_proposal()
        await self._muxed.close_write()
        self._is_closed = True
        self._look()

    async def close(self) -> None:
        self._has_ended = self._is_closed = True
        try:
            await self._send_proposal()
        except StreamReset:
            self.reset()  # closing does not raise for the peer's doing
        await self._muxed.close()
        self._look()

    def reset(self) -> None:
        self._muxed.reset()
        self._has_ended = self._is_closed = True
        self._look()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self.reset()
        else:
            await self.close()

    def _look(self) -> None:
        if self._has_ended and self._is_closed and self._on_over is not None:
            on_over, self._on_over = self._on_over, None
            on_over(self)

    async def _send_proposal(self) -> None:
        if self._flushed is not None:
            await asyncio.shield(self._flushed)
        if not self._unsent:
            return
        first, self._unsent = self._unsent, b""
        flushed = self._flushed = asyncio.get_running_loop().create_future()
        try:
            await self._muxed.write(first)
        finally:
            self._flushed = None
            flushed.set_result(None)

    async def _agree(self, proposal: Dialer) -> None:
        """Read the answer to what was proposed. Cancelling loses nothing of it."""
        await self._send_proposal()
        try:
            _, self._ahead = await finish(self._muxed, proposal, (self.protocol,))
        except ProtocolNotSupported:
            self.reset()
            raise
        except RemoteProtocolError as error:
            self.reset()
            raise StreamReset(str(error)) from error
        self._proposal = None
