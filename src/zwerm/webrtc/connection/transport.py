"""One connection to one peer as a machine: ICE below DTLS below SCTP and data channels (RFC 8829, 8261, 8831).

    transport = Transport(certificate, random=SYSTEM, now=now)
    transport.agent.gather(now)                     # commands of the parts are given to the parts
    transport.start(Remote(...), DTLSRole.CLIENT, now)
    channel = transport.channels.open("chat", now=now)

Who drives what. Datagrams go to the ICE agent, which hands out those of validated pairs only (RFC 8827 section 6.5
leaves no work for a source that did not pass ICE); of these DTLS takes its range of first bytes (RFC 7983 section 7),
and what it opens is SCTP. The DTLS connection is made when there is a path and both descriptions are known, so its time
limit counts from then. A batch stays one from the socket to SCTP and back: packets of one call become runs of equal
datagrams. Nothing is built before `next_transmit` asks, so a socket that is full holds SCTP back.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.core.trace import Trace
from zwerm.webrtc.capture.capture import Tap
from zwerm.webrtc.connection.description import Remote
from zwerm.webrtc.connection.statistics import Traffic, TransportStatistics
from zwerm.webrtc.datachannel.channel import ChannelEvent
from zwerm.webrtc.datachannel.channels import DataChannels
from zwerm.webrtc.dtls import event as dtls
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.connection import DTLSConnection, State
from zwerm.webrtc.dtls.handshake import prepare
from zwerm.webrtc.ice import events as ice
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.turn_relay import make_turn_relay
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.config import DTLS
from zwerm.webrtc.sctp.config import Config as SCTPConfig
from zwerm.webrtc.sctp.control_block import State as SCTPState

Event: TypeAlias = ice.Event | dtls.Event | ChannelEvent  # those of the parts, but for the data between them

# Browsers agree on use_srtp for data alone too, and aiortc ends a handshake without it.
# A description that people carry takes minutes: until the peer says something it has not failed.
_DTLS: Final = dtls.Config(srtp_profiles=tuple(dtls.SRTPProfile), waits_for_peer=True)
_SCTP: Final = SCTPConfig(heartbeat_interval=0.0)  # consent tells whether the path is alive, six times as often
_NO_PATH: Final[Address] = ("0.0.0.0", 0)  # noqa: S104 - where DTLS sends is decided by ICE, datagram by datagram


class Transport:
    """See the module. After each call, and each command of a part, drain as law 1 of `zwerm.core.machine` wants it."""

    def __init__(
        self,
        certificate: Certificate,
        *,
        random: Random,
        now: Instant,
        config: Config | None = None,
        credentials: Credentials | None = None,
        channels: DataChannels | None = None,
        trace: Trace | None = None,
        tap: Tap | None = None,
    ) -> None:
        """Make a transport that does nothing yet.

        Args:
            certificate: ours; a description announces its fingerprint.
            random: for every part.
            now: the time.
            config: of ICE.
            credentials: ours in ICE, where they are not to be drawn.
            channels: where their limits, or those of the association below, are others than usual.
            trace: is told of what is dropped and why.
            tap: is shown what passes; may be set later as well.
        """
        self.dtls: DTLSConnection | None = None  # from the moment there is a path
        self.dtls_config = _DTLS  # may be another until there is a path
        self.tap = tap
        self._certificate = certificate
        prepare(certificate)
        self._random = random
        self._trace = trace
        self._now = now
        self._role: dtls.Role | None = None
        self._remote: Remote | None = None
        self._events: deque[Event] = deque()
        self._traffic = Traffic()
        self._is_closed = False
        self.agent = Agent(
            Role.CONTROLLING, config, random=random, credentials=credentials, make_relay=make_turn_relay, trace=trace
        )
        self.channels = channels or DataChannels(Association(_SCTP, random=random, now=now, trace=trace), trace=trace)

    # Commands.

    def configure(self, role: Role, config: Config) -> None:
        """Decide the role in ICE and its configuration, before anything is gathered; credentials stay as they are.

        Raises:
            LocalProtocolError: gathering has begun, or the peer's description is known.
        """
        old = self.agent
        if old.gathering_state is not ice.GatheringState.NEW or old.remote_credentials is not None:
            raise LocalProtocolError("the ICE agent is at work, its role and configuration cannot be changed any more")
        if (role, config) == (old.role, old.config):
            return
        self.agent = Agent(
            role,
            config,
            random=self._random,
            credentials=old.local_credentials,
            make_relay=make_turn_relay,
            trace=self._trace,
        )

    def start(self, remote: Remote, role: dtls.Role, now: Instant) -> None:
        """Both descriptions are known: connect to `remote` in this role of DTLS. ICE is given what it needs by itself.

        Raises:
            LocalProtocolError: it was started before.
        """
        if self._role is not None:
            raise LocalProtocolError("the transport was started before")
        self._now = now
        self._role, self._remote = role, remote
        self.channels.peer_max_message_size = remote.max_message_size
        self._use_ports(remote)
        self.channels.set_role(is_dtls_client=role is dtls.Role.CLIENT, now=now)
        self._work(now)

    def update(self, remote: Remote, now: Instant) -> None:
        """A later description of the other side: data channels may be new in it, and the size of messages another."""
        had_data = self._remote is not None and self._remote.has_data
        if remote.has_data:
            self.channels.peer_max_message_size = remote.max_message_size
        if self._remote is None or not remote.has_data or had_data:
            return
        self._remote = remote
        self._use_ports(remote)
        association = self.channels.association
        if self.dtls is not None and self.dtls.state is State.CONNECTED and association.state is SCTPState.CLOSED:
            association.connect(now)  # else the other side was faster

    def _use_ports(self, remote: Remote) -> None:
        association = self.channels.association
        if remote.sctp_port != association.config.remote_port and association.state is SCTPState.CLOSED:
            association.use_ports(association.config.port, remote.sctp_port)

    @property
    def is_started(self) -> bool:
        return self._role is not None

    @property
    def is_closed(self) -> bool:
        """Whether we closed it."""
        return self._is_closed

    def close(self, now: Instant) -> None:
        """Tell the peer, close every channel, give back relays, and be silent. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._now = now
        self.channels.association.abort(now, "closed")
        while self._push():
            pass
        if self.dtls is not None:
            self.dtls.close()
            while self._push():
                pass
        self._events.extend(self.channels.next_events())
        self.agent.close(now)
        if self.tap is not None:
            self.tap.flush()

    def statistics(self) -> TransportStatistics:
        return TransportStatistics(
            traffic=dataclasses.replace(self._traffic),
            ice=self.agent.statistics(),
            dtls=None if self.dtls is None else self.dtls.statistics(),
            channels=self.channels.statistics(),
        )

    # The machine.

    def receive_datagram(self, data: bytes, source: Address, now: Instant, *, local: Address | None = None) -> bool:
        """Offer an untrusted datagram; `local` is the address it came to."""
        return self.receive_datagrams((data,), source, now, local=local) == 1

    def receive_datagrams(
        self, datagrams: Sequence[bytes], source: Address, now: Instant, *, local: Address | None = None
    ) -> int:
        """Offer what one system call read from `source`."""
        if self.tap is not None:
            self.tap.received(datagrams, source, local, now)
        connection = self.dtls
        if connection is not None and self.agent.receive_data(datagrams, source, now, local=local):
            self._now = max(self._now, now)
            self._traffic.received(datagrams)
            connection.receive_accepted(datagrams, self._now)
            self._work_dtls(connection)
            return len(datagrams)
        taken = self.agent.receive_datagrams(datagrams, source, now, local=local)
        self._work(now)
        return taken

    def receive_repeated(
        self, datagrams: Sequence[bytes], source: Address, now: Instant, *, local: Address | None = None
    ) -> bool:
        """Take a datagram that changes nothing but the time of consent; False: it is for `receive_datagrams`.

        What comes of it is at most a transmit and another `next_timeout`, no event.
        """
        if len(datagrams) != 1 or self.tap is not None:
            return False
        if not self.agent.receive_repeated(datagrams[0], source, now, local=local):
            return False
        self._now = max(self._now, now)
        return True

    def receive_stream_data(self, stream: int, data: bytes, now: Instant) -> None:
        """Offer untrusted bytes of a connection that the ICE agent opened or accepted."""
        self.agent.receive_stream_data(stream, data, now)
        self._work(now)

    def ask_again(self, now: Instant) -> bool:
        """Do what time brings, where that is to ask for consent as ever; False: it is for `handle_timeout`."""
        if self.tap is not None or not self.agent.ask_again(now):
            return False
        self._now = max(self._now, now)
        return True

    def handle_timeout(self, now: Instant) -> None:
        self.agent.handle_timeout(now)
        if self.dtls is not None:
            self.dtls.handle_timeout(now)
        self.channels.handle_timeout(now)
        self._work(now)

    def next_transmit(self) -> Transmit | None:
        transmit = self.agent.next_transmit()
        while transmit is None and self._push():
            transmit = self.agent.next_transmit()
        if transmit is not None and self.tap is not None:
            self.tap.sent(transmit, self._now)
        return transmit

    def next_event(self) -> Event | None:
        if not self._events:
            event = self.channels.next_event()
            if event is not None:
                return event
            self._work(self._now)
        return self._events.popleft() if self._events else self.channels.next_event()

    @property
    def has_events(self) -> bool:
        """Whether `next_event` may have one now."""
        return bool(self._events) or self.channels.has_events or self.agent.has_events

    def next_timeout(self) -> Instant | None:
        if self._is_closed:
            return None
        earliest = self.agent.next_timeout()
        for wait in (self.channels.next_timeout(), None if self.dtls is None else self.dtls.next_timeout()):
            if wait is not None and (earliest is None or wait < earliest):
                earliest = wait
        return earliest

    # Downward.

    def _push(self) -> bool:
        """Move what upper parts have to send one part down; False when there is nothing."""
        connection = self.dtls
        if connection is None:
            return False
        is_moved = False
        while (transmit := connection.next_transmit()) is not None:
            self._send(transmit.data, transmit.segment_size)
            is_moved = True
        if connection.state is not State.CONNECTED or (self.agent.is_paused and not self._is_closed):
            return is_moved
        packets = self.channels.next_transmits()
        if not packets:
            return is_moved
        if self.tap is not None:
            here, there = self._ends()
            self.tap.sctp(packets, here, there, self._now, is_sent=True)
        for data, segment_size in connection.seal(packets):
            self._send(data, segment_size)
        return True

    def _send(self, data: bytes, segment_size: int | None) -> None:
        if self.agent.send(data, self._now, segment_size=segment_size):
            self._traffic.sent(data, segment_size)

    def _ends(self) -> tuple[Address, Address]:
        """Ours and theirs, of the pair that data goes over."""
        pair = self.agent.selected_pair
        return (_NO_PATH, _NO_PATH) if pair is None else (pair.local_address, pair.remote_address)

    # Upward.

    def _work(self, now: Instant) -> None:
        """Hand on what parts have for each other, and keep what they have for the owner."""
        self._now = max(self._now, now)
        batch: list[bytes] = []
        source = _NO_PATH
        while (event := self.agent.next_event()) is not None:
            if not isinstance(event, ice.DataReceived):
                self._events.append(event)
            elif event.source == source:
                batch.append(event.data)
            else:
                if batch:
                    self._receive_dtls(batch, source)
                batch, source = [event.data], event.source
        if batch:
            self._receive_dtls(batch, source)
        if self.dtls is None and self._role is not None and self.agent.selected_pair is not None:
            self._make_dtls(self._role)
        if self.dtls is not None:
            self._work_dtls(self.dtls)

    def _receive_dtls(self, datagrams: list[bytes], source: Address) -> None:
        if self.dtls is None and self._role is not None:
            self._make_dtls(self._role)
        self._traffic.received(datagrams)
        if self.dtls is not None:
            self.dtls.receive_datagrams(datagrams, source, self._now)
            self._work_dtls(self.dtls)

    def _make_dtls(self, role: dtls.Role) -> None:
        if self._is_closed or self._remote is None:
            return
        self.dtls = DTLSConnection(
            role,
            self._certificate,
            _NO_PATH,
            now=self._now,
            fingerprints=self._remote.fingerprints or None,  # None: the owner looks at the certificate and decides
            accepts=self.agent.is_validated,
            config=self.dtls_config,
            trace=self._trace,
        )

    def _receive_sctp(self, payloads: Sequence[bytes]) -> None:
        if self.tap is not None:
            here, there = self._ends()
            self.tap.sctp(payloads, there, here, self._now, is_sent=False)
        self.channels.receive_datagrams(payloads, DTLS, self._now)

    def _work_dtls(self, connection: DTLSConnection) -> None:
        while True:
            payloads = connection.take_payloads()
            if payloads:
                self._receive_sctp(payloads)
                continue
            event = connection.next_event()
            match event:
                case None:
                    return
                case dtls.ApplicationData(last):  # what came before the end
                    self._receive_sctp(last)
                    continue
                case dtls.Handshaked():
                    if self.tap is not None and self.tap.wants_keys:
                        self.tap.keys(connection.key_log())
                    if self._remote is not None and self._remote.has_data:
                        self.channels.association.connect(self._now)
                case dtls.Closed():
                    self.channels.association.abort(self._now, "the peer closed the connection")
                case dtls.ConnectionFailed(_, detail):
                    self.channels.association.abort(self._now, detail)
            self._events.append(event)
