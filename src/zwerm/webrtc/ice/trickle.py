"""Candidates on their way out and in (RFC 8838): what waits for a name, for credentials, or is not used at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant
from zwerm.core.trace import Trace
from zwerm.webrtc.ice.address_policy import refusal
from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType, canonical, check_host
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.events import CandidateGathered, Event, RegisterName, ResolveName
from zwerm.webrtc.ice.names import OwnNames, RemoteNames
from zwerm.webrtc.ice.pair import LocalCandidate
from zwerm.webrtc.ice.priority import COMPONENT


class OutgoingCandidates:
    """Local candidates, to be signaled at once or when their name is registered."""

    def __init__(self, config: Config, names: OwnNames, tell: Callable[[Event], None]) -> None:
        self.names = names
        self._config = config
        self._tell = tell
        self._unsignaled: list[tuple[str, CandidateGathered]] = []

    def signal(self, local: LocalCandidate, ufrag: str, now: Instant) -> None:
        """Have a new candidate of ours signaled."""
        if not self._config.mdns or local.candidate.type != CandidateType.HOST:
            self._tell(CandidateGathered(local.candidate, ufrag, local.server))
            return
        host = local.base.host
        name, is_new = self.names.name_of(host, now + self._config.mdns_timeout)
        if is_new:
            self._tell(RegisterName(name, host))
        event = CandidateGathered(dataclasses.replace(local.candidate, address=name), ufrag, local.server)
        if self.names.is_registered(name):
            self._tell(event)
        else:
            self._unsignaled.append((name, event))

    def name_registered(self, name: str, *, success: bool) -> bool:
        """Signal what waited for `name`, or drop it; False when nothing waits for it."""
        if not self.names.registered(name, success=success):
            return False
        self._finish(name, success=success)
        return True

    def restart(self) -> None:
        """What was not signaled belongs to a generation that is over."""
        self._unsignaled.clear()

    def handle_timeout(self, now: Instant) -> None:
        for name in self.names.pop_expired(now):
            self._finish(name, success=False)

    def _finish(self, name: str, *, success: bool) -> None:
        for waiting, event in self._unsignaled:
            if waiting == name and success:
                self._tell(event)
        self._unsignaled = [entry for entry in self._unsignaled if entry[0] != name]


class IncomingCandidates:
    """Remote candidates, until they can be used. `use` takes one that can, and says whether there was room for it."""

    def __init__(
        self,
        config: Config,
        use: Callable[[Candidate, Address], bool],
        tell: Callable[[Event], None],
        trace: Trace | None,
    ) -> None:
        self._config = config
        self._use = use
        self._tell = tell
        self._trace = trace
        self._names = RemoteNames(config.max_remote_candidates)
        self._waiting: list[tuple[Candidate | None, str | None]] = []  # for credentials; None ends the candidates
        self._has_ended = False
        self._taken: set[Candidate] = set()  # of this generation

    def knows(self, candidate: Candidate) -> bool:
        """Whether it was taken already: what a description says is often trickled too."""
        return candidate in self._taken

    @property
    def has_ended(self) -> bool:
        """Whether the other side has no more, and all it had are used."""
        return self._has_ended and not self._names.is_waiting()

    def add(self, candidate: Candidate, now: Instant) -> bool:
        """Take a candidate of the present generation; False when it is not used."""
        if not is_usable(candidate):
            return False
        if candidate.is_name:
            return self._resolve(candidate, now)
        try:
            host = canonical(check_host(candidate.address))
        except (WireError, ValueError):
            return False  # not made by `from_text`
        return self._try(candidate, host, now)

    def end(self) -> None:
        self._has_ended = True

    def wait(self, candidate: Candidate | None, ufrag: str | None) -> bool:
        """Keep what belongs to credentials yet to come; False when too much waits already."""
        if len(self._waiting) >= self._config.max_remote_candidates:
            return False
        self._waiting.append((candidate, ufrag))
        return True

    def take_waiting(self) -> list[tuple[Candidate | None, str | None]]:
        """What waited for credentials, in the order it came."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def restart(self) -> None:
        """The generation is over."""
        self._names.clear()
        self._taken.clear()
        self._has_ended = False

    def name_resolved(self, name: str, host: str | None, now: Instant) -> None:
        """`name` stands for `host`; None: for nothing."""
        waiting = self._names.take(name)
        try:
            address = None if host is None else canonical(check_host(host))
        except (WireError, ValueError):
            return
        for candidate in waiting:
            if address is not None:
                self._try(candidate, address, now)

    def handle_timeout(self, now: Instant) -> None:
        self._names.pop_expired(now)

    def next_timeout(self) -> Instant | None:
        return self._names.next_timeout()

    def _resolve(self, candidate: Candidate, now: Instant) -> bool:
        """Have a name looked up. Only multicast DNS: other names would make us ask servers of the peer's choice."""
        if not candidate.is_mdns:
            return False
        is_new = self._names.add(candidate, now + self._config.mdns_timeout)
        if is_new:
            self._tell(ResolveName(candidate.address))
        return is_new is not None

    def _try(self, candidate: Candidate, host: str, now: Instant) -> bool:
        reason = refusal(host, self._config.allowed_networks)
        if reason is None:
            is_used = self._use(candidate, (host, candidate.port))
            if is_used and not candidate.is_name and len(self._taken) < self._config.max_remote_candidates:
                self._taken.add(candidate)
            return is_used
        if self._trace:
            self._trace(now, "remote candidate refused", address=host, reason=reason)
        return False


def is_usable(candidate: Candidate) -> bool:
    """Whether we speak its transport, know its type, and can send to its port."""
    is_known = candidate.is_udp or candidate.tcp_type is not None
    has_port = candidate.port > 0 or candidate.tcp_type is TcpType.ACTIVE
    return is_known and has_port and candidate.component == COMPONENT and candidate.type in tuple(CandidateType)
