"""Checks: what a request says of its sender, what is an answer, and when a request is repeated."""

from __future__ import annotations

import pytest

from zwerm.webrtc.ice.candidate import Candidate, TcpType
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
    parse_message_untrusted,
    ufrags_of,
)
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.pair import Base, BaseKind, LocalCandidate, Pair, RemoteCandidate
from zwerm.webrtc.stun.attributes import NOMINATION, PRIORITY, USE_CANDIDATE, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.message import MessageClass, Method, request

OURS, THEIRS = Credentials("ours", "o" * 22), Credentials("them", "t" * 22)
HOST, PEER = ("192.0.2.1", 5_000), ("192.0.2.2", 6_000)


def pair(tcp_type: TcpType | None = None) -> Pair:
    candidate = Candidate.from_text(f"candidate:1 1 udp 2130706431 {HOST[0]} {HOST[1]} typ host")
    remote = Candidate.from_text(f"candidate:2 1 udp 2130706431 {PEER[0]} {PEER[1]} typ host")
    base = Base(HOST, BaseKind.UDP if tcp_type is None else BaseKind.TCP, tcp_type=tcp_type, host=HOST[0])
    return Pair(LocalCandidate(candidate, base, HOST), RemoteCandidate(remote, PEER, remote.priority))


def build(role: Role = Role.CONTROLLING, *, nominates: bool = False, nomination: int | None = None) -> bytes:
    return build_request(pair(), bytes(12), OURS, THEIRS, role, 77, nominates=nominates, nomination=nomination)


def test_a_request_names_both_sides_and_is_sealed_with_the_receivers_password() -> None:
    message = parse_message_untrusted(build())
    assert message is not None
    assert ufrags_of(message) == ("them", "ours")
    assert message.has_fingerprint
    assert message.has_integrity(THEIRS.key)
    assert not message.has_integrity(OURS.key)


@pytest.mark.parametrize("role", Role)
def test_a_request_claims_a_role_and_the_priority_of_what_would_be_learned(role: Role) -> None:
    message = parse_message_untrusted(build(role))
    assert message is not None
    assert claimed_role(message) == (role, 77)
    priority = message.find(PRIORITY)
    assert priority is not None
    assert priority >> 24 == 110  # that of a peer-reflexive candidate


@pytest.mark.parametrize(
    ("nominates", "nomination", "seen"), [(False, 5, (False, None)), (True, None, (True, None)), (True, 5, (True, 5))]
)
def test_only_a_nomination_has_a_number(nominates: bool, nomination: int | None, seen: tuple[bool, int | None]) -> None:
    message = parse_message_untrusted(build(nominates=nominates, nomination=nomination))
    assert message is not None
    assert (message.find(USE_CANDIDATE) is not None, message.find(NOMINATION)) == seen


def test_an_answer_says_where_the_request_came_from() -> None:
    asked = parse_message_untrusted(build())
    assert asked is not None
    answered = parse_message_untrusted(build_success(asked, PEER, THEIRS))
    assert answered is not None
    assert answered.message_class is MessageClass.SUCCESS
    assert answered.find(XOR_MAPPED_ADDRESS) == PEER
    assert answered.has_integrity(THEIRS.key)
    assert (ufrags_of(answered), claimed_role(answered), error_code(answered)) == (None, None, 0)


@pytest.mark.parametrize("code", [ROLE_CONFLICT, UNKNOWN_ATTRIBUTE])
def test_a_refusal_says_its_code(code: int) -> None:
    asked = parse_message_untrusted(build())
    assert asked is not None
    refused = parse_message_untrusted(build_error(asked, code, "because", THEIRS))
    assert refused is not None
    assert error_code(refused) == code


@pytest.mark.parametrize(
    "data",
    [b"", b"noise that is longer than a header", request(Method.ALLOCATE, bytes(12)).serialize(OURS.key)],
    ids=["nothing", "noise", "another method"],
)
def test_what_is_no_binding_message_is_none(data: bytes) -> None:
    assert parse_message_untrusted(data) is None


def test_a_request_without_names_has_none() -> None:
    message = parse_message_untrusted(request(Method.BINDING, bytes(12)).serialize(OURS.key))
    assert message is not None
    assert ufrags_of(message) is None


def test_repetitions_double_up_to_the_limit_and_stop_at_the_end() -> None:
    check = Check(pair(), CheckKind.CONNECTIVITY, b"", Role.CONTROLLING, nominates=False, sent_at=0.0, due=0.1,
                  expires_at=3.0, rto=0.1)  # fmt: skip
    times = []
    while check.due < check.expires_at:
        times.append(round(check.due, 3))
        check.repeat_at(check.due, rto_limit=0.8)
    assert times == [0.1, 0.3, 0.7, 1.5, 2.3]
    assert (check.sends, check.due) == (6, 3.0)
