r"""A DTLS 1.2 connection as a machine (RFC 6347, as WebRTC uses it: RFC 8827, RFC 8842).

Theory of operation. `Handshake` is OpenSSL, `Flights` numbers and repeats what it writes, `Sealer` and `Opener` are our
own records. The connection is in one of five states:

    CONNECTING --handshake done--> VERIFYING --fingerprint known and right--> CONNECTED --> CLOSED
         \______________________________\______________________________________\--------> FAILED

* CONNECTING: whole records of plausible size go to OpenSSL one by one; what comes out is a flight, repeated on
  our own timer. Application data that overtakes the handshake is held, unopened, up to a limit.
* VERIFYING: OpenSSL is done, but signaling has not yet said which certificate to expect. Nothing is opened or sent.
* CONNECTED: with AES-GCM and `own_records`, a client drops OpenSSL at once: it has the server's Finished, so the server
  needs nothing more of OpenSSL's. A server opens records itself from the start, but writes by OpenSSL, and keeps it to
  repeat a lost Finished, until the first record of the client's decrypts: then the client has it, and OpenSSL goes.
  Otherwise OpenSSL keeps both directions. `docs/dtls.md` proves that sequence numbers and nonces never meet.

Who may speak to us is the caller's knowledge: `accepts` tells whether ICE has validated a source; a datagram of any
other is not looked at (RFC 8827 section 6.5 leaves no work for a source that did not pass ICE).
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.webrtc.dtls.alert import CLOSE_NOTIFY, Alert, AlertDescription, AlertLevel
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import (
    ApplicationData,
    Cause,
    Closed,
    Config,
    ConnectionFailed,
    Event,
    Handshaked,
    Role,
)
from zwerm.webrtc.dtls.fingerprint import Fingerprint, match
from zwerm.webrtc.dtls.flight import Flights
from zwerm.webrtc.dtls.gate import Gate
from zwerm.webrtc.dtls.handshake import Handshake
from zwerm.webrtc.dtls.record import DTLS_1_2, HEADER_SIZE, ContentType, Record, parse_datagram, split_records
from zwerm.webrtc.dtls.records import Opener, Run, Sealer, group
from zwerm.webrtc.dtls.statistics import DTLSStatistics
from zwerm.webrtc.dtls.suite import Secrets

FIRST_BYTES: Final = range(20, 64)  # RFC 7983 section 7: what of a shared port is DTLS
MIN_MTU: Final = 256  # bytes

_FIRST: Final = 20  # of FIRST_BYTES, as numbers that each datagram is compared with
_LAST: Final = 63

_WRONG_CERTIFICATE: Final = Alert(AlertLevel.FATAL, AlertDescription.BAD_CERTIFICATE)
_TOO_WEAK: Final = Alert(AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE)


class State(enum.Enum):
    """The life of a connection."""

    CONNECTING = "the handshake goes on"
    VERIFYING = "the handshake is done, the fingerprint is not known yet"
    CONNECTED = "data flows"
    CLOSED = "one side sent close_notify"
    FAILED = "it cannot be used"


class Timer(enum.Enum):
    """What a connection waits for."""

    RETRANSMIT = "our flight was not answered: send it again"
    GIVE_UP = "the handshake took too long: fail"


class DTLSConnection:
    """One side of a DTLS connection. After each call, drain as law 1 of `zwerm.core.machine` wants it."""

    def __init__(
        self,
        role: Role,
        certificate: Certificate,
        destination: Address,
        *,
        now: Instant,
        fingerprints: Iterable[Fingerprint] | None = None,
        accepts: Callable[[Address], bool] | None = None,
        config: Config | None = None,
        trace: Trace | None = None,
    ) -> None:
        """Start; a client's ClientHello waits to be sent.

        Args:
            role: client or server, as `a=setup` decided.
            certificate: ours.
            destination: where to send to; assign `destination` when ICE selects another pair.
            now: the moment of starting, from which the handshake's time counts.
            fingerprints: what signaling announced; None when it is not known yet, see `set_fingerprints`.
            accepts: whether a source is one that ICE has validated; None: `destination` alone is.
            config: limits and times.
            trace: is told of resends and of what is dropped.

        Raises:
            LocalProtocolError: an MTU too small for a handshake.
        """
        self.role = role
        self.destination = destination
        self.state = State.CONNECTING
        self.config = config or Config()
        if self.config.mtu < MIN_MTU:
            raise LocalProtocolError(f"an MTU of {self.config.mtu} bytes, expected at least {MIN_MTU}")
        self._accepts = accepts
        self._trace = trace
        self._fingerprints = None if fingerprints is None else tuple(fingerprints)
        self._is_wrong_certificate = False
        self._peer_certificate = b""
        self._flights = Flights(self.config.mtu)
        self._handshake: Handshake | None = Handshake(
            role,
            certificate,
            mtu=self.config.mtu,
            srtp_profiles=self.config.srtp_profiles,
            accepts=self._accepts_certificate,
        )
        self._secrets: Secrets | None = None
        self._max_payload = 0
        self._sealer: Sealer | None = None  # ours, once we write
        self._opener: Opener | None = None  # ours, where we read
        self._last_opener: Opener | None = None  # what it counted counts after the end too
        self._handshaked: Handshaked | None = None
        self._gate = Gate(self.config)
        self._interval = self.config.initial_interval
        self._timers = TimerTable(Timer)
        self._transmits: deque[Transmit] = deque()
        self._events: deque[Event] = deque()
        self._max_waiting_payloads = self.config.max_waiting_payloads
        self._payloads: list[bytes] = []  # of the ApplicationData that comes last among the events
        self._timers.arm(Timer.GIVE_UP, now + self.config.handshake_timeout)
        if role is Role.CLIENT:
            self._handshake.start()
            self._carry(self._handshake, now)

    # Commands.

    def set_fingerprints(self, fingerprints: Iterable[Fingerprint], now: Instant) -> None:
        """Say which certificate to expect, where it was not known at the start.

        Raises:
            LocalProtocolError: it was said before.
        """
        if self._fingerprints is not None:
            raise LocalProtocolError("the fingerprints were set before")
        self._fingerprints = tuple(fingerprints)
        if self.state is State.VERIFYING:
            self._verify(now)

    def send(self, payloads: Sequence[bytes]) -> None:
        """Send each payload as a record in a datagram of its own.

        Raises:
            LocalProtocolError: not connected, an empty payload or one above `max_payload`, or transmits that nobody
                drained. Nothing was sent.
        """
        if len(self._transmits) >= self.config.max_waiting_transmits:
            raise LocalProtocolError(f"{len(self._transmits)} transmits wait to be drained")
        self._transmit(self.seal(payloads))

    def seal(self, payloads: Sequence[bytes]) -> list[Run]:
        """Make the datagrams that `send` would, for a caller who has taken every transmit and sends them by itself.

        Raises:
            LocalProtocolError: not connected, an empty payload or one above `max_payload`. Nothing was sealed.
        """
        if self.state is not State.CONNECTED:
            raise LocalProtocolError(f"cannot send: {self.state.value}")
        limit = self._max_payload
        for payload in payloads:
            if not 0 < len(payload) <= limit:
                raise LocalProtocolError(f"a payload of {len(payload)} bytes, expected 1 to {limit}")
        sealer = self._sealer
        return self._write_by_openssl(payloads) if sealer is None else sealer.seal_batch(payloads)

    def close(self) -> None:
        """Say close_notify, if there is a connection to close, and end. Twice is harmless."""
        if self.state is State.CONNECTED:
            self._say_close()
        if self.state is not State.FAILED:
            self._end(State.CLOSED)

    def export_keying_material(self, label: bytes, size: int) -> bytes:
        """Keys for another protocol (RFC 5705), such as `EXTRACTOR-dtls_srtp`; the same on both sides.

        Raises:
            LocalProtocolError: before `Handshaked`, or a label of TLS's own.
        """
        if self._secrets is None or self._handshaked is None:
            raise LocalProtocolError("no keys to export before the peer is verified")
        return self._secrets.export(label, size)

    def key_log(self) -> bytes:
        """The line of a key log file that opens this connection's records to whoever has it.

        Raises:
            LocalProtocolError: before the handshake has left keys.
        """
        if self._secrets is None:
            raise LocalProtocolError("no keys before the handshake is done")
        return self._secrets.key_log()

    def statistics(self) -> DTLSStatistics:
        opener, told = self._opener or self._last_opener, self._handshaked
        return DTLSStatistics(
            role=self.role,
            version=None if told is None else told.version,
            cipher=None if told is None else told.cipher,
            srtp_profile=None if told is None else told.srtp_profile,
            peer_certificate=self._peer_certificate,
            forged=0 if opener is None else opener.forged,
            replayed=0 if opener is None else opener.replayed,
            dropped=self._gate.dropped + (0 if opener is None else opener.strange),
        )

    @property
    def max_payload(self) -> int:
        """Bytes that one record can carry within the MTU; 0 before the keys are there."""
        return self._max_payload

    @property
    def dropped(self) -> int:
        """Records and payloads that were let go before anything looked into them."""
        return self._gate.dropped

    @property
    def owns_records(self) -> bool:
        """Whether we write records ourselves and OpenSSL is gone."""
        return self._sealer is not None

    @property
    def peer_certificate(self) -> bytes:
        """The peer's certificate in DER; empty until it has proved to have its key."""
        return self._peer_certificate

    # The machine.

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        return self.receive_datagrams((data,), source, now) == 1

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        if source != self.destination if self._accepts is None else not self._accepts(source):
            return 0
        return self.receive_accepted(datagrams, now)

    def receive_accepted(self, datagrams: Sequence[bytes], now: Instant) -> int:
        """Take what came from a source that the caller knows to be accepted."""
        ours = [one for one in datagrams if one and _FIRST <= one[0] <= _LAST]
        if self.state is State.CONNECTED and self._sealer is not None:
            self._open(ours)
        else:
            for datagram in ours:
                self._receive_slowly(datagram, now)
        return len(ours)

    def handle_timeout(self, now: Instant) -> None:
        while (fired := self._timers.pop_expired(now)) is not None:
            if fired.timer is Timer.GIVE_UP and self.config.waits_for_peer and not self._gate.records:
                self._timers.arm(Timer.GIVE_UP, fired.due + self.config.handshake_timeout)
                continue
            if fired.timer is Timer.GIVE_UP:
                self._fail(Cause.TIMEOUT, f"no handshake within {self.config.handshake_timeout:g} s")
                return
            self._interval = min(2 * self._interval, self.config.max_interval)
            self._timers.arm(Timer.RETRANSMIT, fired.due + self._interval)
            if fired.due + self._interval > now:  # after a long sleep the last of the missed resends is enough
                datagrams = self._flights.resend()
                self._transmit(Run(datagram, None) for datagram in datagrams)
                if self._trace:
                    self._trace(now, "flight sent again", datagrams=len(datagrams), interval=self._interval)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Event | None:
        if self._events:
            return self._events.popleft()
        if self._payloads:
            payloads, self._payloads = self._payloads, []
            return ApplicationData(tuple(payloads))
        return None

    def take_payloads(self) -> list[bytes]:
        """What `next_event` would tell as `ApplicationData`, if that is next; for a caller who has it without one."""
        if self._events:
            return []
        payloads, self._payloads = self._payloads, []
        return payloads

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    # Before, and beside, our own records.

    def _receive_slowly(self, datagram: bytes, now: Instant) -> None:
        """Take a datagram record by record, while OpenSSL is there."""
        for record in parse_datagram(datagram):
            if self._handshake is None:
                if self.state is State.CONNECTED:  # taken over in the middle of this datagram
                    self._open((record.serialize(),))
                continue
            if self.state is State.CONNECTING:
                self._receive_handshaking(self._handshake, record, now)
            else:
                self._receive_protected(self._handshake, record)

    def _receive_handshaking(self, handshake: Handshake, record: Record, now: Instant) -> None:
        self._gate.records += 1
        if self._gate.records > self.config.max_handshake_records:
            self._fail(Cause.LIMIT, f"{self._gate.records} records, and the handshake is not done")
        elif record.epoch == 1 and record.content_type in (ContentType.APPLICATION_DATA, ContentType.ALERT):
            self._gate.hold(record)
        elif self._gate.admits(record):
            handshake.receive(record.serialize())
            self._carry(handshake, now, record)

    def _receive_protected(self, handshake: Handshake, record: Record) -> None:
        """Take a record after the handshake, in VERIFYING or while OpenSSL still writes."""
        is_handshake = record.content_type is ContentType.HANDSHAKE  # a Finished again: OpenSSL repeats its own
        if record.epoch != 1:
            self._gate.dropped += 1
        elif self.state is State.VERIFYING and not is_handshake:
            self._gate.hold(record)
        elif self._opener is not None and not is_handshake:
            self._open((record.serialize(),))
        else:
            payloads = handshake.receive(record.serialize())
            output = handshake.take_output()
            if output:
                self._transmit(Run(datagram, None) for datagram in self._flights.take(output))
            if self.state is State.CONNECTED:
                self._deliver(payloads)
            if handshake.is_closed:
                self._peer_closed()
            elif handshake.failure is not None:
                self._fail(Cause.ALERT, f"the peer ended the connection: {handshake.failure}")

    def _carry(self, handshake: Handshake, now: Instant, record: Record | None = None) -> None:
        """Carry out what OpenSSL made of an input."""
        output = handshake.take_output()
        if self._is_wrong_certificate:  # RFC 8122 section 6.2 wants this alert; OpenSSL says unknown_ca
            output = Record(ContentType.ALERT, DTLS_1_2, 0, 0, _WRONG_CERTIFICATE.serialize()).serialize()
        datagrams = self._flights.take(output)
        self._transmit(Run(datagram, None) for datagram in datagrams)
        if handshake.failure is not None:
            self._handshake_failed(handshake.failure, record)
        elif handshake.is_complete:
            self._complete(handshake, now)
        elif datagrams:
            first = self._flights.first_protected
            if self.role is Role.CLIENT and first is not None and self._flights.sealer is None:
                secrets = handshake.secrets_that_open(first)
                if secrets is not None:
                    self._flights.protect(secrets.suite, secrets.keys()[0])
            self._interval = self.config.initial_interval
            self._timers.arm(Timer.RETRANSMIT, now + self._interval)

    def _handshake_failed(self, reason: str, record: Record | None) -> None:
        if self._is_wrong_certificate:
            self._fail(Cause.FINGERPRINT, self._mismatch())
        elif record is not None and record.content_type is ContentType.ALERT and record.epoch == 0:
            self._fail(Cause.ALERT, f"the peer ended the handshake: {reason}", _parse_alert(record.fragment))
        else:
            self._fail(Cause.HANDSHAKE, reason)

    def _accepts_certificate(self, der: bytes) -> bool:
        if der == self._peer_certificate:  # OpenSSL asks once for each thing that it does not like about it
            return not self._is_wrong_certificate
        self._peer_certificate = der
        self._is_wrong_certificate = self._fingerprints is not None and match(self._fingerprints, der) is None
        return not self._is_wrong_certificate

    # From the end of the handshake on.

    def _complete(self, handshake: Handshake, now: Instant) -> None:
        self._flights.finish()
        self._timers.cancel_all()
        self._peer_certificate = handshake.peer_certificate() or b""
        self._secrets = handshake.secrets()
        if self._secrets is None or not self._peer_certificate:
            self._fail(Cause.HANDSHAKE, f"finished with {handshake.cipher}, which was not offered")
            return
        self._max_payload = self.config.mtu - HEADER_SIZE - self._secrets.suite.overhead
        keys = self._secrets.keys()
        ours, theirs = keys if self.role is Role.CLIENT else reversed(keys)
        if self._flights.sealer is None:
            self._flights.protect(self._secrets.suite, ours)
        if self.config.own_records and self._secrets.suite.explicit_nonce_size:
            self._opener = Opener(self._secrets.suite, theirs)
        self.state = State.VERIFYING
        if not handshake.has_extended_master_secret:
            self._fail(Cause.INSECURE, "the peer does not bind keys to the handshake (RFC 7627)", say=_TOO_WEAK)
        elif self._fingerprints is not None:
            self._verify(now)

    def _verify(self, now: Instant) -> None:
        handshake, secrets, sealer = self._handshake, self._secrets, self._flights.sealer
        assert handshake is not None  # noqa: S101 - VERIFYING has all three
        assert secrets is not None  # noqa: S101
        assert sealer is not None  # noqa: S101
        matched = match(self._fingerprints or (), self._peer_certificate)
        if matched is None:
            self._fail(Cause.FINGERPRINT, self._mismatch(), say=_WRONG_CERTIFICATE)
            return
        self._handshaked = Handshaked(matched, handshake.srtp_profile, handshake.version, handshake.cipher)
        self._events.append(self._handshaked)
        self.state = State.CONNECTED
        if self._opener is None:
            handshake.skip(sealer.sequence - 1 - self._flights.protected_sequence)
        elif self.role is Role.CLIENT:
            self._take_over()
        for datagram in self._gate.take_held():
            self._receive_slowly(datagram, now)

    def _take_over(self) -> None:
        """Write records ourselves from here on, and let OpenSSL go."""
        self._sealer = self._flights.sealer
        self._release()

    def _release(self) -> None:
        if self._handshake is not None:
            self._handshake.release()
            self._handshake = None

    def _write_by_openssl(self, payloads: Sequence[bytes]) -> list[Run]:
        assert self._handshake is not None  # noqa: S101 - whoever is connected has the one or the other
        for payload in payloads:
            self._handshake.write(payload)
        records = split_records(self._handshake.take_output())
        if self._opener is not None and records:  # we shall take over: know how far OpenSSL has counted
            for record in records:
                self._flights.take(record)
        return group(records)

    def _open(self, datagrams: Iterable[bytes]) -> None:
        """Open records ourselves."""
        opener = self._opener
        assert opener is not None  # noqa: S101 - callers have looked
        payloads: list[bytes] = []
        others = opener.open_datagrams(datagrams, payloads)
        if self._sealer is None and (payloads or others):
            self._take_over()
        delivered = 0
        for other in others:
            if other.content_type == ContentType.ALERT and self.state is State.CONNECTED:
                self._deliver(payloads[delivered : other.position])
                delivered = other.position
                self._receive_alert(other.plaintext)
        if self.state is State.CONNECTED:
            self._deliver(payloads[delivered:] if delivered else payloads)
        if opener.forged > self.config.max_forged_records and self.state is State.CONNECTED:
            self._fail(Cause.LIMIT, f"{opener.forged} records were not genuine")

    def _receive_alert(self, plaintext: bytes) -> None:
        alert = _parse_alert(plaintext)
        if alert is None:
            return
        if alert.description == AlertDescription.CLOSE_NOTIFY:
            self._peer_closed()
        elif alert.level is AlertLevel.FATAL:
            self._fail(Cause.ALERT, f"the peer ended the connection: {alert}", alert)

    def _deliver(self, payloads: list[bytes]) -> None:
        room = self._max_waiting_payloads - len(self._payloads)
        if len(payloads) > room:
            self._gate.dropped += len(payloads) - room
            payloads = payloads[:room]
        self._payloads += payloads

    # The end.

    def _peer_closed(self) -> None:
        self._say_close()
        self._finish_events(Closed())
        self._end(State.CLOSED)

    def _say_close(self) -> None:
        if self._sealer is not None:
            self._transmit((Run(self._sealer.seal(ContentType.ALERT, CLOSE_NOTIFY.serialize()), None),))
        elif self._handshake is not None:
            self._handshake.close()
            output = self._handshake.take_output()
            self._transmit((Run(output, None),) if output else ())

    def _fail(self, cause: Cause, detail: str, alert: Alert | None = None, *, say: Alert | None = None) -> None:
        if say is not None and self._flights.sealer is not None:
            self._transmit((Run(self._flights.sealer.seal(ContentType.ALERT, say.serialize()), None),))
        self._finish_events(ConnectionFailed(cause, detail, alert))
        self._end(State.FAILED)

    def _finish_events(self, last: Event) -> None:
        if self._payloads:
            self._events.append(ApplicationData(tuple(self._payloads)))
            self._payloads = []
        self._events.append(last)

    def _end(self, state: State) -> None:
        self.state = state
        self._timers.cancel_all()
        self._flights.finish()
        self._release()
        self._last_opener = self._opener
        self._sealer = self._opener = None
        self._gate.take_held()

    def _mismatch(self) -> str:
        actual = Fingerprint.of(self._peer_certificate)
        announced = ", ".join(map(str, self._fingerprints or ())) or "none"
        return f"the certificate is {actual}, announced was {announced}"

    def _transmit(self, runs: Iterable[Run]) -> None:
        for run in runs:
            if len(self._transmits) < 2 * self.config.max_waiting_transmits:
                self._transmits.append(Transmit(run.data, self.destination, run.segment_size))


def _parse_alert(data: bytes) -> Alert | None:
    try:
        return Alert.parse(data)
    except WireError:
        return None
