"""The candidates of one generation, and how peer-reflexive ones join them (RFC 8445 sections 7.2.5.3.1 and 7.3.1.3)."""

from __future__ import annotations

from zwerm.core.machine import Address
from zwerm.webrtc.ice.arrival import Arrival
from zwerm.webrtc.ice.candidate import Candidate, CandidateType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, PairState, RemoteCandidate
from zwerm.webrtc.ice.priority import COMPONENT, peer_reflexive_priority


class KnownCandidates:
    """Local and remote candidates; of the latter at most `limit`."""

    def __init__(self, limit: int) -> None:
        self.local: list[LocalCandidate] = []
        self.remote: list[RemoteCandidate] = []
        self._limit = limit
        self._learned = 0

    def bases(self) -> list[LocalCandidate]:
        """Those that are paired: a reflexive candidate sends from its base, whose pair there is already (6.1.2.4)."""
        return [local for local in self.local if _is_base(local)]

    def own(self, base: Base) -> LocalCandidate | None:
        """The candidate that is `base` itself."""
        return next((local for local in self.local if local.base is base and _is_base(local)), None)

    def forget_base(self, base: Base) -> None:
        self.local = [local for local in self.local if local.base is not base]

    def add_remote(self, candidate: Candidate, address: Address) -> tuple[RemoteCandidate | None, bool]:
        """Take a signaled candidate; return it, None when there are too many, and whether it is new."""
        for known in self.remote:
            if known.address == address and known.candidate.tcp_type is candidate.tcp_type:
                if known.candidate.type == CandidateType.PEER_REFLEXIVE:
                    known.candidate = candidate  # now we know what it is; the priority stays (RFC 8838 section 11.4)
                return known, False
        if len(self.remote) >= self._limit:
            return None, False
        remote = RemoteCandidate(candidate, address, candidate.priority)
        self.remote.append(remote)
        return remote, True

    def remote_at(self, arrival: Arrival, priority: int, checklist: Checklist) -> RemoteCandidate | None:
        """The remote candidate a request came from, peer-reflexive when it is new; None when there are too many."""
        is_tcp = arrival.base.kind is BaseKind.TCP
        for remote in self.remote:
            if remote.address == arrival.source and remote.candidate.is_udp is not is_tcp:
                return remote
        if len(self.remote) >= self._limit:
            self._forget_a_learned_one(checklist)
        if len(self.remote) >= self._limit:
            return None
        self._learned += 1
        candidate = Candidate(
            foundation=f"prflx{self._learned}",
            component=COMPONENT,
            transport="tcp" if is_tcp else "udp",
            priority=max(1, priority),
            address=arrival.source[0],
            port=arrival.source[1],
            type=CandidateType.PEER_REFLEXIVE,
        )
        remote = RemoteCandidate(candidate, arrival.source, candidate.priority)
        self.remote.append(remote)
        return remote

    def local_at(self, pair: Pair, mapped: Address) -> LocalCandidate:
        """How the other side sees the local end of `pair`, a peer-reflexive candidate when that is new."""
        base = pair.local.base
        for local in self.local:
            if local.address == mapped and local.base is base:
                return local
        own = pair.local.candidate
        is_tcp = base.kind is BaseKind.TCP
        candidate = Candidate(
            foundation=f"{own.foundation[:31]}p",
            component=COMPONENT,
            transport=own.transport,
            priority=peer_reflexive_priority(own.priority, is_tcp=is_tcp),
            address=mapped[0],
            port=mapped[1],
            type=CandidateType.PEER_REFLEXIVE,
            related_address=base.address[0],
            related_port=base.address[1],
            extensions=own.extensions if is_tcp else (),
        )
        return LocalCandidate(candidate, base, mapped)

    def _forget_a_learned_one(self, checklist: Checklist) -> None:
        """The other side may come from many addresses: one that leads nowhere makes room."""
        used = {id(pair.remote) for pair in checklist if pair.state is not PairState.FAILED}
        for remote in self.remote:
            if remote.candidate.type == CandidateType.PEER_REFLEXIVE and id(remote) not in used:
                self.remote.remove(remote)
                return


def _is_base(local: LocalCandidate) -> bool:
    return local.candidate.type in (CandidateType.HOST, CandidateType.RELAYED)
