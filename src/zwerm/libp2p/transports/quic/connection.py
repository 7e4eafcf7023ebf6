"""Connections and streams of QUIC as a swarm holds them, above the session that a port drives."""

from __future__ import annotations

from typing import Final

from zwerm.libp2p.stream import StreamReset
from zwerm.libp2p.tls.handshake import PROTOCOL as TLS
from zwerm.libp2p.transports.quic.address import PROTOCOL
from zwerm.libp2p.transports.quic.events import Authenticated, Event, SessionEnded, StreamArrived, StreamChanged
from zwerm.libp2p.transports.quic.session import Session
from zwerm.libp2p.transports.quic.stream_state import Side, StreamState
from zwerm.libp2p.transports.session_connection import SessionConnection, SessionStream

MUXER: Final = PROTOCOL  # its own streams


class QuicStream(SessionStream[Session, StreamState]):
    """One stream."""

    _connection: QuicConnection

    async def read(self, limit: int = 65_536) -> bytes:
        pieces = await self._read(limit, at_once=False)
        return pieces[0] if pieces else b""

    async def read_pieces(self, limit: int) -> list[bytes]:
        return await self._read(limit, at_once=True)

    async def _read(self, limit: int, *, at_once: bool) -> list[bytes]:
        state = self._state
        while True:
            if self._is_released:
                return []
            if self._is_reset or state.read is Side.RESET:
                raise StreamReset(self._reason)
            if state.unread:
                return self._connection.take(state, limit if at_once else min(limit, len(state.pieces[0])))
            if state.read is not Side.OPEN:
                return []
            await self._wait_readable()

    @property
    def _is_writable(self) -> bool:
        return self._state.write is Side.OPEN

    @property
    def _is_full(self) -> bool:
        return self._state.is_blocked


class QuicConnection(SessionConnection[Session, StreamState, QuicStream]):
    """A connection whose peer has proved who it is."""

    security = TLS
    muxer = MUXER

    @property
    def rtt(self) -> float | None:
        """Seconds to the peer and back."""
        return self.session.rtt

    def take(self, state: StreamState, limit: int) -> list[bytes]:
        """Read for a stream."""
        pieces = self.session.read(state, limit, self.driver.now)
        self.driver.pump_soon()
        self._let_go(state)
        return pieces

    def handle(self, event: Event) -> None:
        match event:
            case StreamChanged(state):
                self._changed(state)
            case StreamArrived(state):
                self._arrived(state)
            case Authenticated():
                self._tell_ready()
            case SessionEnded(reason):
                self._end(reason)
            case _:
                pass  # what the port cares for

    def _make_stream(self, state: StreamState) -> QuicStream:
        return QuicStream(self, state)
