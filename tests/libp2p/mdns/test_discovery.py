"""The search for peers under a virtual clock: when it asks, when it answers, whom it believes."""

from __future__ import annotations

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.libp2p.hosts import seeded_key
from zwerm.core.machine import Instant, Transmit
from zwerm.core.random import Random, seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.mdns import message
from zwerm.libp2p.mdns.discovery import Discovery, DiscoveryConfig, PeerFound
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.net.mdns.message import GROUP

US, THEM = (PeerId.of(seeded_key(number).public) for number in (1, 2))
HERE, THERE = Multiaddr.from_text("/ip4/192.0.2.1/tcp/1"), Multiaddr.from_text("/ip4/192.0.2.2/tcp/2")
SOURCE = ("192.0.2.2", 5_353)
QUESTION = message.question()


def answer_of(peer: PeerId, *addresses: Multiaddr) -> bytes:
    own = Multiaddr.from_text(f"/p2p/{peer}")
    return message.answer("b" * 32, [address.encapsulate(own) for address in addresses])


def made(peer: PeerId = US, config: DiscoveryConfig | None = None) -> Discovery:
    return Discovery(peer, random=seeded("mdns"), now=0.0, config=config)


def announcing(now: Instant, random: Random) -> Discovery:
    discovery = Discovery(US, random=random, now=now)
    discovery.set_addresses([HERE], now)
    return discovery


def sent(discovery: Discovery) -> list[Transmit]:
    return list(iter(discovery.next_transmit, None))


def found(discovery: Discovery) -> list[PeerFound]:
    return list(iter(discovery.next_event, None))


@pytest.fixture
def quiet() -> Discovery:
    """One that has asked and announced, and is only waiting."""
    discovery = made()
    discovery.set_addresses([HERE], 0.0)
    for now in (0.0, 1.0, 3.0, 7.0):
        discovery.handle_timeout(now)
    sent(discovery)
    return discovery


def test_it_keeps_the_laws_of_machines() -> None:
    check_machine(
        Subject(
            make=announcing,
            valid=[QUESTION, answer_of(THEM, THERE), message.question(message.META)],
            commands=[lambda discovery: discovery.say_goodbye()],
            memory_after_flood=262_144,
        )
    )


def test_it_asks_at_once_and_then_ever_more_rarely() -> None:
    discovery = made()
    asked = []
    while len(asked) < 11:
        due = discovery.next_timeout()
        assert due is not None
        discovery.handle_timeout(due)
        assert sent(discovery) == [Transmit(QUESTION, GROUP)]
        asked.append(due)
    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0, 255.0, 511.0, 811.0]


def test_it_asks_at_once_again_when_the_network_is_another(quiet: Discovery) -> None:
    quiet.ask_again(40.0)
    assert sent(quiet) == [Transmit(QUESTION, GROUP)]
    assert quiet.next_timeout() == 41.0


def test_new_addresses_are_announced_twice_a_second_apart() -> None:
    discovery = made()
    discovery.set_addresses([HERE], 0.0)
    discovery.set_addresses([HERE], 0.0)
    answers = [transmit for transmit in sent(discovery) if transmit.data != QUESTION]
    assert len(answers) == 1
    assert answers[0].destination == GROUP
    assert message.parse(answers[0].data) == message.Answered((Multiaddr.from_text(f"{HERE}/p2p/{US}"),))
    discovery.handle_timeout(1.0)
    assert len([transmit for transmit in sent(discovery) if transmit.data != QUESTION]) == 1
    discovery.handle_timeout(2.0)
    assert sent(discovery) == []


def test_who_asks_is_answered_a_moment_later_and_many_at_once_together(quiet: Discovery) -> None:
    for _ in range(5):
        assert quiet.receive_datagram(QUESTION, SOURCE, 10.0)
    assert sent(quiet) == []
    due = quiet.next_timeout()
    assert due is not None
    assert 10.02 <= due <= 10.12
    quiet.handle_timeout(due)
    assert len([transmit for transmit in sent(quiet) if transmit.destination == GROUP]) == 1


def test_the_group_hears_one_answer_a_second(quiet: Discovery) -> None:
    quiet.receive_datagram(QUESTION, SOURCE, 10.0)
    quiet.handle_timeout(10.2)
    sent(quiet)
    quiet.receive_datagram(QUESTION, SOURCE, 10.3)
    assert quiet.next_timeout() == 11.2


def test_who_wants_it_for_himself_gets_it_at_once(quiet: Discovery) -> None:
    wanting = bytearray(QUESTION)
    wanting[-2] |= 0x80
    quiet.receive_datagram(bytes(wanting), SOURCE, 10.0)
    (transmit,) = sent(quiet)
    assert transmit.destination == SOURCE


def test_who_has_no_address_answers_nothing() -> None:
    discovery = made()
    discovery.handle_timeout(0.0)
    sent(discovery)
    discovery.receive_datagram(QUESTION, SOURCE, 0.5)
    discovery.handle_timeout(0.9)
    discovery.say_goodbye()
    assert sent(discovery) == []


def test_who_asks_for_services_is_told_of_this_one(quiet: Discovery) -> None:
    quiet.receive_datagram(message.question(message.META), SOURCE, 10.0)
    assert sent(quiet) == [Transmit(message.services(), GROUP)]


def test_a_peer_is_said_once_and_again_when_something_is_new_or_time_has_passed(quiet: Discovery) -> None:
    for now in (10.0, 11.0):
        quiet.receive_datagram(answer_of(THEM, THERE), SOURCE, now)
    assert found(quiet) == [PeerFound(THEM, (THERE,))]
    quiet.receive_datagram(answer_of(THEM, THERE, HERE), SOURCE, 12.0)
    assert found(quiet) == [PeerFound(THEM, (THERE, HERE))]
    quiet.receive_datagram(answer_of(THEM, THERE, HERE), SOURCE, 71.9)
    assert found(quiet) == []
    quiet.receive_datagram(answer_of(THEM, THERE, HERE), SOURCE, 72.0)
    assert found(quiet) == [PeerFound(THEM, (THERE, HERE))]


def test_it_does_not_find_itself(quiet: Discovery) -> None:
    quiet.receive_datagram(answer_of(US, HERE), SOURCE, 10.0)
    assert found(quiet) == []


def test_what_is_no_dns_is_not_taken(quiet: Discovery) -> None:
    assert not quiet.receive_datagram(b"\x00", SOURCE, 10.0)


def test_nothing_that_peers_send_grows_past_its_limit() -> None:
    discovery = made(config=DiscoveryConfig(max_peers=4, max_waiting=8))
    peers = [PeerId.of(seeded_key(number).public) for number in range(3, 23)]
    for peer in peers:
        discovery.receive_datagram(answer_of(peer, THERE), SOURCE, 1.0)
    assert [event.peer for event in found(discovery)] == peers[-8:]
    assert len(discovery._told) == 4
    for _ in range(20):
        discovery.receive_datagram(message.question(message.META), SOURCE, 1.0)
    assert len(sent(discovery)) == 8


def test_leaving_is_told(quiet: Discovery) -> None:
    quiet.say_goodbye()
    (transmit,) = sent(quiet)
    assert message.parse(transmit.data) == message.Answered(())
