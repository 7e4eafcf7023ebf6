"""What a stranger, a forger and a broken peer can do to an agent, and RFC 8445 section 7 to the letter."""

from __future__ import annotations

import dataclasses

import pytest

from tests.conformance.check_machine import PEER, Subject, check_machine
from tests.webrtc.ice.two import Two
from tests.webrtc.ice.world import run_until
from zwerm.core.machine import Address, Instant, Transmit, drain
from zwerm.core.random import Random, seeded
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import ConnectionState, ConnectionStateChanged, DataReceived, SelectedPairChanged
from zwerm.webrtc.stun.attributes import (
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Attribute,
    unknown_kind,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, indication, request

HOST: Address = ("192.0.2.10", 5_000)
LOCAL = Credentials("ours", "o" * 24)
REMOTE = Credentials("them", "t" * 24)
CANDIDATE = Candidate.from_text(f"candidate:1 1 udp 2130706431 {PEER[0]} {PEER[1]} typ host")


class Alone:
    """An agent with a peer that the test plays."""

    def __init__(self, role: Role = Role.CONTROLLED, config: Config | None = None, *, remote: bool = True) -> None:
        self.now = 0.0
        self.agent = Agent(role, config or Config(), random=seeded("alone"), credentials=LOCAL)
        self.agent.add_local_address(HOST, 0.0)
        self.agent.gather(0.0)
        if remote:
            self.agent.set_remote(REMOTE, 0.0)
        drain(self.agent)

    def send(self, data: bytes, source: Address = PEER) -> list[Message]:
        """Give the agent a datagram; return the messages it sends."""
        self.agent.receive_datagram(data, source, self.now)
        return self.sent()

    def sent(self) -> list[Message]:
        self.transmits = drain(self.agent).transmits
        return [Message.parse(transmit.data) for transmit in self.transmits]

    def wait(self, seconds: float) -> list[Message]:
        end, messages = self.now + seconds, []
        while (due := self.agent.next_timeout()) is not None and due <= end:
            self.now = due
            self.agent.handle_timeout(due)
            messages += self.sent()
        self.now = end
        return messages


def check(*more: Attribute, key: bytes = LOCAL.key, username: str = "ours:them", number: int = 1) -> bytes:
    attributes = [USERNAME(username), PRIORITY(1_845_501_695), *more]
    return request(Method.BINDING, number.to_bytes(12, "big"), *attributes).serialize(key)


def answer(message: Message, mapped: Address = HOST, key: bytes = REMOTE.key) -> bytes:
    return message.success(XOR_MAPPED_ADDRESS(mapped)).serialize(key)


CONTROLLING = ICE_CONTROLLING(7)
NOMINATES = USE_CANDIDATE()


# Requests.


def test_an_authentic_check_is_answered_and_checked_back() -> None:
    alone = Alone()
    success, triggered = alone.send(check(CONTROLLING))
    assert success.message_class is MessageClass.SUCCESS
    assert success.find(XOR_MAPPED_ADDRESS) == PEER
    assert success.has_integrity(LOCAL.key)
    assert success.has_fingerprint
    assert triggered.message_class is MessageClass.REQUEST
    assert triggered.find(USERNAME) == "them:ours"
    assert triggered.has_integrity(REMOTE.key)
    assert triggered.find(ICE_CONTROLLED) is not None
    assert triggered.find(USE_CANDIDATE) is None
    assert {transmit.destination for transmit in alone.transmits} == {PEER}
    assert {transmit.source for transmit in alone.transmits} == {HOST}


@pytest.mark.parametrize(
    "forged",
    [
        check(CONTROLLING, key=b"a guess"),
        check(CONTROLLING, username="other:them"),
        check(CONTROLLING, username="ours"),
        check(CONTROLLING)[:-1] + b"\x00",
        request(Method.BINDING, bytes(12), USERNAME("ours:them"), PRIORITY(1)).serialize(),
        request(Method.BINDING, bytes(12)).serialize(),
        request(Method.BINDING, bytes(12), USERNAME("ours:them")).serialize(LOCAL.key, fingerprint=False),
        request(Method.ALLOCATE, bytes(12), USERNAME("ours:them")).serialize(LOCAL.key),
        b"\x00" * 20,
        b"\x00",
    ],
    ids=["key", "not ours", "one name", "damaged", "unsealed", "bare", "no fingerprint", "TURN", "zeros", "short"],
)
def test_what_is_not_authentic_is_not_answered_and_changes_nothing(forged: bytes) -> None:
    alone = Alone()
    assert alone.send(forged) == []
    assert alone.agent.statistics().pairs == ()
    assert not alone.agent.is_validated(PEER)


def test_checks_from_before_the_description_are_answered_and_taken_up_later() -> None:
    """Section 7.3: the other side is ready before we know its password."""
    alone = Alone(remote=False)
    (success,) = alone.send(check(CONTROLLING))
    assert success.message_class is MessageClass.SUCCESS
    alone.agent.set_remote(REMOTE, alone.now)
    (triggered,) = alone.sent()
    assert triggered.find(USERNAME) == "them:ours"


def test_early_checks_of_somebody_else_are_not_taken_up() -> None:
    alone = Alone(remote=False)
    alone.send(check(CONTROLLING, username="ours:else"))
    alone.agent.set_remote(REMOTE, alone.now)
    assert alone.sent() == []


def test_early_checks_are_limited() -> None:
    alone = Alone(remote=False, config=Config(max_early_checks=4))
    for number in range(50):
        alone.send(check(CONTROLLING, number=number), ("192.0.2.1", 10_000 + number))
    alone.agent.set_remote(REMOTE, alone.now)
    assert len(alone.agent.statistics().remote_candidates) == 4


def test_an_attribute_that_must_be_understood_and_is_not_is_answered_with_420() -> None:
    """RFC 8489 section 6.3.1."""
    (error,) = Alone().send(check(CONTROLLING, unknown_kind(0x7777)(b"")))
    code = error.find(ERROR_CODE)
    assert code is not None
    assert code.code == 420
    assert error.find(UNKNOWN_ATTRIBUTES) == (0x7777,)


@pytest.mark.parametrize(
    ("role", "claim", "refused"),
    [
        (Role.CONTROLLING, ICE_CONTROLLING(0), True),
        (Role.CONTROLLING, ICE_CONTROLLING(2**64 - 1), False),
        (Role.CONTROLLED, ICE_CONTROLLED(2**64 - 1), True),
        (Role.CONTROLLED, ICE_CONTROLLED(0), False),
    ],
    ids=[
        "both controlling, we win",
        "both controlling, we lose",
        "both controlled, they win",
        "both controlled, we do",
    ],
)
def test_a_conflict_of_roles_is_refused_with_487_or_gives_way(role: Role, claim: Attribute, refused: bool) -> None:
    """Section 7.3.1.1."""
    alone = Alone(role)
    first, *_ = alone.send(check(claim))
    assert (first.message_class is MessageClass.ERROR) is refused
    assert (alone.agent.role is role) is refused
    if refused:
        code = first.find(ERROR_CODE)
        assert code is not None
        assert code.code == 487
        assert first.has_integrity(LOCAL.key)


def test_487_makes_us_change_roles_and_check_again() -> None:
    """Section 7.2.5.1."""
    alone = Alone(Role.CONTROLLING)
    alone.agent.add_remote_candidate(CANDIDATE, 0.0)
    (first,) = alone.sent()
    again = alone.send(first.error(487, "Role Conflict").serialize(REMOTE.key)) or alone.wait(0.01)
    assert alone.agent.role is Role.CONTROLLED
    assert again[0].find(ICE_CONTROLLED) is not None


def test_a_learned_candidate_has_the_priority_that_the_request_says() -> None:
    """Section 7.3.1.3."""
    alone = Alone()
    alone.send(check(CONTROLLING), ("203.0.113.9", 9_999))
    (learned,) = alone.agent.statistics().remote_candidates
    assert (learned.type, learned.priority) == ("prflx", 1_845_501_695)
    assert learned.transport_address == ("203.0.113.9", 9_999)


def test_a_learned_candidate_becomes_the_signaled_one_when_that_comes() -> None:
    """RFC 8838 section 11.4."""
    alone = Alone()
    alone.send(check(CONTROLLING))
    alone.agent.add_remote_candidate(CANDIDATE, 0.0)
    assert alone.agent.statistics().remote_candidates == (CANDIDATE,)
    assert len(alone.agent.statistics().pairs) == 1


# Responses.


def started() -> tuple[Alone, Message]:
    alone = Alone(Role.CONTROLLING, Config(renomination=False))
    alone.agent.add_remote_candidate(CANDIDATE, 0.0)
    (first,) = alone.sent()
    return alone, first


def test_an_answer_validates_the_pair_and_it_is_nominated_at_once() -> None:
    alone, first = started()
    (nomination,) = alone.send(answer(first)) or alone.wait(0.01)
    assert nomination.find(USE_CANDIDATE)
    assert alone.agent.is_validated(PEER)


@pytest.mark.parametrize("source", [("192.0.2.1", 4_001), ("192.0.2.2", 4_000)], ids=["port", "host"])
def test_an_answer_from_elsewhere_than_the_question_went_fails_the_pair(source: Address) -> None:
    """Section 7.2.5.2.1: addresses must be symmetric."""
    alone, first = started()
    alone.send(answer(first), source)
    assert not alone.agent.is_validated(PEER)
    assert not alone.agent.is_validated(source)
    assert [pair.state.value for pair in alone.agent.statistics().pairs] == ["failed"]


@pytest.mark.parametrize("key", [b"a guess", None], ids=["wrong key", "unsealed"])
def test_a_forged_answer_is_as_if_it_had_not_come(key: bytes | None) -> None:
    alone, first = started()
    forged = first.success(XOR_MAPPED_ADDRESS(HOST)).serialize(key)
    assert not alone.agent.receive_datagram(forged, PEER, 0.0)
    refused = first.error(487, "Role Conflict").serialize(key)
    assert not alone.agent.receive_datagram(refused, PEER, 0.0)
    assert alone.agent.role is Role.CONTROLLING
    assert not alone.agent.is_validated(PEER)
    alone.send(answer(first))
    assert alone.agent.is_validated(PEER)


def test_an_answer_twice_counts_once() -> None:
    alone, first = started()
    alone.send(answer(first))
    assert not alone.agent.receive_datagram(answer(first), PEER, 0.0)


def test_an_unknown_mapped_address_is_a_peer_reflexive_candidate_of_ours() -> None:
    """Section 7.2.5.3.1."""
    alone, first = started()
    alone.agent.receive_datagram(answer(first, ("203.0.113.77", 7_777)), PEER, 0.0)
    (told,) = [event for event in drain(alone.agent).events if isinstance(event, SelectedPairChanged)]
    assert (told.local.type, told.local.transport_address) == ("prflx", ("203.0.113.77", 7_777))
    assert told.local_address == HOST


def test_an_error_fails_the_pair() -> None:
    alone, first = started()
    alone.send(first.error(400, "Bad Request").serialize(REMOTE.key))
    assert [pair.state.value for pair in alone.agent.statistics().pairs] == ["failed"]


def test_a_check_is_repeated_on_a_doubling_timer_and_given_up() -> None:
    alone, first = started()
    repeated = alone.wait(30.0)
    assert {message.transaction_id for message in repeated} == {first.transaction_id}
    assert len(repeated) == 10  # at 0.1, 0.3, 0.7, 1.5, 3.1, then every 1.6 s until 12
    assert [pair.state.value for pair in alone.agent.statistics().pairs] == ["failed"]


def test_new_checks_keep_their_distance() -> None:
    """Section 14.2."""
    alone = Alone(Role.CONTROLLING)
    for number in range(10):
        text = f"candidate:{number} 1 udp {2_000_000_000 - number} 192.0.2.{100 + number} 9 typ host"
        alone.agent.add_remote_candidate(Candidate.from_text(text), 0.0)
    sent = [len(alone.sent())]
    for step in range(1, 11):
        alone.now = step * 0.02 - 0.001
        alone.agent.handle_timeout(alone.now)
        early = alone.sent()
        alone.now = step * 0.02
        alone.agent.handle_timeout(alone.now)
        new = {message.transaction_id for message in early + alone.sent()}
        sent.append(len(new))
    assert sent[0] == 1
    assert all(count <= 1 for count in sent[1:5])


def test_pairs_frozen_behind_a_check_under_way_do_not_keep_the_clock_from_moving() -> None:
    alone = Alone(Role.CONTROLLING)
    for number in range(5):
        alone.agent.add_remote_candidate(dataclasses.replace(CANDIDATE, port=6_000 + number), 0.0)
    for _ in range(20):  # one foundation: one check at a time
        timeout = alone.agent.next_timeout()
        assert timeout is not None
        assert timeout > alone.now or alone.now == 0.0
        alone.now = timeout
        alone.agent.handle_timeout(timeout)
    assert alone.now > 0.5


# Nomination, as older and other agents do it.


def test_a_nomination_that_comes_before_our_own_success_counts_after_it() -> None:
    """Section 7.3.1.5."""
    alone = Alone()
    _, triggered = alone.send(check(CONTROLLING, NOMINATES))
    assert not any(pair.is_nominated for pair in alone.agent.statistics().pairs)
    alone.send(answer(triggered))
    assert all(pair.is_nominated for pair in alone.agent.statistics().pairs)


def test_of_many_nominated_pairs_the_one_of_highest_priority_is_used() -> None:
    """RFC 5245 section 8.1.1.2, aggressive nomination: every check nominates."""
    alone = Alone()
    sources = [("192.0.2.1", 4_000), ("192.0.2.2", 4_000), ("192.0.2.3", 4_000)]
    for number, source in enumerate(sources):
        attributes = [USERNAME("ours:them"), PRIORITY(1_000 + [1, 3, 2][number]), CONTROLLING, NOMINATES]
        data = request(Method.BINDING, bytes([number] * 12), *attributes).serialize(LOCAL.key)
        for message in [*alone.send(data, source), *alone.wait(0.02)]:
            if message.message_class is MessageClass.REQUEST:
                alone.send(answer(message), source)
    pair = alone.agent.selected_pair
    assert pair is not None
    assert pair.remote_address == sources[1]


def test_the_controlling_side_does_not_obey_a_nomination() -> None:
    alone, _ = started()
    alone.send(check(ICE_CONTROLLED(1), NOMINATES))
    assert not any(pair.is_nominated for pair in alone.agent.statistics().pairs)


# Data and indications.


def test_a_keepalive_indication_is_taken_and_answers_nothing() -> None:
    """Section 11."""
    alone, first = started()
    alone.send(answer(first))
    keepalive = indication(Method.BINDING, bytes(12)).serialize()
    assert alone.agent.receive_datagram(keepalive, PEER, 0.0)
    assert alone.sent() == []
    assert not alone.agent.receive_datagram(keepalive, ("203.0.113.1", 1), 0.0)


def test_data_before_validation_is_held_and_limited() -> None:
    alone = Alone(config=Config(max_early_data=3))
    _, triggered = alone.send(check(CONTROLLING))
    for number in range(10):
        assert alone.agent.receive_datagram(b"\x16%d" % number, PEER, 0.0)
    assert drain(alone.agent).events == []
    alone.agent.receive_datagram(answer(triggered), PEER, 0.0)
    data = [event.data for event in drain(alone.agent).events if isinstance(event, DataReceived)]
    assert data == [b"\x167", b"\x168", b"\x169"]


def test_data_of_somebody_who_sent_no_authentic_check_is_not_held() -> None:
    alone = Alone()
    assert not alone.agent.receive_datagram(b"\x16early", PEER, 0.0)


# Limits.


def test_candidates_of_the_other_side_are_limited() -> None:
    alone = Alone(config=Config(max_remote_candidates=5))
    taken = [alone.agent.add_remote_candidate(dataclasses.replace(CANDIDATE, port=port), 0.0) for port in range(1, 9)]
    assert taken == [True] * 5 + [False] * 3


def test_candidates_that_wait_for_credentials_are_limited() -> None:
    alone = Alone(config=Config(max_remote_candidates=5), remote=False)
    taken = [alone.agent.add_remote_candidate(dataclasses.replace(CANDIDATE, port=port), 0.0) for port in range(1, 9)]
    assert taken == [True] * 5 + [False] * 3


def test_pairs_are_limited_and_the_best_stay() -> None:
    """Section 6.1.2.5."""
    alone = Alone(config=Config(max_pairs=4))
    for number in range(1, 21):
        candidate = dataclasses.replace(CANDIDATE, port=number, priority=number, foundation=str(number))
        alone.agent.add_remote_candidate(candidate, 0.0)
    kept = [pair.remote.priority for pair in alone.agent.statistics().pairs]
    assert len(kept) == 4
    assert kept[:2] == [20, 19]


def test_a_peer_that_checks_from_everywhere_fills_no_table() -> None:
    alone = Alone(config=Config(max_remote_candidates=8, max_pairs=8, max_transactions=16))
    for number in range(500):
        alone.send(check(CONTROLLING, number=number), ("192.0.2.1", 1_000 + number))
        alone.wait(0.01)
    statistics = alone.agent.statistics()
    assert len(statistics.remote_candidates) <= 8
    assert len(statistics.pairs) <= 8


def test_events_that_nobody_takes_are_limited() -> None:
    alone, first = started()
    alone.send(answer(first))
    for number in range(5_000):
        alone.agent.receive_datagram(b"\x80%d" % number, PEER, 0.0)
    events = drain(alone.agent).events
    assert len([event for event in events if isinstance(event, DataReceived)]) <= 512


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "::1", "169.254.169.254", "224.0.0.1", "0.0.0.0", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
)
def test_no_check_goes_where_a_description_must_not_point(host: str) -> None:
    alone = Alone(Role.CONTROLLING)
    assert not alone.agent.add_remote_candidate(dataclasses.replace(CANDIDATE, address=host), 0.0)
    assert alone.wait(5.0) == []


@pytest.mark.parametrize(
    "candidate",
    [
        dataclasses.replace(CANDIDATE, component=2),
        dataclasses.replace(CANDIDATE, transport="sctp"),
        dataclasses.replace(CANDIDATE, transport="tcp"),
        dataclasses.replace(CANDIDATE, type="newtype"),
        dataclasses.replace(CANDIDATE, port=0),
        dataclasses.replace(CANDIDATE, address="host.example"),
        dataclasses.replace(CANDIDATE, address="host.example1"),
        dataclasses.replace(CANDIDATE, address="1.2.3"),
    ],
    ids=["component", "transport", "no tcptype", "type", "port 0", "a name of DNS", "a digit at its end", "no address"],
)
def test_what_cannot_be_used_is_left_out(candidate: Candidate) -> None:
    assert not Alone().agent.add_remote_candidate(candidate, 0.0)


# The machine's laws.


def make(role: Role, config: Config):
    def machine(now: Instant, random: Random) -> Agent:
        agent = Agent(role, config, random=random, credentials=LOCAL)
        agent.add_local_address(HOST, now)
        agent.gather(now)
        agent.set_remote(REMOTE, now, options=["renomination"])
        agent.add_remote_candidate(CANDIDATE, now)
        return agent

    return machine


def peer_answers(transmit: Transmit) -> list[bytes]:
    try:
        message = Message.parse(transmit.data)
    except ValueError:
        return []
    if message.message_class is not MessageClass.REQUEST or message.find(USERNAME) is None:
        return []
    return [answer(message), message.error(487, "Role Conflict").serialize(REMOTE.key)]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@pytest.mark.parametrize("config", [Config(), Config(lite=True)], ids=["full", "lite"])
def test_the_laws_of_machines_hold(role: Role, config: Config) -> None:
    check_machine(
        Subject(
            make(role, config),
            valid=[
                check(CONTROLLING),
                check(CONTROLLING, NOMINATES, number=2),
                check(ICE_CONTROLLED(9), number=3),
                indication(Method.BINDING, bytes(12)).serialize(),
                b"\x16\xfe\xfd data",
            ],
            answers=peer_answers,
            commands=[lambda agent: agent.send(b"", 0.0), lambda agent: agent.add_local_address(HOST, 0.0)],
            outputs_after_flood=1_200,
        )
    )


def test_a_trace_tells_why() -> None:
    two = Two()
    two.connect()
    names = {record.name for record in two.left.trace}
    assert {"valid", "nominating", "selected"} <= names
    two.hosts[1].interface.cut()
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 60.0)
    assert two.left.trace.named("doubted")
    assert two.left.told(ConnectionStateChanged)[-1].cause
