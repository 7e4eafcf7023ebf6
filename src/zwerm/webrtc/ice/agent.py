"""The ICE agent (RFC 8445, full or lite; RFC 8838, 7675, 6544): one connection's path from here to the other side.

    agent = Agent(Role.CONTROLLING, config, random=SYSTEM)
    agent.add_local_address(("192.0.2.1", 50000), now)      # sockets are the caller's
    agent.gather(now)                                       # CandidateGathered..., to be signaled
    agent.set_remote(Credentials.parse(ufrag, password), now)
    agent.add_remote_candidate(Candidate.from_text(text), now)

The agent routes: a Binding message goes to the session whose credentials it names, an answer of a server to the
gatherer, what a TURN server relays back in as if it had come to the relayed address, and data to the caller if it came
on a validated pair. Rules of a generation are in `session.py`, of the choice of a pair in `nomination.py`. During a
restart there are two sessions: the retired one carries data until the new one has a pair, and is heard a bit longer.
There is one component, and one data stream (docs/ice.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.trace import Trace
from zwerm.webrtc.ice.arrival import Arrival
from zwerm.webrtc.ice.binding import hand_on_untrusted
from zwerm.webrtc.ice.candidate import Candidate, TcpType, canonical_with_zone
from zwerm.webrtc.ice.config import Config, Role, StunServer, TurnServer
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.deadlines import Deadlines, earliest
from zwerm.webrtc.ice.events import (
    ConnectionState,
    Event,
    GatheringState,
    SelectedPairChanged,
    ServerFailed,
)
from zwerm.webrtc.ice.gather import Gatherer
from zwerm.webrtc.ice.generations import Generations
from zwerm.webrtc.ice.names import OwnNames
from zwerm.webrtc.ice.outbox import Outbox
from zwerm.webrtc.ice.pacer import Pacer
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair
from zwerm.webrtc.ice.relay import MakeRelay
from zwerm.webrtc.ice.relays import Relays
from zwerm.webrtc.ice.session import Session
from zwerm.webrtc.ice.statistics import AgentStatistics, statistics_of
from zwerm.webrtc.ice.told import Told
from zwerm.webrtc.ice.trickle import IncomingCandidates, OutgoingCandidates
from zwerm.webrtc.stun.message import is_stun


class Agent:
    """One agent. After every call that takes `now`, drain it (law 1 of `zwerm.core.machine`)."""

    def __init__(
        self,
        role: Role,
        config: Config | None = None,
        *,
        random: Random,
        credentials: Credentials | None = None,
        pacer: Pacer | None = None,
        make_relay: MakeRelay | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Make an agent that does nothing yet.

        `credentials` are ours, where they are not to be drawn (`first_request.py`); `pacer` is shared with the other
        agents of a connection that is not bundled; `make_relay` makes a TURN client: without one TURN is not used.
        """
        self.config = config = config or Config()
        self._max_data_size = config.max_data_size
        self._random = random
        self._trace = trace
        self._pacer = pacer or Pacer(config.ta, config.ta_triggered)
        self._gatherer = Gatherer(config, random, make_relay, self._found, self._server_failed)
        self._outbox = Outbox(config, lambda: self._gatherer.allocations)
        self._relays = Relays(self._gatherer, self._outbox, self._receive, self._base_lost)
        self._outgoing = OutgoingCandidates(config, OwnNames(random), self._outbox.tell)
        self._incoming = IncomingCandidates(config, self._use_remote, self._outbox.tell, trace)
        self._generations = Generations(self._make_session(role, credentials or Credentials.random(random)))
        self._deadlines = Deadlines(
            self._gatherer, self._relays, self._generations.timers, self._outgoing.names, self._incoming
        )
        self._told = Told(role, self._outbox)
        self._is_gathering = False

    # What the caller knows.

    @property
    def local_credentials(self) -> Credentials:
        """Ours, to be signaled; `restart` makes new ones."""
        return self._session.local

    @property
    def remote_credentials(self) -> Credentials | None:
        return self._session.remote

    @property
    def options(self) -> tuple[str, ...]:
        """What to signal as ice-options (RFC 8839 section 5.6, RFC 8838 section 3)."""
        return ("ice2", "trickle", "renomination") if self.config.renomination else ("ice2", "trickle")

    @property
    def role(self) -> Role:
        return self._session.role

    @property
    def state(self) -> ConnectionState:
        """As last told by an event."""
        return self._told.state

    @property
    def gathering_state(self) -> GatheringState:
        return self._told.gathering

    @property
    def selected_pair(self) -> SelectedPairChanged | None:
        """As last told by an event."""
        return self._told.pair

    def is_validated(self, source: Address, local: Address | None = None) -> bool:
        """Whether a check to `source` was answered, from `local` if it is given: only then may it be listened to."""
        return self._generations.has_validated(source, local)

    def statistics(self) -> AgentStatistics:
        return statistics_of(self._session, self._generations.retired, self._told.pair_changes)

    # Local addresses and gathering.

    def add_local_address(self, address: Address, now: Instant, *, tcp_type: TcpType | None = None) -> None:
        """Use an address the caller has a UDP socket on; with `tcp_type` one it connects from or listens on.

        While gathering has begun it is gathered on at once, and its candidates are tried in the present generation.

        Raises:
            LocalProtocolError: the agent is closed, the address is known or not numeric, or there are too many.
        """
        self._check_open()
        address = (canonical_with_zone(address[0]), address[1])
        is_tcp = tcp_type is not None
        if self._gatherer.base_at(address, is_tcp=is_tcp) is not None:
            raise LocalProtocolError(f"address {address} is in use already")
        if len(self._gatherer.bases) >= self.config.max_local_addresses:
            raise LocalProtocolError(f"more than {self.config.max_local_addresses} local addresses")
        base = Base(address, BaseKind.TCP if is_tcp else BaseKind.UDP, tcp_type=tcp_type, host=address[0])
        self._gatherer.bases.append(base)
        if self._is_gathering:
            self._gatherer.gather([base], now)
            self._relays.open_streams()
            self._settle(now)

    def await_addresses(self) -> None:
        """More local addresses will come: gathering goes on without, and is not over before `end_of_addresses`."""
        self._gatherer.awaits_addresses = True

    def end_of_addresses(self, now: Instant) -> None:
        """All local addresses are there, as far as is known."""
        self._gatherer.awaits_addresses = False
        if self.state is not ConnectionState.CLOSED:
            self._settle(now)

    def remove_local_address(self, address: Address, now: Instant, *, tcp_type: TcpType | None = None) -> None:
        """The address is gone: so are its candidates and pairs. One that is not known is no error."""
        base = self._gatherer.base_at((canonical_with_zone(address[0]), address[1]), is_tcp=tcp_type is not None)
        if base is None:
            return
        had_pair = self._session.selected is not None
        for gone in self._gatherer.remove(base, now):
            self._base_lost(gone, now)
        if had_pair and self._session.selected is None:
            self._told.ask_for_restart(f"the local address {address[0]} is gone")
        self._settle(now)

    def gather(self, now: Instant) -> None:
        """Begin to gather on all addresses. Twice is harmless."""
        self._check_open()
        if not self._is_gathering:
            self._is_gathering = True
            self._gatherer.gather(list(self._gatherer.bases), now)
            self._relays.open_streams()
            self._settle(now)

    def name_registered(self, name: str, now: Instant, *, success: bool = True) -> None:
        """A name of `RegisterName` is answered now; without success its candidates are not signaled."""
        self._deadlines.moved()
        if self._outgoing.name_registered(name, success=success):
            self._settle(now)

    def name_resolved(self, name: str, host: str | None, now: Instant) -> None:
        """A name of `ResolveName` stands for `host`; None: for nothing."""
        self._incoming.name_resolved(name, host, now)
        self._session.settle(now)
        self._settle(now)

    # The other side's description.

    def set_remote(
        self, credentials: Credentials, now: Instant, *, lite: bool = False, options: Sequence[str] = ()
    ) -> None:
        """Learn the other side's credentials. Others than before mean that it restarts: so do we, if we did not yet.

        `lite` says that the description has `a=ice-lite`; of its ice-options "renomination" is made use of.

        Raises:
            LocalProtocolError: the agent is closed.
        """
        self._check_open()
        if credentials == self._session.remote:
            return
        if self._session.remote is not None:
            self.restart(now)
        self._session.set_remote(credentials, now, lite=lite, renomination="renomination" in options)
        self._generations.exchanged(now)
        for candidate, ufrag in self._incoming.take_waiting():
            if candidate is None:
                self.end_of_candidates(now, ufrag=ufrag)
            else:
                self.add_remote_candidate(candidate, now, ufrag=ufrag)
        self._settle(now)

    def add_remote_candidate(self, candidate: Candidate, now: Instant, *, ufrag: str | None = None) -> bool:
        """Take a candidate of the other side, at any time and in any order (RFC 8838); False when it is not used.

        `ufrag` names the generation it belongs to, where the signaling says so; else its `ufrag` extension does, else
        it is of the present one. A candidate of a generation yet to come waits for its credentials.
        """
        return self.add_remote_candidates((candidate,), now, ufrag=ufrag) == 1

    def add_remote_candidates(self, candidates: Sequence[Candidate], now: Instant, *, ufrag: str | None = None) -> int:
        """Take several; return how many are used."""
        if self.state is ConnectionState.CLOSED:
            return 0
        used = 0
        is_changed = False
        for candidate in candidates:
            generation = ufrag or candidate.extension("ufrag")
            if not self._is_present(generation):
                used += self._wait_for_credentials(candidate, generation)
            elif self._incoming.knows(candidate):
                used += 1
            else:
                used += self._incoming.add(candidate, now)
                if not is_changed:  # the first is checked at once, as it is where they come one by one: both sides
                    self._session.settle(now)  # begin with the same pair, whatever comes later
                is_changed = True
        if is_changed:
            self._session.settle(now)
            self._settle(now)
        return used

    def end_of_candidates(self, now: Instant, *, ufrag: str | None = None) -> None:
        """The other side has no more candidates in this generation (RFC 8838 section 13)."""
        if self._is_present(ufrag):
            self._incoming.end()
            self._settle(now)
        else:
            self._wait_for_credentials(None, ufrag)

    def await_servers(self) -> None:
        """Names of servers are being looked up: gathering goes on without, and is not over before `add_servers`."""
        self._gatherer.awaits_servers = True

    def add_servers(self, config: Config, now: Instant) -> None:
        """Ask the servers of `config` too, those that are not asked already."""
        self._gatherer.use(config)
        self._gatherer.awaits_servers = False
        if self._is_gathering and self.state is not ConnectionState.CLOSED:
            self._gatherer.ask(now)
            self._relays.open_streams()
            self._settle(now)

    def use_servers(self, config: Config) -> None:
        """Take the servers and the policy of `config`; they count from the next restart on."""
        self._gatherer.use(config)

    def restart(self, now: Instant, credentials: Credentials | None = None) -> Credentials:
        """Begin a new generation and return its credentials; data goes on over the present pair until it has its own.

        `credentials` are those that were signaled already; without them new ones are drawn.

        Raises:
            LocalProtocolError: the agent is closed.
        """
        self._check_open()
        self._outbox.forget_held()
        self._incoming.restart()
        self._outgoing.restart()
        self._generations.begin(self._make_session(self.role, credentials or Credentials.random(self._random)))
        self._told.restarted()
        if self._is_gathering:
            self._relays.verify(now)
            self._gatherer.repeat(now)
            self._relays.open_streams()
        self._settle(now)
        return self._session.local

    def undo_restart(self, now: Instant) -> bool:
        """Go back to the generation that carries data; False when there is none, or the present one has a pair."""
        self._check_open()
        if not self._generations.undo(now):
            return False
        self._incoming.restart()
        self._outgoing.restart()
        self._settle(now)
        return True

    def close(self, now: Instant) -> None:
        """Give back relays, close streams, and be silent. Twice is harmless."""
        if self.state is ConnectionState.CLOSED:
            return
        self._gatherer.release(now)
        self._relays.pump(now)
        for session in self._sessions():
            session.close()
        for stream in self._outbox.streams:
            self._outbox.close_stream(stream.number)
        self._outbox.forget_held()
        self._generations.timers.cancel_all()
        self._told.closed()

    # Data and datagrams.

    @property
    def is_paused(self) -> bool:
        """Whether `send` is better not called now, for a moment of a restart (`Generations`)."""
        return self._generations.is_paused

    def send(self, data: bytes, now: Instant, *, segment_size: int | None = None) -> bool:
        """Send a datagram on the selected pair; False when there is none, or no consent: then it is gone.

        With `segment_size` it is a run of datagrams of that size, as in `Transmit`.

        Raises:
            LocalProtocolError: one is empty or larger than `max_data_size`.
        """
        size = segment_size or len(data)
        if not 0 < size <= self._max_data_size or not data:
            raise LocalProtocolError(f"datagram of {size} bytes, expected 1 to {self._max_data_size}")
        pair = self._generations.carrier(now)
        if pair is None:
            return False
        counters = pair.counters
        counters.packets_sent += 1 if segment_size is None else -(-len(data) // size)
        counters.bytes_sent += len(data)
        counters.sent_at = now
        self._outbox.send_run(pair, data, segment_size, now)
        return True

    def receive_datagram(self, data: bytes, source: Address, now: Instant, *, local: Address | None = None) -> bool:
        """Offer an untrusted datagram. `local` is the address it came to; None: the only one, or the first."""
        base = self._base(local)
        if base is None or not data or self.state is ConnectionState.CLOSED:
            return False
        if self.receive_repeated(data, source, now, local=local):
            return True
        has_news = self._relays.receive_datagram(data, base, source, now)
        if has_news is not None:
            if has_news:
                self._settle(now)
            return True
        arrival = Arrival(base, None, source)
        if not is_stun(data):  # nothing but data changes nothing, and comes a hundred thousand times a second
            return self._receive_data(data, arrival, now)
        taken = self._gatherer.receive_datagram(data, base, source, now) or self._receive_stun(data, arrival, now)
        self._settle(now)
        return taken

    def receive_repeated(self, data: bytes, source: Address, now: Instant, *, local: Address | None) -> bool:
        """Take a check of consent, or an answer to ours, that says nothing new; False: it is something else."""
        is_open = data[0] < 2 and self._told.state is not ConnectionState.CLOSED
        return is_open and self._session.receive_repeated(data, local, source, now)

    def receive_datagrams(
        self, datagrams: Sequence[bytes], source: Address, now: Instant, *, local: Address | None = None
    ) -> int:
        """Offer what one system call read from `source`; return how many were for this agent."""
        base = self._base(local)
        pair: Pair | None = None
        taken = 0
        for data in datagrams:
            if pair is not None and data and data[0] > 3:  # RFC 7983: not STUN
                self._outbox.deliver(pair, data)
                pair.counters.received_at = now
                taken += 1
                continue
            taken += self.receive_datagram(data, source, now, local=local)
            if base is not None and self.state is not ConnectionState.CLOSED:
                pair = self._generations.valid_pair((base.address, source))
        return taken

    def receive_data(
        self, datagrams: Sequence[bytes], source: Address, now: Instant, *, local: Address | None = None
    ) -> bool:
        """Count datagrams of DTLS that came on a validated pair, for a caller who takes them on by itself.

        False: there is something else among them, and nothing was counted: it is for `receive_datagrams`.
        """
        if local is None:
            base = self._base(None)
            local = None if base is None else base.address
        if local is None or self._told.state is ConnectionState.CLOSED:
            return False
        pair = self._generations.valid_pair((local, source))
        if pair is None:
            return False
        total = 0
        for data in datagrams:
            if not data or not 20 <= data[0] <= 63:  # RFC 7983 section 7
                return False
            total += len(data)
        counters = pair.counters
        counters.packets_received += len(datagrams)
        counters.bytes_received += total
        counters.received_at = now
        return True

    # Streams.

    def stream_opened(self, stream: int, now: Instant) -> None:
        """The connection of `OpenStream` is there."""
        opened = self._outbox.streams.find(stream)
        if opened is not None:
            opened.is_open = True
            if opened.pair is not None:
                for session in self._sessions():
                    if session.checklist.find(stream) is opened.pair:
                        session.stream_opened(opened.pair, now)
            self._settle(now)

    def stream_accepted(self, local: Address, remote: Address, now: Instant) -> int | None:  # noqa: ARG002 - a verb
        """Somebody connected to a passive address; the number to use from now on, or None: close it."""
        base = self._gatherer.base_at((canonical_with_zone(local[0]), local[1]), is_tcp=True)
        if base is None or base.tcp_type is TcpType.ACTIVE or self.state is ConnectionState.CLOSED:
            return None
        stream = self._outbox.streams.add(base, (canonical_with_zone(remote[0]), remote[1]))
        return None if stream is None else stream.number

    def receive_stream_data(self, stream: int, data: bytes, now: Instant) -> None:
        """Take untrusted bytes of a connection, cut anywhere."""
        known = self._outbox.streams.find(stream)
        if known is None:
            return
        if not self._relays.receive_stream_data(stream, data, now):
            for packet in known.deframer.receive(data):
                self._receive(packet, Arrival(known.base, stream, known.remote), now)
        self._settle(now)

    def stream_closed(self, stream: int, now: Instant) -> None:
        """A connection ended, or could not be opened."""
        if self._outbox.streams.remove(stream) is None:
            return
        self._relays.stream_closed(stream, now)
        for session in self._sessions():
            session.stream_lost(stream, now)
        self._settle(now)

    # The machine's outputs.

    def handle_timeout(self, now: Instant) -> None:
        timeout = self.next_timeout()
        if timeout is None or now < timeout:
            return
        has_news = self._deadlines.has_come(now)
        self._generations.handle_timeout(now)
        for session in self._sessions():
            has_news |= session.handle_timeout(now)
        if not has_news:
            return
        self._gatherer.handle_timeout(now)
        self._relays.handle_timeout(now)
        self._outgoing.handle_timeout(now)
        self._incoming.handle_timeout(now)
        self._settle(now)

    def ask_again(self, now: Instant) -> bool:
        """Ask for consent as ever, if that is all that is due; False: call `handle_timeout`."""
        is_alone = self._generations.retired is None and self._told.state is not ConnectionState.CLOSED
        return is_alone and not self._deadlines.has_come(now) and self._session.ask_again(now)

    def next_timeout(self) -> Instant | None:
        if self._told.state is ConnectionState.CLOSED:
            return None
        if self._gatherer.allocations:
            self._deadlines.moved()  # those of relays do with data
        return earliest(self._deadlines.next_timeout(), *[session.next_timeout() for session in self._sessions()])

    def next_transmit(self) -> Transmit | None:
        return self._outbox.next_transmit()

    def next_event(self) -> Event | None:
        return self._outbox.next_event()

    @property
    def has_events(self) -> bool:
        return self._outbox.has_events

    # Inside.

    def _make_session(self, role: Role, credentials: Credentials) -> Session:
        return Session(self._outbox, self.config, self._random, self._pacer, credentials, role, self._trace)

    @property
    def _session(self) -> Session:
        return self._generations.present

    def _sessions(self) -> list[Session]:
        return self._generations.all()

    def _check_open(self) -> None:
        if self.state is ConnectionState.CLOSED:
            raise LocalProtocolError("the ICE agent is closed")

    def _base(self, local: Address | None) -> Base | None:
        bases = self._gatherer.bases
        if local is None:
            return next((base for base in bases if base.kind is BaseKind.UDP), None)
        return self._gatherer.base_at(local)

    def _receive(self, data: bytes, arrival: Arrival, now: Instant) -> bool:
        """Take what came to a base: directly, relayed, or as a frame of a stream."""
        return self._receive_stun(data, arrival, now) if is_stun(data) else self._receive_data(data, arrival, now)

    def _receive_data(self, data: bytes, arrival: Arrival, now: Instant) -> bool:
        """Hand out data of a validated pair, and hold back what came a moment too early."""
        path = arrival.path
        pair = self._generations.valid_pair(path)
        if pair is not None:
            pair.counters.received_at = now
            self._outbox.deliver(pair, data)
            return True
        if self._session.expects(path):
            self._outbox.hold(path, data)
            return True
        return False

    def _receive_stun(self, data: bytes, arrival: Arrival, now: Instant) -> bool:
        return hand_on_untrusted(data, arrival, self._sessions(), now)

    def _settle(self, now: Instant) -> None:
        """After every change: move what parts of the agent have for each other, and tell what is new."""
        self._deadlines.moved()
        for transmit in self._gatherer.take_transmits():
            self._outbox.transmit(transmit)
        self._relays.close_streams_of(self._gatherer.take_given_up())
        self._relays.pump(now)
        session = self._session
        is_complete = self._is_gathering and self._gatherer.is_complete
        if session.local_is_complete is not is_complete:
            session.local_is_complete = is_complete
            session.settle(now)
        if self._incoming.has_ended and session.nomination.more_may_come:
            session.end_of_candidates(now)
        self._gatherer.keep_alive(now, needed=self._is_gathering and session.selected is None)
        selected = session.selected
        if selected is not None and selected.local.base.kind is BaseKind.RELAY:
            self._outbox.bind_channel(selected, now)
        self._generations.settle(now)
        if self.state is not ConnectionState.CLOSED:
            self._told.update(session, self._generations.retired, self._gathering_now(), now)

    def _gathering_now(self) -> GatheringState:
        if not self._is_gathering:
            return GatheringState.NEW
        is_over = self._gatherer.is_complete and not self._outgoing.names.is_waiting()
        return GatheringState.COMPLETE if is_over else GatheringState.GATHERING

    # Local candidates.

    def _found(self, local: LocalCandidate, now: Instant) -> None:
        """The gatherer has a candidate: use it, and have it signaled."""
        self._session.add_local(local, now)
        self._outgoing.signal(local, self._session.local.ufrag, now)

    def _server_failed(self, server: StunServer | TurnServer, code: int, reason: str) -> None:
        self._outbox.tell(ServerFailed(server, code, reason))

    def _base_lost(self, base: Base, now: Instant) -> None:
        for session in self._sessions():
            session.remove_base(base, now)

    # Remote candidates.

    def _is_present(self, ufrag: str | None) -> bool:
        remote = self._session.remote
        return remote is not None and (ufrag is None or ufrag == remote.ufrag)

    def _wait_for_credentials(self, candidate: Candidate | None, ufrag: str | None) -> bool:
        """Keep what belongs to a generation yet to come; drop what belongs to one that has been."""
        old = None if self._generations.retired is None else self._generations.retired.remote
        if old is not None and ufrag == old.ufrag:
            return False
        return self._incoming.wait(candidate, ufrag)

    def _use_remote(self, candidate: Candidate, address: Address) -> bool:
        return self._session.add_remote(candidate, address)
