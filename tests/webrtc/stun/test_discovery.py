"""Every kind of NAT is told rightly (RFC 5780), and what cannot be told is not guessed."""

import dataclasses

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.sim.nat import ALL_KINDS, FULL_CONE, PORT_RESTRICTED_CONE, SYMMETRIC, NatKind, PortChoice
from tests.sim.profile import CELLULAR, CONGESTED, SATELLITE, Profile
from tests.webrtc.stun.network import ALTERNATE, PRIMARY, discover
from zwerm.webrtc.stun.attributes import OTHER_ADDRESS, XOR_MAPPED_ADDRESS
from zwerm.webrtc.stun.behaviour import Behaviour
from zwerm.webrtc.stun.discovery import Discovered, NatDiscovery
from zwerm.webrtc.stun.message import Message, MessageClass
from zwerm.webrtc.stun.server import ServerConfig

FULL = ServerConfig(PRIMARY, ALTERNATE)
PLAIN = ServerConfig(PRIMARY)
LOCAL = ("192.168.0.2", 5_000)


@pytest.mark.parametrize("ports", PortChoice, ids=lambda choice: choice.name.lower())
@pytest.mark.parametrize("name", ALL_KINDS)
def test_each_kind_of_nat_is_told_rightly(name: str, ports: PortChoice) -> None:
    kind = dataclasses.replace(ALL_KINDS[name], ports=ports)
    discovered, took = discover(kind, FULL)
    behaviour = discovered.behaviour
    assert behaviour.mapping is not None
    assert behaviour.filtering is not None
    assert behaviour.mapping.name == kind.mapping.name
    assert behaviour.filtering.name == kind.filtering.name
    assert behaviour.is_translated
    assert took < 10


@pytest.mark.parametrize("profile", [CELLULAR, SATELLITE, CONGESTED], ids=["cellular", "satellite", "congested"])
@pytest.mark.parametrize(
    "kind", [FULL_CONE, PORT_RESTRICTED_CONE, SYMMETRIC], ids=["full cone", "restricted", "symmetric"]
)
def test_a_bad_link_does_not_change_what_is_told(kind: NatKind, profile: Profile) -> None:
    for seed in range(5):
        behaviour = discover(kind, FULL, profile=profile, seed=seed)[0].behaviour
        assert behaviour.mapping is not None
        assert behaviour.filtering is not None
        assert (behaviour.mapping.name, behaviour.filtering.name) == (kind.mapping.name, kind.filtering.name)


@pytest.mark.parametrize("has_hairpinning", [True, False])
def test_hairpinning_is_tried(*, has_hairpinning: bool) -> None:
    kind = dataclasses.replace(FULL_CONE, hairpinning=has_hairpinning)
    assert discover(kind, FULL)[0].behaviour.has_hairpinning is has_hairpinning


def test_without_a_nat_everything_is_open() -> None:
    behaviour = discover(None, FULL)[0].behaviour
    assert not behaviour.is_translated
    assert behaviour.mapping is behaviour.filtering is Behaviour.ENDPOINT_INDEPENDENT
    assert behaviour.has_hairpinning is None


def test_a_server_with_one_address_tells_the_address_and_no_more() -> None:
    behaviour = discover(SYMMETRIC, PLAIN)[0].behaviour
    assert behaviour.is_translated
    assert (behaviour.mapping, behaviour.filtering) == (None, None)


def test_silence_is_told_as_such_in_ten_seconds() -> None:
    discovered, took = discover(FULL_CONE, None)
    assert discovered.behaviour.mapped is None
    assert took == pytest.approx(9.5)


class Conversation:
    """A discovery whose server is played by the test."""

    def __init__(self, other: tuple[str, int] = ALTERNATE, mapped: tuple[str, int] = ("203.0.113.1", 1_000)) -> None:
        self.machine = NatDiscovery(PRIMARY, LOCAL, now=0.0, random=__import__("random").Random(1))
        (request,) = self.take()
        self.answer(request, PRIMARY, XOR_MAPPED_ADDRESS(mapped), OTHER_ADDRESS(other))

    def take(self) -> list[Message]:
        return [Message.parse(transmit.data) for transmit in iter(self.machine.next_transmit, None)]

    def answer(self, request: Message, source: tuple[str, int], *attributes: object) -> bool:
        return self.machine.receive_datagram(request.success(*attributes).serialize(), source, 0.1)  # type: ignore[arg-type]

    def run_out(self) -> Discovered:
        for _ in range(100):
            if (event := self.machine.next_event()) is not None:
                return event
            deadline = self.machine.next_timeout()
            assert deadline is not None
            self.machine.handle_timeout(deadline)
        raise AssertionError("no end")


def test_a_server_that_ignores_change_requests_is_not_taken_for_a_filter() -> None:
    conversation = Conversation()
    for request in conversation.take():
        assert not conversation.answer(request, PRIMARY, XOR_MAPPED_ADDRESS(("203.0.113.1", 1_000)))
    assert conversation.run_out().behaviour.filtering is None


@pytest.mark.parametrize(
    "other",
    [("198.51.100.1", 3479), ("198.51.100.2", 3478), ("198.51.100.2", 0), ("2001:db8::1", 3479)],
    ids=["same host", "same port", "port 0", "other family"],
)
def test_a_second_address_that_is_none_ends_the_discovery(other: tuple[str, int]) -> None:
    conversation = Conversation(other)
    assert conversation.take() == []
    behaviour = conversation.run_out().behaviour
    assert (behaviour.mapped, behaviour.mapping) == (("203.0.113.1", 1_000), None)


def test_answers_of_strangers_count_for_nothing() -> None:
    conversation = Conversation()
    for request in conversation.take():
        assert not conversation.answer(request, ("203.0.113.66", 666))
    assert conversation.run_out().behaviour.filtering is Behaviour.ADDRESS_AND_PORT_DEPENDENT


def test_it_obeys_the_laws_of_machines() -> None:
    def answers(transmit):  # type: ignore[no-untyped-def]
        message = Message.parse(transmit.data)
        if message.message_class is MessageClass.REQUEST:
            response = message.success(XOR_MAPPED_ADDRESS(("203.0.113.1", 1_000)), OTHER_ADDRESS(ALTERNATE))
            return [response.serialize(), message.error(500, "").serialize(), transmit.data]
        return []

    check_machine(
        Subject(
            make=lambda now, random: NatDiscovery(PRIMARY, LOCAL, now=now, random=random), peer=PRIMARY, answers=answers
        )
    )
