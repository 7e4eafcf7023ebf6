"""Candidates on their way: ours out, by name where addresses are hidden; theirs in, as far as they may be used."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webrtc.ice.test_pair import HOST, candidate
from zwerm.core.machine import Address
from zwerm.core.random import seeded
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.events import CandidateGathered, RegisterName, ResolveName
from zwerm.webrtc.ice.names import OwnNames
from zwerm.webrtc.ice.pair import Base, LocalCandidate
from zwerm.webrtc.ice.trickle import IncomingCandidates, OutgoingCandidates, is_usable

NAME = "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local"


class Out:
    def __init__(self, **options: Any) -> None:
        self.told: list[Any] = []
        self.candidates = OutgoingCandidates(Config(**options), OwnNames(seeded(1)), self.told.append)

    def signal(self, kind: str = "host", ufrag: str = "ours") -> LocalCandidate:
        local = LocalCandidate(candidate(kind, HOST), Base(HOST, host=HOST[0]), HOST)
        self.candidates.signal(local, ufrag, 0.0)
        return local


class In:
    def __init__(self, **options: Any) -> None:
        self.told: list[Any] = []
        self.used: list[tuple[Candidate, Address]] = []
        self.candidates = IncomingCandidates(Config(**options), self._use, self.told.append, None)

    def _use(self, found: Candidate, address: Address) -> bool:
        self.used.append((found, address))
        return True

    def add(self, text: str) -> bool:
        return self.candidates.add(Candidate.from_text(text), 0.0)


def line(host: str, port: int = 9, more: str = "", transport: str = "udp", component: int = 1) -> str:
    return f"candidate:1 {component} {transport} 1 {host} {port} typ host {more}".strip()


def test_what_is_not_hidden_is_told_at_once() -> None:
    out = Out()
    local = out.signal()
    assert out.told == [CandidateGathered(local.candidate, "ours")]


def test_a_hidden_address_is_told_by_its_name_once_that_is_registered() -> None:
    out = Out(mdns=True)
    out.signal()
    out.signal()
    (register,) = out.told
    assert isinstance(register, RegisterName)
    assert register.host == HOST[0]
    assert out.candidates.name_registered(register.name, success=True)
    told = [event.candidate.address for event in out.told[1:]]
    assert told == [register.name] * 2
    out.signal()
    assert len(out.told) == 4  # the name is known by now
    assert not out.candidates.name_registered(register.name, success=True)


def test_reflexive_addresses_are_no_secret() -> None:
    out = Out(mdns=True)
    out.signal("srflx")
    assert [type(event) for event in out.told] == [CandidateGathered]


@pytest.mark.parametrize("how", ["refused", "late", "restarted"])
def test_a_name_that_does_not_come_about_is_not_told(how: str) -> None:
    out = Out(mdns=True)
    out.signal()
    name = out.told[0].name
    if how == "refused":
        out.candidates.name_registered(name, success=False)
    elif how == "late":
        out.candidates.handle_timeout(Config().mdns_timeout)
        out.candidates.name_registered(name, success=True)
    else:
        out.candidates.restart()
        out.candidates.name_registered(name, success=True)
    assert len(out.told) == 1


@pytest.mark.parametrize(
    "text",
    [
        line("192.0.2.7", component=2),
        line("192.0.2.7", port=0),
        line("192.0.2.7", transport="tcp"),
        line("192.0.2.7", transport="sctp"),
        line("127.0.0.1"),
        line("169.254.169.254"),
        line("::ffff:127.0.0.1"),
        line("example.org"),
    ],
)
def test_what_cannot_or_must_not_be_used_is_not(text: str) -> None:
    incoming = In()
    assert not incoming.add(text)
    assert (incoming.used, incoming.told) == ([], [])


def test_what_points_at_loopback_is_used_where_that_is_allowed() -> None:
    incoming = In(allowed_networks=LOOPBACK)
    assert incoming.add(line("127.0.0.1"))
    assert [address for _, address in incoming.used] == [("127.0.0.1", 9)]


def test_an_active_candidate_needs_no_port() -> None:
    assert is_usable(Candidate.from_text(line("192.0.2.7", 0, "tcptype active", "tcp")))
    assert not is_usable(Candidate.from_text(line("192.0.2.7", 0, "tcptype passive", "tcp")))


def test_a_name_is_asked_for_once_and_its_address_is_judged_as_any() -> None:
    incoming = In()
    assert incoming.add(line(NAME, 1))
    assert incoming.add(line(NAME, 2))
    assert incoming.told == [ResolveName(NAME)]
    incoming.candidates.name_resolved(NAME, "192.0.2.9", 0.0)
    assert [address for _, address in incoming.used] == [("192.0.2.9", 1), ("192.0.2.9", 2)]
    assert incoming.add(line("a" + NAME, 1))
    incoming.candidates.name_resolved("a" + NAME, "127.0.0.1", 0.0)
    assert len(incoming.used) == 2


@pytest.mark.parametrize("host", [None, "no address"])
def test_a_name_that_stands_for_nothing_is_no_candidate(host: str | None) -> None:
    incoming = In()
    incoming.add(line(NAME))
    incoming.candidates.name_resolved(NAME, host, 0.0)
    assert incoming.used == []


def test_the_end_comes_when_the_last_name_is_settled_at_the_latest_by_its_time() -> None:
    incoming = In()
    incoming.add(line(NAME))
    incoming.candidates.end()
    assert not incoming.candidates.has_ended
    assert incoming.candidates.next_timeout() == Config().mdns_timeout
    incoming.candidates.handle_timeout(Config().mdns_timeout)
    assert incoming.candidates.has_ended
    incoming.candidates.restart()
    assert not incoming.candidates.has_ended


def test_names_and_what_waits_for_credentials_have_a_limit() -> None:
    incoming = In(max_remote_candidates=2)
    assert [incoming.add(line(NAME, port)) for port in (1, 2, 3)] == [True, True, False]
    later = Candidate.from_text(line("192.0.2.7"))
    assert [incoming.candidates.wait(later, "next") for _ in range(3)] == [True, True, False]
    assert incoming.candidates.take_waiting() == [(later, "next")] * 2
    assert incoming.candidates.take_waiting() == []


def test_what_was_taken_is_known_until_the_generation_ends() -> None:
    incoming = In()
    found = Candidate.from_text("candidate:1 1 udp 100 192.0.2.7 4000 typ host")
    assert not incoming.candidates.knows(found)
    assert incoming.candidates.add(found, 0.0)
    assert incoming.candidates.knows(found)
    incoming.candidates.restart()
    assert not incoming.candidates.knows(found)


def test_what_is_refused_or_beyond_the_limit_is_not_known() -> None:
    incoming = In(max_remote_candidates=2)
    loopback = Candidate.from_text("candidate:1 1 udp 100 127.0.0.1 4000 typ host")
    assert not incoming.candidates.add(loopback, 0.0)
    assert not incoming.candidates.knows(loopback)
    many = [Candidate.from_text(f"candidate:{number} 1 udp 100 192.0.2.7 4000 typ host") for number in range(1, 5)]
    assert all(incoming.candidates.add(one, 0.0) for one in many)
    assert [incoming.candidates.knows(one) for one in many] == [True, True, False, False]
