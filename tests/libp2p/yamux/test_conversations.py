"""Any sequence of commands on two sessions, carried in any pieces: every byte arrives once, in order, or not at all."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.libp2p.yamux.config import Config
from zwerm.libp2p.yamux.event import SessionEnded, StreamAborted, StreamEnded, StreamOpened
from zwerm.libp2p.yamux.session import Session

SIDES = st.integers(0, 1)
NUMBERS = st.integers(0, 20)
CONFIG = Config(max_payload=1_000, max_window_growth=500_000, max_inbound_streams=6, max_unacknowledged=4)


class Conversation(RuleBasedStateMachine):
    """Two sessions and what each has written, read and closed, by (writer, stream)."""

    @initialize()
    def begin(self) -> None:
        self.now = 0.0
        self.sessions = [Session(is_client=side == 0, now=0.0, config=CONFIG) for side in range(2)]
        self.wires = [bytearray(), bytearray()]  # by writer
        self.written: dict[tuple[int, int], bytearray] = {}
        self.read: dict[tuple[int, int], bytearray] = {}
        self.known: list[list[int]] = [[], []]
        self.ended: set[tuple[int, int]] = set()  # (reader, stream)
        self.closed: set[tuple[int, int]] = set()  # (writer, stream)
        self.given_up: set[int] = set()

    def pick(self, side: int, number: int) -> int | None:
        known = self.known[side]
        return known[number % len(known)] if known else None

    @rule(side=SIDES)
    def open(self, side: int) -> None:
        try:
            self.known[side].append(self.sessions[side].open_stream(self.now))
        except ResourceLimitError:
            return

    @rule(side=SIDES, number=NUMBERS, size=st.integers(0, 300_000))
    def write(self, side: int, number: int, size: int) -> None:
        stream_id = self.pick(side, number)
        if stream_id is None:
            return
        written = self.written.setdefault((side, stream_id), bytearray())
        data = bytes((len(written) + index) % 251 for index in range(min(size, 3_000))) * (1 + size // 3_000)
        try:
            self.sessions[side].send(stream_id, data)
        except LocalProtocolError:
            assert (side, stream_id) in self.closed or stream_id in self.given_up
            return
        written += data

    @rule(side=SIDES, number=NUMBERS, limit=st.integers(1, 100_000), times=st.integers(1, 30))
    def take(self, side: int, number: int, limit: int, times: int) -> None:
        stream_id = self.pick(side, number)
        for _ in range(times if stream_id is not None else 0):
            data = self.sessions[side].read(stream_id, limit, self.now)
            self.read.setdefault((1 - side, stream_id), bytearray()).extend(data)

    @rule(side=SIDES, number=NUMBERS)
    def close_write(self, side: int, number: int) -> None:
        stream_id = self.pick(side, number)
        if stream_id is not None:
            self.sessions[side].close_write(stream_id)
            self.closed.add((side, stream_id))

    @rule(side=SIDES, number=NUMBERS, is_reset=st.booleans())
    def give_up(self, side: int, number: int, is_reset: bool) -> None:
        stream_id = self.pick(side, number)
        if stream_id is None:
            return
        self.given_up.add(stream_id)
        self.closed.add((side, stream_id))
        if is_reset:
            self.sessions[side].reset(stream_id)
        else:
            self.sessions[side].close(stream_id, self.now)

    @rule(side=SIDES, limit=st.integers(1, 200_000), cut=st.integers(1, 200_000))
    def carry(self, side: int, limit: int, cut: int) -> None:
        wire = self.wires[side]
        wire += b"".join(self.sessions[side].chunks_to_send(limit))
        part = bytes(wire[:cut])
        del wire[:cut]
        self.sessions[1 - side].receive_data(part, self.now)
        self.hear()

    @rule(delay=st.floats(0.0, 2.0))
    def wait(self, delay: float) -> None:
        self.now += delay
        for side, session in enumerate(self.sessions):  # nobody is silent for long here
            while (wire := self.wires[side] + session.data_to_send()) and not session.is_over:
                self.wires[side] = bytearray()
                self.sessions[1 - side].receive_data(bytes(wire), self.now)
            session.handle_timeout(self.now)
        self.hear()

    def hear(self) -> None:
        for side, session in enumerate(self.sessions):
            while (event := session.next_event()) is not None:
                match event:
                    case StreamOpened(stream_id):
                        self.known[side].append(stream_id)
                    case StreamEnded(stream_id):
                        self.ended.add((side, stream_id))
                    case StreamAborted(stream_id):
                        self.given_up.add(stream_id)
                    case SessionEnded(cause):
                        raise AssertionError(cause)

    @invariant()
    def what_was_read_is_the_beginning_of_what_was_written(self) -> None:
        for key, read in getattr(self, "read", {}).items():
            assert self.written.get(key, b"")[: len(read)] == read

    @invariant()
    def accounts_add_up(self) -> None:
        for session in getattr(self, "sessions", ()):
            streams = session._streams.values()
            assert session._unread == sum(stream.unread_size for stream in streams)
            assert session._unread == sum(len(piece) for stream in streams for piece in stream.unread)
            assert session._growth == sum(stream.window - 262_144 for stream in streams) <= CONFIG.max_window_growth
            assert session._inbound + session._outbound == len(streams)
            assert session._unacknowledged == sum(not stream.is_acknowledged for stream in streams)

    def teardown(self) -> None:
        """Let everything arrive and be read: streams that nobody gave up are whole, and end if they were closed."""
        if not hasattr(self, "sessions"):
            return
        for _ in range(2_000):
            moved = False
            for side, session in enumerate(self.sessions):
                wire = self.wires[side] + session.data_to_send()
                self.wires[side] = bytearray()
                self.sessions[1 - side].receive_data(bytes(wire), self.now)
                self.hear()
                for stream_id in self.known[1 - side]:
                    while data := self.sessions[1 - side].read(stream_id, 65_536, self.now):
                        self.read.setdefault((side, stream_id), bytearray()).extend(data)
                        moved = True
                moved |= bool(wire)
            if not moved:
                break
        for (side, stream_id), written in self.written.items():
            if stream_id not in self.given_up:
                assert self.read.get((side, stream_id), b"") == written
        for side, stream_id in self.closed:
            if stream_id not in self.given_up:
                assert (1 - side, stream_id) in self.ended


Conversation.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestConversations = Conversation.TestCase
