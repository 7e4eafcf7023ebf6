"""Whatever is sent, lost, mixed up and reset: each message arrives exactly once, in order where that was asked for."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.webrtc.sctp.kit import BINARY, association
from zwerm.core.random import seeded
from zwerm.webrtc.sctp.config import DTLS
from zwerm.webrtc.sctp.control_block import State
from zwerm.webrtc.sctp.events import MessageReceived

STREAMS = 3


class Streams(RuleBasedStateMachine):
    """Two associations and a network that a test holds in its hands."""

    @initialize(seed=st.integers(0, 1_000), interleaving=st.booleans(), tsn=st.sampled_from([0, 0xFFFFFFF8, 12_345]))
    def connect(self, seed: int, tsn: int, *, interleaving: bool) -> None:
        self.now = 0.0
        self.random = seeded(seed, "network")
        # However long nothing is delivered, nobody gives up.
        options = {"receive_window": 60_000, "max_retransmissions": 100_000, "heartbeat_interval": 0.0}
        self.sides = [association(f"{seed}/{side}", interleaving=interleaving, **options) for side in range(2)]
        self.sides[0]._handshake.local_tsn = tsn
        self.flying: list[list[bytes]] = [[], []]  # toward each side
        self.sent: dict[tuple[int, int], list[bytes]] = defaultdict(list)  # by receiver and stream, ordered ones
        self.loose: dict[int, list[bytes]] = defaultdict(list)  # unordered ones, by receiver
        self.got: dict[tuple[int, int], list[bytes]] = defaultdict(list)
        self.got_loose: dict[int, list[bytes]] = defaultdict(list)
        self.optional: set[bytes] = set()  # may be given up
        self.count = 0
        self.sides[0].connect(0.0)
        self.deliver_all()

    @rule(
        side=st.integers(0, 1),
        stream_id=st.integers(0, STREAMS - 1),
        size=st.sampled_from([1, 50, 1_200, 6_000]),
        is_unordered=st.booleans(),
        retransmits=st.sampled_from([None, None, 0, 1]),
    )
    def send(self, side: int, stream_id: int, size: int, retransmits: int | None, *, is_unordered: bool) -> None:
        stream = self.sides[side]._queue.find(stream_id)
        if stream is not None and stream.is_resetting:
            return
        data = self.count.to_bytes(4, "big") * size
        self.count += 1
        if retransmits is not None:
            self.optional.add(data)
        (self.loose[1 - side] if is_unordered else self.sent[1 - side, stream_id]).append(data)
        self.sides[side].send(
            stream_id, data, ppid=BINARY, now=self.now, is_unordered=is_unordered, max_retransmits=retransmits
        )

    @rule(side=st.integers(0, 1), stream_id=st.integers(0, STREAMS - 1))
    def reset(self, side: int, stream_id: int) -> None:
        self.sides[side].reset_streams([stream_id], self.now)

    @rule(side=st.integers(0, 1), lost=st.sampled_from([0, 0, 1, 3]), is_mixed=st.booleans(), twice=st.booleans())
    def deliver(self, side: int, lost: int, *, is_mixed: bool, twice: bool) -> None:
        packets = self.flying[side]
        for _ in range(min(lost, len(packets))):
            packets.pop(self.random.randrange(len(packets)))
        if is_mixed:
            self.random.shuffle(packets)
        self.flying[side] = []
        self.sides[side].receive_datagrams(packets * 2 if twice else packets, DTLS, self.now)

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.1, 1.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for side in self.sides:
            side.handle_timeout(self.now)

    @invariant()
    def drain(self) -> None:
        if not hasattr(self, "sides"):
            return
        for index, side in enumerate(self.sides):
            while packets := side.next_transmits():
                self.flying[1 - index] += packets
            for event in side.next_events():
                if isinstance(event, MessageReceived):
                    (self.got_loose[index] if event.is_unordered else self.got[index, event.stream_id]).append(
                        event.data
                    )
            assert side.state in (State.ESTABLISHED, State.CLOSED, State.COOKIE_WAIT, State.COOKIE_ECHOED)
            assert not side._is_over

    def deliver_all(self) -> None:
        """A network that loses nothing, until both sides are at rest."""
        for _ in range(3_000):
            self.drain()
            if not any(self.flying):
                done = all(side._sender.has_nothing_to_send for side in self.sides)
                if done and not any(side._reconfiguration.is_waiting for side in self.sides):
                    return
                self.now = max(self.now, min(side.next_timeout() or self.now + 1.0 for side in self.sides))
                for side in self.sides:
                    side.handle_timeout(self.now)
            for index in range(2):
                packets, self.flying[index] = self.flying[index], []
                self.sides[index].receive_datagrams(packets, DTLS, self.now)
        raise AssertionError("they do not come to rest")

    def teardown(self) -> None:
        if not hasattr(self, "sides"):
            return
        self.deliver_all()
        self.drain()
        for key, sent in self.sent.items():
            got = self.got[key]
            rest = iter(sent)
            assert all(one in rest for one in got), "out of order, twice, or never sent"
            assert [one for one in sent if one not in self.optional] == [one for one in got if one not in self.optional]
        for index, sent in self.loose.items():
            got = self.got_loose[index]
            assert len(set(got)) == len(got)
            assert {one for one in sent if one not in self.optional} <= set(got) <= set(sent)
        for side in self.sides:
            assert side._receiver.reassembly.buffered == 0
            assert side._sender.outstanding.flight == side._sender.outstanding.lost_bytes == 0
            assert side._sender.buffered == 0


Streams.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStreams = Streams.TestCase
