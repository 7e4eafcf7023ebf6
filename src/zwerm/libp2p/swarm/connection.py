"""Connections as protocols see them: streams with a protocol, on what a transport gave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from zwerm.core.errors import RemoteProtocolError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.multistream.aio import dial
from zwerm.libp2p.multistream.negotiation import Dialer
from zwerm.libp2p.stream import Direction, MuxedConnection, MuxedStream, Stream, StreamReset
from zwerm.libp2p.swarm.bandwidth import Bandwidth
from zwerm.libp2p.swarm.ledger import StreamLedger
from zwerm.libp2p.swarm.limits import Limits
from zwerm.libp2p.swarm.stream import SwarmStream
from zwerm.multiformats.multiaddr import Multiaddr


class SwarmConnection:
    """A connection of a swarm."""

    watch: asyncio.Task[None]  # ends when the connection has, and everybody was told

    def __init__(
        self,
        muxed: MuxedConnection,
        *,
        opened: Instant,
        limits: Limits,
        speaks: Callable[[PeerId, str], bool],
        ledger: StreamLedger,
        bandwidth: Bandwidth,
    ) -> None:
        """`speaks`: whether a peer is known to speak a protocol; `ledger` and `bandwidth` are the swarm's."""
        self.opened = opened
        self.muxed = muxed
        self.closing = ""  # why we close it, once we do
        self._limits = limits
        self._speaks = speaks
        self._ledger = ledger
        self._bandwidth = bandwidth
        self.used = opened  # when a stream was last opened
        self._streams: dict[SwarmStream, None] = {}  # in the order they were opened

    @property
    def remote_peer(self) -> PeerId:
        return self.muxed.remote_peer

    @property
    def local_address(self) -> Multiaddr:
        return self.muxed.local_address

    @property
    def remote_address(self) -> Multiaddr:
        return self.muxed.remote_address

    @property
    def direction(self) -> Direction:
        return self.muxed.direction

    @property
    def security(self) -> str:
        return self.muxed.security

    @property
    def muxer(self) -> str:
        return self.muxed.muxer

    @property
    def is_limited(self) -> bool:
        return self.muxed.is_limited

    @property
    def latency(self) -> float | None:
        """Seconds to the peer and back; None while nothing has measured it."""
        return getattr(self.muxed, "rtt", None)

    def is_superseded(self, newest: SwarmConnection) -> bool:
        """Whether it may be dead: who made it made `newest` too, since which nothing was heard on this one."""
        heard: Instant | None = getattr(self.muxed, "heard", None)
        is_same_way = self is not newest and self.direction is newest.direction
        return is_same_way and heard is not None and heard < newest.opened

    @property
    def streams(self) -> Sequence[Stream]:
        return tuple(self._streams)

    @property
    def stream_count(self) -> int:
        return len(self._streams)

    async def open_stream(self, protocols: Sequence[str]) -> SwarmStream:
        self._ledger.open_outbound()
        try:
            return await self._open_stream(protocols)
        except BaseException:
            self._ledger.close_outbound()
            raise

    async def _open_stream(self, protocols: Sequence[str]) -> SwarmStream:
        muxed = await self.muxed.open_stream()
        try:
            known = next((each for each in protocols if self._speaks(self.remote_peer, each)), None)
            if known is not None:  # it has said all that it speaks: a round trip saved
                return self.add(muxed, Direction.OUTBOUND, known, proposal=Dialer([known]))
            async with asyncio.timeout(self._limits.negotiation_time):
                protocol, ahead = await dial(muxed, protocols)
        except TimeoutError:
            muxed.reset()
            waited = f"in {self._limits.negotiation_time:g} s"
            raise StreamReset(f"no answer of {self.remote_peer} to {', '.join(protocols)} {waited}") from None
        except RemoteProtocolError as error:
            muxed.reset()
            raise StreamReset(str(error)) from error
        except BaseException:
            muxed.reset()
            raise
        return self.add(muxed, Direction.OUTBOUND, protocol, ahead=ahead)

    def add(
        self,
        muxed: MuxedStream,
        direction: Direction,
        protocol: str,
        *,
        ahead: bytes = b"",
        proposal: Dialer | None = None,
    ) -> SwarmStream:
        """Take a stream whose protocol is known, and that the ledger has counted."""
        stream = SwarmStream(
            muxed,
            self,
            direction,
            protocol,
            self._forget,
            self._bandwidth,
            ahead=ahead,
            proposal=proposal,
        )
        self._streams[stream] = None
        self.used = self._bandwidth.now()
        return stream

    def end(self) -> None:
        """Give back what the streams of a connection that is gone count for."""
        for stream in tuple(self._streams):
            stream.reset()

    def _forget(self, stream: SwarmStream) -> None:
        del self._streams[stream]
        if stream.direction is Direction.OUTBOUND:
            self._ledger.close_outbound()
        else:
            self._ledger.close_inbound(self.remote_peer, stream.protocol)

    async def close(self, reason: str = "closed here") -> None:
        self.closing = self.closing or reason
        await self.muxed.close()

    def __repr__(self) -> str:
        return f"SwarmConnection({self.direction.value} {self.remote_peer} {self.remote_address})"
