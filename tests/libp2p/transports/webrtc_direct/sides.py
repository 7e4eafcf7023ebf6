"""Two sides of webrtc-direct on a virtual path: a dialer, and a listener that admits it."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Final

from tests.sim.clock import VirtualClock
from tests.sim.pair import LEFT, RIGHT, Pair
from tests.sim.profile import PERFECT, Profile
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.noise.handshake import NoiseHandshake, NoiseIdentity
from zwerm.libp2p.secure import SecureHandshake
from zwerm.libp2p.transports.webrtc_direct.address import Target
from zwerm.libp2p.transports.webrtc_direct.admission import Admission
from zwerm.libp2p.transports.webrtc_direct.assembly import accepted_session, dialing_session
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.events import Authenticated, Event, StreamArrived
from zwerm.libp2p.transports.webrtc_direct.session import MakeProof, Session, State
from zwerm.libp2p.transports.webrtc_direct.stream_state import StreamState
from zwerm.webrtc.dtls.certificate import Certificate

NOW: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CERTIFICATES: Final = [Certificate.generate(now=NOW) for _ in range(3)]
KEYS: Final = [PrivateKey.generate() for _ in range(3)]
PEERS: Final = [PeerId.of(key.public) for key in KEYS]


def proving(index: int, random: Random, expected: PeerId | None = None, spoil: bytes = b"") -> MakeProof:
    """Noise by the key of that index; `spoil` is put behind the prologue."""
    identity = NoiseIdentity(KEYS[index], random)

    def make(is_initiator: bool, prologue: bytes) -> SecureHandshake:
        return NoiseHandshake(
            identity, is_initiator=is_initiator, random=random, expected=expected, prologue=prologue + spoil
        )

    return make


class Listening:
    """A listener with room for one: strangers are admitted as a real one would."""

    def __init__(self, address: Address, make_proof: MakeProof, random: Random, config: Config) -> None:
        self.admission = Admission(config)
        self.session: Session | None = None
        self._address = address
        self._make_proof = make_proof
        self._random = random
        self._config = config
        self._answers: list[Transmit] = []

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        if self.session is None:
            verdict = self.admission.receive(data, source, now, is_open=True)
            if verdict.answer is not None:
                self._answers.append(Transmit(verdict.answer, source))
            if verdict.caller is None:
                return verdict.answer is not None
            self.session = accepted_session(
                verdict.caller,
                source,
                self._address,
                CERTIFICATES[1],
                self._make_proof,
                random=self._random,
                now=now,
                config=self._config,
            )
        return self.session.receive_datagram(data, source, now)

    def handle_timeout(self, now: Instant) -> None:
        if self.session is not None:
            self.session.handle_timeout(now)

    def next_transmit(self) -> Transmit | None:
        if self._answers:
            return self._answers.pop(0)
        return None if self.session is None else self.session.next_transmit()

    def next_event(self) -> Event | None:
        return None if self.session is None else self.session.next_event()

    def next_timeout(self) -> Instant | None:
        return None if self.session is None else self.session.next_timeout()


class Sides:
    """A dialer on the left, a listener on the right."""

    def __init__(
        self,
        *,
        profile: Profile = PERFECT,
        seed: int = 0,
        expected: PeerId | None = None,
        certificate: int = 1,
        spoil: bytes = b"",
        config: Config | None = None,
    ) -> None:
        """`certificate` is the one that the dialled address names; the listener has 1."""
        self.clock = VirtualClock()
        config = config or Config()
        random = seeded(seed, "dialer")
        self.dialer = dialing_session(
            Target(RIGHT, (CERTIFICATES[certificate].fingerprint(),)),
            LEFT,
            CERTIFICATES[0],
            proving(0, random, expected, spoil),
            random=random,
            now=self.clock.now,
            config=config,
        )
        other = seeded(seed, "listener")
        self.listening = Listening(RIGHT, proving(1, other), other, config)
        self.pair = Pair[Event](self.dialer, self.listening, profile=profile, seed=seed, clock=self.clock)
        self.pair.pump()

    @property
    def listener(self) -> Session:
        assert self.listening.session is not None
        return self.listening.session

    def connect(self) -> None:
        """Run until both know each other."""
        self.pair.drive_until(Authenticated, limit=30.0)
        self.pair.drive_while(lambda: self.listening.session is None or self.listener.state is not State.OPEN, 30.0)
        self.pair.drive_while(lambda: self.dialer.state is not State.OPEN, 30.0)

    def open(self, data: bytes = b"first") -> tuple[StreamState, StreamState]:
        """A stream that the dialer opened and wrote to, and the listener's end of it."""
        near = self.dialer.open_stream(self.clock.now)
        self.write(self.dialer, near, data)
        return near, self.pair.drive_until(StreamArrived, limit=30.0).stream

    def write(self, session: Session, stream: StreamState, data: bytes) -> None:
        """Write all of it, with time for what does not fit yet."""
        view = memoryview(data)
        while view:
            view = view[session.write(stream, view, self.clock.now) :]
            self.pair.pump()
            if view:
                self.pair.run_for(0.01)

    def read(self, session: Session, stream: StreamState, size: int) -> bytes:
        """Wait for so many bytes."""
        got = bytearray()

        def goes_on() -> bool:
            got.extend(session.read(stream, size - len(got), self.clock.now))
            return len(got) < size

        self.pair.drive_while(goes_on, 60.0)
        self.pair.pump()
        return bytes(got)
