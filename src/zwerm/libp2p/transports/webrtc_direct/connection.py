"""A connection of webrtc-direct and its streams, as a swarm holds them."""

from __future__ import annotations

from typing import Final

from zwerm.libp2p.noise.handshake import PROTOCOL as NOISE
from zwerm.libp2p.stream import StreamReset
from zwerm.libp2p.transports.session_connection import SessionConnection, SessionStream
from zwerm.libp2p.transports.webrtc_direct.events import (
    Authenticated,
    Event,
    SessionEnded,
    StreamArrived,
    StreamChanged,
)
from zwerm.libp2p.transports.webrtc_direct.session import Session
from zwerm.libp2p.transports.webrtc_direct.stream_state import ReadState, StreamState, WriteState

MUXER: Final = "/webrtc"  # as js-libp2p calls it: there is no protocol of that name


class WebRtcDirectStream(SessionStream[Session, StreamState]):
    """One stream."""

    _connection: WebRtcDirectConnection

    async def read(self, limit: int = 65_536) -> bytes:
        while True:
            if self._is_reset or self._state.read is ReadState.RESET:
                raise StreamReset(self._reason)
            data = self._connection.take(self._state, limit)
            if data:
                return data
            if self._state.read is not ReadState.OPEN:
                return b""
            await self._wait_readable()

    @property
    def _is_writable(self) -> bool:
        return self._state.write is WriteState.OPEN


class WebRtcDirectConnection(SessionConnection[Session, StreamState, WebRtcDirectStream]):
    """A connection whose peer has proved who it is."""

    security = NOISE
    muxer = MUXER

    def take(self, state: StreamState, limit: int) -> bytes:
        """Read for a stream."""
        data = self.session.read(state, limit, self.driver.now)
        if data:
            self.driver.pump_soon()
            self._let_go(state)
        return data

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

    def _make_stream(self, state: StreamState) -> WebRtcDirectStream:
        return WebRtcDirectStream(self, state)
