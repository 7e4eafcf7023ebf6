"""Two sides of a QUIC connection on a virtual path, with a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.libp2p.hosts import seeded_key
from zwerm.core.machine import Address, Instant
from zwerm.core.random import SYSTEM
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.transports.quic.admission import Begin
from zwerm.libp2p.transports.quic.assembly import QuicIdentity
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.quic.events import Event, StreamArrived
from zwerm.libp2p.transports.quic.packet import parse_long_untrusted
from zwerm.libp2p.transports.quic.session import Session
from zwerm.libp2p.transports.quic.stream_state import StreamState

KEYS: Final = [seeded_key(number) for number in range(3)]
PEERS: Final = [PeerId.of(key.public) for key in KEYS]
DIALER: Final[Address] = ("192.0.2.1", 4_000)
LISTENER: Final[Address] = ("192.0.2.2", 4_001)
WALL_TIME: Final = 1_790_000_000.0  # seconds since 1970: what certificates are made and checked at
LATENCY: Final = 0.01  # seconds, one way


class Sides:
    """A dialer and, from its first datagram on, a listener's side."""

    def __init__(self, config: Config | None = None, *, expected: PeerId | None = PEERS[1]) -> None:
        self.now: Instant = 100.0
        config = config or Config()
        identities = [QuicIdentity(key, SYSTEM, WALL_TIME, config) for key in KEYS]
        self.near = identities[0].dial(LISTENER, expected, now=self.now, wall_time=WALL_TIME)
        self._identity = identities[1]
        self._far: Session | None = None
        self.lose: Callable[[bytes], bool] = lambda data: False
        self.events: dict[Session, list[Event]] = {}

    @property
    def far(self) -> Session:
        assert self._far is not None
        return self._far

    def step(self) -> None:
        """Carry what there is to the other side; let the time of one way pass."""
        to_far = self._take(self.near)
        to_near = self._take(self._far) if self._far else []
        self.now += LATENCY
        if to_far and self._far is None:
            begin = Begin(parse_long_untrusted(to_far[0]).destination, None)
            self._far = self._identity.accept(begin, now=self.now, wall_time=WALL_TIME)
        if to_far:
            self.far.receive_datagrams(to_far, DIALER, self.now)
        if to_near:
            self.near.receive_datagrams(to_near, LISTENER, self.now)
        for session in filter(None, (self.near, self._far)):
            session.handle_timeout(self.now)
            while (event := session.next_event()) is not None:
                self.events.setdefault(session, []).append(event)

    def run(self, until: Callable[[], object], limit: int = 20_000) -> None:
        for _ in range(limit):
            if until():
                return
            self.step()
        raise AssertionError(f"not in {limit * LATENCY:.0f} s: {self.near.reason!r}, {self.far.reason!r}")

    def connect(self) -> None:
        self.run(lambda: self.near.peer and self._far and self._far.peer)

    def told(self, session: Session, kind: type[Event]) -> list[Event]:
        return [event for event in self.events.get(session, []) if isinstance(event, kind)]

    def open(self, first: bytes = b"?") -> tuple[StreamState, StreamState]:
        """Open a stream from near to far; what was sent first is read."""
        before = len(self.told(self.far, StreamArrived))
        ours = self.near.open_stream(self.now)
        self.near.write(ours, memoryview(first), self.now)
        self.run(lambda: len(self.told(self.far, StreamArrived)) > before)
        arrived = self.told(self.far, StreamArrived)[-1]
        assert isinstance(arrived, StreamArrived)
        self.run(lambda: arrived.stream.unread == len(first))
        self.far.read(arrived.stream, len(first), self.now)
        return ours, arrived.stream

    def _take(self, session: Session) -> list[bytes]:
        taken = []
        while (transmit := session.next_transmit()) is not None:
            taken += [data for data in transmit.datagrams() if not self.lose(data)]
        return taken
