"""One ICE generation: a pair of credentials, its checklist, its selected pair (RFC 8445 sections 6 to 8, RFC 7675).

The agent makes a session at the start and at each restart, hands it the Binding messages that name its credentials, and
carries out what it wants sent. Who drives what:

* a *check* is sent by the pacer, first those triggered by the peer, then by priority;
* an answer makes its pair valid; `Nomination` then says which valid pair is selected and which is nominated;
* the selected pair has a `Consent`, which asks on; while its answers are overdue the other pairs are checked again;
* a retired session, one that a restart replaces, checks nothing new and carries data until its successor can.

Requests of the other side that come before its description are answered at once, remembered, and taken up when its
credentials are known (RFC 8445 section 7.3).
"""

from __future__ import annotations

import enum
from collections import deque
from random import Random

from zwerm.core.machine import Address, Instant
from zwerm.core.timers import TimerTable
from zwerm.core.trace import Trace
from zwerm.webrtc.ice.arrival import Arrival, EarlyCheck
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.check import (
    ROLE_CONFLICT,
    UNKNOWN_ATTRIBUTE,
    Check,
    CheckKind,
    build_error,
    build_request,
    build_success,
    claimed_role,
    error_code,
    ufrags_of,
)
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.consent import Consent
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.known_candidates import KnownCandidates
from zwerm.webrtc.ice.nomination import Nomination
from zwerm.webrtc.ice.outlet import Outlet
from zwerm.webrtc.ice.pacer import Pacer
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, PairState, Path
from zwerm.webrtc.ice.spares import next_due, spares_due, spares_to_try
from zwerm.webrtc.ice.steady import Steady, is_question
from zwerm.webrtc.ice.transactions import Transactions
from zwerm.webrtc.stun.attributes import NOMINATION, PRIORITY, USE_CANDIDATE, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import Message, MessageClass


class Timer(enum.Enum):
    """The deadlines of a session."""

    PACE = "the next new check may go"
    CHECKS = "a check is to be repeated, or was not answered at all"
    CONSENT = "the selected pair is to be asked again, or did not answer"
    NOMINATE = "patience for a better pair has ended"
    KEEPALIVE = "spare pairs are to be kept alive"
    GIVE_UP = "the time in which a pair could have been found, or found again, has ended"


class Session:
    """One generation."""

    def __init__(
        self,
        outlet: Outlet,
        config: Config,
        random: Random,
        pacer: Pacer,
        local: Credentials,
        role: Role,
        trace: Trace | None = None,
    ) -> None:
        self.local = local
        self.remote: Credentials | None = None
        self.remote_is_lite = False
        self.checklist = Checklist(role, config.max_pairs)
        self.nomination = Nomination(config, self.checklist)
        self.selected: Pair | None = None
        self.consent: Consent | None = None
        self.is_retired = False
        self.candidates = KnownCandidates(config.max_remote_candidates)
        self.local_is_complete = False
        self._outlet = outlet
        self.config = config
        self._random = random
        self._pacer = pacer
        self._trace = trace
        self._tie_breaker = random.getrandbits(64)
        self._transactions = Transactions(config.max_transactions)
        self._early: deque[EarlyCheck] = deque(maxlen=config.max_early_checks)
        self._timers = TimerTable(Timer)
        self.checking_since: Instant | None = None
        self.lost_at: Instant | None = None  # there was a pair until then
        self._steady: Steady | None = None  # of the selected pair

    @property
    def role(self) -> Role:
        return self.checklist.role

    # What the agent tells.

    def set_remote(self, remote: Credentials, now: Instant, *, lite: bool, renomination: bool) -> None:
        """Learn the other side's credentials; then what it asked before is taken up."""
        self.remote = remote
        self.remote_is_lite = lite
        self.nomination.can_renominate = renomination and self.config.renomination
        if lite and not self.config.lite:
            self.checklist.role = Role.CONTROLLING  # RFC 8445 section 6.1.1
        self.checking_since = now
        self._timers.arm(Timer.GIVE_UP, now + self.config.minimum_checking)
        early, self._early = self._early, deque(maxlen=self.config.max_early_checks)
        for check in early:
            if check.ufrag == remote.ufrag:
                self._take_request(check.arrival, check.priority, now, check.nominates, check.nomination)
        self.settle(now)

    def add_local(self, local: LocalCandidate, now: Instant) -> None:
        """Take a candidate of ours."""
        self.candidates.local.append(local)
        if self.candidates.own(local.base) is local:
            for remote in self.candidates.remote:
                self.checklist.pair_up(local, remote)
        self.settle(now)

    def add_remote(self, candidate: Candidate, address: Address) -> bool:
        """Take a candidate of the other side, to be followed by `settle`; False when there are too many."""
        remote, is_new = self.candidates.add_remote(candidate, address)
        if remote is not None and is_new:
            for local in self.candidates.bases():
                self.checklist.pair_up(local, remote)
        return remote is not None

    def end_of_candidates(self, now: Instant) -> None:
        """The other side will have no more."""
        self.nomination.more_may_come = False
        self.settle(now)

    def remove_base(self, base: Base, now: Instant) -> None:
        """An address of ours is gone, and every pair on it."""
        self.candidates.forget_base(base)
        for pair in [pair for pair in self.checklist if pair.local.base is base]:
            self._drop(pair)
        self.settle(now)

    def retire(self) -> None:
        """A restart began: keep what carries data, check nothing new."""
        self.is_retired = True
        self._early.clear()
        for pair in list(self.checklist):
            if not pair.is_valid:
                self._drop(pair)
        for timer in (Timer.PACE, Timer.NOMINATE, Timer.GIVE_UP):
            self._timers.cancel(timer)

    def resume(self, now: Instant) -> None:
        """The restart was taken back: go on with what was kept."""
        self.is_retired = False
        self.settle(now)

    def close(self) -> None:
        """Forget everything; the streams are closed."""
        for pair in list(self.checklist):
            self._drop(pair)
        self._transactions.clear()
        self._timers.cancel_all()
        self.selected = self.consent = self._steady = None

    # What comes from the network.

    def receive_request(self, message: Message, arrival: Arrival, now: Instant) -> None:
        """Take a request that names our fragment; whether it is authentic is checked here (section 7.3)."""
        names = ufrags_of(message)
        if names is None or not message.has_fingerprint or not message.has_integrity(self.local.key):
            return  # no answer to what is not authentic: see docs/ice.md
        if message.unknown_required():
            self._answer(build_error(message, UNKNOWN_ATTRIBUTE, "Unknown Attribute", self.local), arrival, now)
            return
        if self._conflicts(message, now):
            self._answer(build_error(message, ROLE_CONFLICT, "Role Conflict", self.local), arrival, now)
            return
        answer = build_success(message, arrival.source, self.local)
        self._outlet.send(arrival.base, arrival.stream, answer, arrival.source, now)
        if self.is_retired and self.checklist.find(arrival.path) is None:
            return
        priority = message.find(PRIORITY)
        nominates, nomination = message.find(USE_CANDIDATE) is not None, message.find(NOMINATION)
        if priority is None:
            return
        if self.remote is None or names[1] != self.remote.ufrag:
            self._early.append(EarlyCheck(arrival, names[1], priority, nominates, nomination))
            return
        self._take_request(arrival, priority, now, nominates, nomination)
        self.settle(now)
        if self._steady is not None and self._steady.holds(self.role, arrival.base.address, arrival.source):
            self._steady.answers(message.data, answer)

    def receive_repeated(self, data: bytes, local: Address | None, source: Address, now: Instant) -> bool:
        """Take a check, or an answer to one, that says nothing new on the selected pair; False: this is none."""
        steady = self._steady
        if steady is None or self.consent is None or not steady.holds(self.checklist.role, local, source):
            return False
        pair = steady.pair
        if is_question(data):
            answer = steady.answer(data)
            if answer is None:
                return False
            pair.counters.requests_received += 1
            pair.counters.responses_sent += 1
            self._outlet.send(pair.local.base, None, answer, source, now)
            return True
        check = self._transactions.find(data[8:20])
        if check is None or check.kind is not CheckKind.CONSENT or check.pair is not pair or not steady.is_answer(data):
            return False
        self._transactions.remove(data[8:20])
        pair.counters.responses_received += 1
        self._answered(check, now)
        self._arm_checks(now)
        return True

    def receive_response(self, message: Message, arrival: Arrival, now: Instant) -> bool:
        """Take a response; False when no check of ours has its transaction ID, or it is not authentic."""
        check = self._transactions.find(message.transaction_id)
        if check is None or self.remote is None or not message.has_integrity(self.remote.key):
            return False
        self._transactions.remove(message.transaction_id)
        pair = check.pair
        pair.counters.responses_received += 1
        if not arrival.answers(pair):
            if check.kind is CheckKind.CONNECTIVITY:  # RFC 8445 section 7.2.5.2.1
                self._fail(pair, "the response came another way", now)
        elif message.message_class is MessageClass.ERROR:
            self._take_error(check, error_code(message), now)
        elif (mapped := message.find(XOR_MAPPED_ADDRESS)) is not None:
            self._take_success(check, mapped, now)
        self.settle(now)
        if self._steady is not None and self._steady.holds(self.role, arrival.base.address, arrival.source):
            self._steady.is_answered(message.data)
        return True

    def stream_opened(self, pair: Pair, now: Instant) -> None:
        """The TCP connection of `pair` is there: check it."""
        if pair.state is PairState.IN_PROGRESS:
            self._send_check(pair, now)

    def stream_lost(self, stream: int, now: Instant) -> None:
        pair = self.checklist.find(stream)
        if pair is not None:
            self._fail(pair, "the connection was closed", now)
            self._transactions.forget(pair)
            self.checklist.set_stream(pair, None)
            if pair.local.base.tcp_type is not None and pair.has_peer_check and not pair.is_unfinished:
                self.checklist.remove(pair)  # the other side opened it, and may again
            self.settle(now)

    # Time.

    def handle_timeout(self, now: Instant) -> bool:
        """Whether anything but the next question of a steady pair came of it."""
        has_news = False
        while (fired := self._timers.pop_expired(now)) is not None:
            if fired.timer is Timer.CONSENT and self._ask_as_ever(now):
                continue
            has_news = True
            match fired.timer:
                case Timer.CHECKS:
                    self._repeat_checks(now)
                case Timer.CONSENT:
                    self._ask_consent(now)
                case Timer.KEEPALIVE:
                    self._keep_spares_alive(now)
                case Timer.GIVE_UP:
                    if self.checking_since is not None and now < self.checking_since + self.config.connect_timeout:
                        self._timers.arm(Timer.GIVE_UP, self.checking_since + self.config.connect_timeout)
                case Timer.PACE | Timer.NOMINATE:
                    pass  # `settle` looks again
            self.settle(now)
        return has_news

    def ask_again(self, now: Instant) -> bool:
        """Ask for consent, if that is what is due and nothing is in doubt."""
        due = self._timers.next_timeout()
        return due is not None and due == self._timers.deadline(Timer.CONSENT) and due <= now and self._ask_as_ever(now)

    def next_timeout(self) -> Instant | None:
        return self._timers.next_timeout()

    # What the agent asks.

    def expects(self, path: Path) -> bool:
        """Whether an authentic request came that way, so that data will."""
        pair = self.checklist.find(path)
        if pair is not None:
            return pair.has_peer_check
        return any(check.arrival.path == path for check in self._early)

    # After every change.

    def settle(self, now: Instant) -> None:
        """Send what may be sent, choose again, and set the timers."""
        if self.is_retired:
            self._select(now)
        else:
            self._nominate(now)
            self._select(now)
            self._pace(now)
        self._arm_checks(now)
        self._arm(Timer.NOMINATE, self.nomination.decide_at if not self.is_retired else None)

    def _arm_checks(self, now: Instant) -> None:
        self._arm(Timer.CHECKS, self._transactions.next_timeout())
        if self.consent is not None and self.consent.is_expired(now):
            self._timers.cancel(Timer.CONSENT)
            self._timers.cancel(Timer.KEEPALIVE)
        else:
            self._arm(Timer.CONSENT, None if self.consent is None else self.consent.next_timeout(now))

    def _arm(self, timer: Timer, due: Instant | None) -> None:
        if due is None:
            self._timers.cancel(timer)
        elif self._timers.deadline(timer) != due:
            self._timers.arm(timer, due)

    def _pace(self, now: Instant) -> None:
        """Send a check if it is time, and come back when the next one may go."""
        if self.remote is None or self.config.lite or not self.checklist.has_work():
            self._timers.cancel(Timer.PACE)
            return
        ready_at = self._pacer.ready_at(triggered=self.checklist.is_triggered)
        if ready_at is None or ready_at <= now:
            pair = self.checklist.next_pair()
            if pair is None:  # what is left is frozen, behind checks under way: their end brings us back
                self._timers.cancel(Timer.PACE)
                return
            self._pacer.sent(now)
            self._send_check(pair, now)
        ready_at = self._pacer.ready_at(triggered=self.checklist.is_triggered)
        self._arm(Timer.PACE, ready_at if self.checklist.has_work() else None)

    def _nominate(self, now: Instant) -> None:
        pair = self.nomination.to_nominate(now)
        if pair is not None and not self.config.lite:
            self.nomination.begin(pair)
            self._note(now, "nominating", pair)
            self.checklist.trigger(pair)

    def _select(self, now: Instant) -> None:
        pair = self.nomination.selected()
        if pair is self.selected:
            return
        self.selected = pair
        self.lost_at = now if pair is None else None
        self._begin_steady()
        if pair is None:
            self.consent = None
            self._timers.arm(Timer.GIVE_UP, now + self.config.consent_timeout)
            return
        self._note(now, "selected", pair)
        answered_at = pair.responded_at if pair.responded_at is not None else now
        self.consent = Consent(
            self.config, self._random, answered_at=answered_at, round_trip_time=pair.round_trip_time, now=now
        )
        self._arm_keepalive(now)

    def _begin_steady(self) -> None:
        """Another pair is selected, or the roles have changed: what was said before counts no more."""
        pair, self._steady = self.selected, None
        if (
            pair is not None
            and pair.local.base.kind is BaseKind.UDP
            and self.remote is not None
            and not self.config.lite
        ):
            self._steady = Steady(pair, self.role, self.local, self.remote)

    # Requests and responses.

    def _conflicts(self, message: Message, now: Instant) -> bool:
        """Settle a conflict of roles (section 7.3.1.1); True when the other side is to change its role."""
        claim = claimed_role(message)
        if claim is None or claim[0] is not self.role:
            return False
        has_more = self._tie_breaker >= claim[1]
        if self.config.lite or self.remote_is_lite:
            return self.config.lite is False  # roles of a lite and a full agent are fixed
        if (self.role is Role.CONTROLLING) is has_more:
            return True
        self._switch_role(now)
        return False

    def _switch_role(self, now: Instant) -> None:
        self.checklist.role = self.role.other
        self.nomination.pending = None
        self._begin_steady()
        if self._trace:
            self._trace(now, "role switched", role=self.role.value)

    def _answer(self, data: bytes, arrival: Arrival, now: Instant) -> None:
        """Answer with an error; a success is counted with its request, whose pair may not be there yet."""
        self._outlet.send(arrival.base, arrival.stream, data, arrival.source, now)
        pair = self.checklist.find(arrival.path)
        if pair is not None:
            pair.counters.responses_sent += 1

    def _take_request(
        self, arrival: Arrival, priority: int, now: Instant, nominates: bool, nomination: int | None
    ) -> None:
        pair = self._pair_of(arrival, priority, now)
        if pair is None:
            return
        pair.counters.requests_received += 1
        pair.counters.responses_sent += 1
        pair.has_peer_check = True
        if self.config.lite:
            self._take_request_lite(pair, nominates, now)
        elif not pair.is_valid:
            if pair.state is PairState.IN_PROGRESS:
                self._transactions.cancel(pair)
            self.checklist.trigger(pair)
        elif pair is not self.selected and self.consent is not None:
            self.consent.ask_now(now)  # the other side may have lost the selected pair
        if nominates and self.role is Role.CONTROLLED:
            pair.is_wanted = True
            pair.nomination = max(pair.nomination, nomination or 0)
            pair.is_nominated = pair.is_nominated or pair.is_valid

    def _take_request_lite(self, pair: Pair, nominates: bool, now: Instant) -> None:
        """A lite agent believes what the full one found: a nominated pair is valid (RFC 8445 section 8.2)."""
        pair.responded_at = now
        if nominates and not pair.is_valid:
            pair.state = PairState.SUCCEEDED
            self._outlet.validated(pair, now)
        if pair is self.selected and self.consent is not None:
            self.consent.answered(now)

    def _pair_of(self, arrival: Arrival, priority: int, now: Instant) -> Pair | None:
        """The pair a request came on, made if there is none (sections 7.3.1.3 and 7.3.1.4)."""
        pair = self.checklist.find(arrival.path)
        if pair is not None:
            return pair
        local = self.candidates.own(arrival.base)
        remote = self.candidates.remote_at(arrival, priority, self.checklist)
        if local is None or remote is None:
            return None
        pair = Pair(local, remote, stream=arrival.stream)
        if not self.checklist.insert(pair):
            return None
        self._note(now, "learned", pair)
        return pair

    def _take_error(self, check: Check, code: int, now: Instant) -> None:
        if code == ROLE_CONFLICT:
            if check.role is self.role:
                self._switch_role(now)
            self.checklist.trigger(check.pair)  # section 7.2.5.1
        elif check.kind is CheckKind.CONNECTIVITY:
            self._fail(check.pair, f"error {code}", now)

    def _take_success(self, check: Check, mapped: Address, now: Instant) -> None:
        pair = check.pair
        self._answered(check, now)
        if pair.mapped is None or pair.mapped.address != mapped:
            pair.mapped = self.candidates.local_at(pair, mapped)
        if check.kind is CheckKind.CONSENT:
            return
        self._transactions.cancel(pair)
        if not pair.is_valid:
            pair.state = PairState.SUCCEEDED
            self._note(now, "valid", pair)
            self.checklist.unfreeze(pair.foundation)
            self._outlet.validated(pair, now)
            self._arm_keepalive(now)
        if self.role is Role.CONTROLLED:
            pair.is_nominated = pair.is_nominated or pair.is_wanted
        elif check.nominates and self.nomination.pending is pair:
            self.nomination.succeeded(pair)

    def _answered(self, check: Check, now: Instant) -> None:
        """The other side answered, whatever it says."""
        pair = check.pair
        pair.answered(check.sent_at if check.sends == 1 else None, now)
        if pair is self.selected and self.consent is not None:
            self.consent.answered(now)

    # Sending.

    def _send_check(self, pair: Pair, now: Instant, kind: CheckKind = CheckKind.CONNECTIVITY) -> None:
        if self.remote is None:
            return
        if kind is CheckKind.CONNECTIVITY and not pair.is_valid:
            pair.state = PairState.IN_PROGRESS
        if pair.local.base.kind is BaseKind.TCP and pair.stream is None:
            self._open_stream(pair, now)
            return
        nominates, number = said = self.nomination.said_of(pair)
        transaction_id = self._random.randbytes(12)
        data = build_request(
            pair,
            transaction_id,
            self.local,
            self.remote,
            self.role,
            self._tie_breaker,
            nominates=nominates,
            nomination=number,
        )
        if self._steady is not None and pair is self.selected:
            self._steady.asks(data, said)
        rto = max(self.config.rto, self._pacer.ta * self.checklist.active(), 1.5 * (pair.round_trip_time or 0.0))
        is_repeated = kind is CheckKind.CONNECTIVITY and pair.stream is None
        expires_at = now + self.config.check_timeout
        due = now + rto if is_repeated else expires_at
        check = Check(pair, kind, data, self.role, nominates, now, due, expires_at, rto)
        self._transactions.add(transaction_id, check)
        check.count()
        self._outlet.send(pair.local.base, pair.stream, data, pair.remote.address, now)

    def _open_stream(self, pair: Pair, now: Instant) -> None:
        stream = self._outlet.open_stream(pair)
        if stream is None:
            self._fail(pair, "too many connections", now)
        else:
            self.checklist.set_stream(pair, stream)

    def _repeat_checks(self, now: Instant) -> None:
        repeated, over = self._transactions.pop_due(now)
        for check in repeated:
            check.repeat_at(now, self.config.rto_limit)
            check.count()
            self._outlet.send(check.pair.local.base, check.pair.stream, check.data, check.pair.remote.address, now)
        for check in over:
            if check.kind is CheckKind.CONNECTIVITY and not check.is_cancelled:
                self._fail(check.pair, "no answer", now)

    def _ask_as_ever(self, now: Instant) -> bool:
        """Ask for consent where nothing is in doubt; False: there is more to do than that."""
        pair, consent, steady = self.selected, self.consent, self._steady
        if pair is None or consent is None or steady is None or pair.is_doubted or not consent.is_fresh(now):
            return False
        said, transaction_id = self.nomination.said_of(pair), self._random.randbytes(12)
        question = steady.question(transaction_id, said)
        if question is None:
            return False
        consent.asked(now)
        end = now + self.config.check_timeout
        check = Check(pair, CheckKind.CONSENT, question, self.role, said[0], now, due=end, expires_at=end, rto=0.0)
        self._transactions.add(transaction_id, check)
        check.count()
        self._outlet.send(pair.local.base, pair.stream, question, pair.remote.address, now)
        self._arm_checks(now)
        return True

    def _ask_consent(self, now: Instant) -> None:
        pair, consent = self.selected, self.consent
        if pair is None or consent is None or consent.is_expired(now):
            return
        if consent.is_probing(now) and not pair.is_doubted:
            pair.is_doubted = True
            self._note(now, "doubted", pair)
            for spare in spares_to_try(self.checklist, pair):
                if not self.is_retired:
                    self.checklist.trigger(spare)
        if now >= consent.next_check_at:
            consent.asked(now)
            if not self.config.lite:
                self._send_check(pair, now, CheckKind.CONSENT)

    def _keep_spares_alive(self, now: Instant) -> None:
        """RFC 8445 section 11: what a translator may forget needs a datagram now and then."""
        if not self.config.lite and not self.is_retired:
            for pair in spares_due(self.checklist, self.selected, self.config, now):
                pair.asked_at = now
                self._send_check(pair, now, CheckKind.CONSENT)
            self._arm_keepalive(now)

    def _arm_keepalive(self, now: Instant) -> None:
        self._arm(Timer.KEEPALIVE, next_due(self.checklist, self.selected, self.config, now))

    def _fail(self, pair: Pair, reason: str, now: Instant) -> None:
        self._note(now, "failed", pair, reason=reason)
        self.nomination.forget(pair)
        self._transactions.cancel(pair)
        pair.state = PairState.FAILED
        self.checklist.unfreeze(pair.foundation)

    def _drop(self, pair: Pair) -> None:
        self.nomination.forget(pair)
        self._transactions.forget(pair)
        self.checklist.remove(pair)
        if pair.stream is not None:
            self._outlet.close_stream(pair.stream)

    def _note(self, now: Instant, name: str, pair: Pair, **more: str) -> None:
        if self._trace:
            self._trace(now, name, local=str(pair.local.base.address), remote=str(pair.remote.address), **more)
