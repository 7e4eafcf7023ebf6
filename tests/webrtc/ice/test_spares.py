"""RFC 8445 section 11: which pairs beside the selected one are kept alive, and how often."""

from __future__ import annotations

from zwerm.webrtc.ice.candidate import Candidate, CandidateType, TcpType
from zwerm.webrtc.ice.checklist import Checklist
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, PairState, RemoteCandidate
from zwerm.webrtc.ice.spares import KEPT, next_due, spares_due, spares_to_try

CONFIG = Config()


def make(number: int, *, kind: str = "srflx", stream: int | None = None, priority: int = 100) -> Pair:
    """A valid pair whose remote candidate is of that kind, answered at the time 10."""
    transport = "udp" if stream is None else "tcp"
    more = "" if stream is None else " tcptype passive"
    here = Candidate("1", 1, transport, 1_000, "192.0.2.1", 5_000, CandidateType.HOST)
    base = Base(("192.0.2.1", 5_000))
    if stream is not None:
        base = Base(("192.0.2.1", 9), BaseKind.TCP, tcp_type=TcpType.ACTIVE)
    text = f"candidate:{number} 1 {transport} {priority} 192.0.2.2 {6_000 + number} typ {kind}{more}"
    there = Candidate.from_text(text)
    remote = RemoteCandidate(there, (there.address, there.port), there.priority)
    pair = Pair(LocalCandidate(here, base, ("192.0.2.1", 5_000)), remote, stream=stream)
    pair.responded_at = 10.0
    return pair


def checklist(*pairs: Pair) -> Checklist:
    known = Checklist(Role.CONTROLLING, 100)
    for pair in pairs:
        assert known.insert(pair)
        pair.state = PairState.SUCCEEDED
    return known


def test_between_two_host_addresses_there_is_nothing_to_keep_alive() -> None:
    host = make(1, kind="host")
    assert next_due(checklist(host), None, CONFIG, 11.0) is None
    assert not spares_due(checklist(host), None, CONFIG, 1_000.0)


def test_the_mapping_of_a_translator_is_kept_alive() -> None:
    reflexive = make(1)
    pairs = checklist(reflexive)
    assert next_due(pairs, None, CONFIG, 11.0) == 10.0 + CONFIG.keepalive_interval
    assert not spares_due(pairs, None, CONFIG, 24.9)
    assert spares_due(pairs, None, CONFIG, 25.0) == [reflexive]
    reflexive.asked_at = 25.0
    assert next_due(pairs, None, CONFIG, 25.0) == 25.0 + CONFIG.keepalive_interval


def test_a_connection_is_kept_alive_much_less_often() -> None:
    pairs = checklist(make(1, kind="prflx", stream=7))
    assert next_due(pairs, None, CONFIG, 11.0) == 10.0 + CONFIG.stream_keepalive_interval


def test_the_selected_pair_has_its_consent_and_needs_nothing_else() -> None:
    selected = make(1)
    assert next_due(checklist(selected), selected, CONFIG, 11.0) is None


def test_only_the_best_are_kept() -> None:
    many = [make(number, priority=number) for number in range(1, KEPT + 3)]
    assert spares_due(checklist(*many), None, CONFIG, 100.0) == many[: -KEPT - 1 : -1]


def test_when_the_selected_pair_is_silent_all_that_may_work_are_tried() -> None:
    selected, valid, heard, failed = (make(number, priority=100 - number) for number in range(1, 5))
    pairs = checklist(selected, valid, heard, failed)
    heard.state = failed.state = PairState.FAILED
    heard.has_peer_check = True
    assert spares_to_try(pairs, selected) == [valid, heard]
