"""The laws of `zwerm.core.machine`, seen from outside, for an association in each part of its life."""

import pytest

from tests.conformance.check_machine import PEER, Subject, check_machine
from tests.webrtc.sctp.kit import BINARY, association, connected
from zwerm.core.machine import Instant, Transmit
from zwerm.core.random import Random, seeded
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.chunks.sack import Sack
from zwerm.webrtc.sctp.codes import TSN_MASK, ChunkType
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.packet import Chunk

FORMS = pytest.mark.parametrize("interleaving", [False, True], ids=["DATA", "I-DATA"])


def established(now: Instant, random: Random, *, interleaving: bool) -> tuple[Association, Association]:
    """A machine whose peer is at hand, so that what the peer sends is valid."""
    left = Association(Config(interleaving=interleaving, max_events=512), random=random, now=now, peer=PEER)
    right = Association(Config(interleaving=interleaving), random=seeded("peer"), now=now)
    left.connect(now)
    for _ in range(4):
        right.receive_datagrams(left.next_transmits(), DTLS, now)
        left.receive_datagrams(right.next_transmits(), DTLS, now)
    left.next_events()
    return left, right


def inputs(right: Association, left: Association) -> list[bytes]:
    """Datagrams that the peer could send in any order."""
    finish = right._sender.finish_packet
    last = (left._handshake.local_tsn - 1) & TSN_MASK
    packets = [
        finish([Chunk(ChunkType.HEARTBEAT, 0, b"ping").serialize()]),
        finish([Sack(last, 100_000).serialize()]),
        finish([Chunk(ChunkType.PAD, 0, bytes(8)).serialize(), Sack(last, 0).serialize()]),
    ]
    for number in range(6):
        right.send(number % 3, bytes(400 * number + 1), ppid=BINARY, now=0.0, is_unordered=number % 2 == 0)
    packets += right.next_transmits()
    return packets


@FORMS
def test_an_established_association_obeys_the_laws(*, interleaving: bool) -> None:
    left, right = established(0.0, seeded(0, "machine"), interleaving=interleaving)
    check_machine(
        Subject(
            make=lambda now, random: established(now, seeded(0, "machine"), interleaving=interleaving)[0],
            valid=inputs(right, left),
            commands=[
                lambda machine: machine.send(1, b"hello", ppid=BINARY, now=machine._now),
                lambda machine: machine.send(2, bytes(5_000), ppid=BINARY, now=machine._now, max_retransmits=0),
                lambda machine: machine.send(2, b"", ppid=BINARY, now=machine._now),
                lambda machine: machine.reset_streams([1], machine._now),
                lambda machine: machine.shutdown(machine._now),
            ],
            seeds=range(12),
            memory_after_flood=262_144,
        )
    )


def answer(transmit: Transmit) -> list[bytes]:
    """What a peer says that remembers nothing: enough for a handshake."""
    peer = association("peer")
    peer.receive_datagram(transmit.data, PEER, 0.0)
    return peer.next_transmits()


def test_an_association_that_opens_obeys_the_laws() -> None:
    def opening(now: Instant, random: Random) -> Association:
        machine = Association(random=seeded("fixed"), now=now, peer=PEER)
        machine.connect(now)
        return machine

    check_machine(Subject(make=opening, valid=[bytes(16)], answers=answer, seeds=range(8)))


def test_an_association_that_waits_obeys_the_laws() -> None:
    other = association("other")
    other.connect(0.0)
    [init] = other.next_transmits()
    check_machine(
        Subject(
            make=lambda now, random: Association(random=random, now=now, peer=PEER),
            valid=[init],
            commands=[lambda machine: machine.connect(machine._now)],
            seeds=range(8),
        )
    )


def test_the_batch_and_the_single_packets_are_the_same() -> None:
    one, many = connected(), connected()
    for wire in (one, many):
        wire.send(bytes(20_000))
    singles = []
    while (transmit := one.left.next_transmit()) is not None:
        singles.append(transmit.data)
    assert singles == many.left.next_transmits()
    assert one.left.next_timeout() == many.left.next_timeout()
