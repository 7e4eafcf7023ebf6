"""libp2p specs, "noise/README.md": who is told what about whom, and every way for a handshake to fail."""

from random import Random

import pytest

from tests.conformance.check_machine import Subject
from tests.conformance.check_stream_machine import check_stream_machine
from tests.libp2p.noise.sides import ALICE, ALICE_ID, BOB, BOB_ID, KEYS, MUXERS, secured, shake, side
from zwerm.core.machine import Instant
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.noise.handshake import MAX_MESSAGE, NoiseHandshake, NoiseIdentity
from zwerm.libp2p.secure import HandshakeFailed, Secured


def test_each_side_learns_who_the_other_is_and_both_can_talk() -> None:
    alice, bob = secured(muxers=MUXERS)
    assert (alice.peer, bob.peer) == (BOB_ID, ALICE_ID)
    assert (alice.public_key, bob.public_key) == (BOB.public, ALICE.public)
    assert alice.muxer == bob.muxer == "/yamux/1.0.0"
    for sender, receiver in ((alice.records, bob.records), (bob.records, alice.records)):
        assert b"".join(receiver.decrypt_untrusted(sender.encrypt([b"to the ", b"other"]))) == b"to the other"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_type_of_identity_is_proved(key: PrivateKey) -> None:
    expected = PeerId.of(key.public)
    alice, bob = shake(side(ALICE, is_initiator=True, expected=expected), side(key, is_initiator=False))
    assert isinstance(alice, Secured)
    assert isinstance(bob, Secured)
    assert alice.peer == expected


@pytest.mark.parametrize(
    ("initiator", "responder", "muxer"),
    [
        (("/mplex/6.7.0", "/yamux/1.0.0"), ("/yamux/1.0.0", "/mplex/6.7.0"), "/mplex/6.7.0"),
        (("/yamux/1.0.0",), (), None),
        ((), ("/yamux/1.0.0",), None),
        ((), (), None),
    ],
    ids=["the initiator's order", "the responder names none", "the initiator names none", "neither"],
)
def test_the_muxer_is_the_first_of_the_initiators_that_both_have(
    initiator: tuple[str, ...], responder: tuple[str, ...], muxer: str | None
) -> None:
    events = shake(side(ALICE, is_initiator=True, muxers=initiator), side(BOB, is_initiator=False, muxers=responder))
    assert [event.muxer for event in events if isinstance(event, Secured)] == [muxer, muxer]


def test_without_a_muxer_in_common_the_handshake_fails() -> None:
    alice = side(ALICE, is_initiator=True, muxers=["/yamux/1.0.0"])
    failed, _ = shake(alice, side(BOB, is_initiator=False, muxers=["/mplex/6.7.0"]))
    assert failed == HandshakeFailed("muxers /yamux/1.0.0 and /mplex/6.7.0 have none in common")


def test_somebody_else_than_expected_is_told_nothing() -> None:
    alice = side(ALICE, is_initiator=True, expected=ALICE_ID)
    bob = side(BOB, is_initiator=False)
    bob.receive_data(alice.data_to_send(), 0.0)
    alice.receive_data(bob.data_to_send(), 0.0)
    assert alice.next_event() == HandshakeFailed(f"the peer is {BOB_ID}, expected {ALICE_ID}")
    assert alice.data_to_send() == b""
    assert bob.next_event() is None


def test_a_responder_can_expect_somebody_too() -> None:
    _, bob = shake(side(ALICE, is_initiator=True), side(BOB, is_initiator=False, expected=BOB_ID))
    assert bob == HandshakeFailed(f"the peer is {ALICE_ID}, expected {BOB_ID}")


@pytest.mark.parametrize("liar", ["initiator", "responder"])
def test_an_identity_that_signed_another_noise_key_is_refused(liar: str) -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    stolen = NoiseIdentity(KEYS["rsa"], Random(1)).payload.serialize()
    (alice if liar == "initiator" else bob)._payload = stolen
    events = shake(alice, bob)
    assert HandshakeFailed("the RSA identity key did not sign the peer's noise key") in events


def test_a_payload_that_is_none_is_refused() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    bob._payload = b"\xff"
    event, _ = shake(alice, bob)
    assert event == HandshakeFailed("protobuf varint without an end after 1 bytes")


def test_a_key_of_low_order_fails_the_responder() -> None:
    bob = side(BOB, is_initiator=False)
    bob.receive_data(b"\0\x20" + bytes(32), 0.0)
    assert bob.next_event() == HandshakeFailed(f"noise key {'00' * 32} of low order")
    assert bob.data_to_send() == b""


def test_messages_of_an_earlier_handshake_are_worth_nothing() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    first = alice.data_to_send()
    bob.receive_data(first, 0.0)
    alice.receive_data(bob.data_to_send(), 0.0)
    third = alice.data_to_send()
    later = side(BOB, is_initiator=False, seed="later")
    later.receive_data(first, 0.0)
    later.data_to_send()
    later.receive_data(third, 0.0)
    assert later.next_event() == HandshakeFailed(
        "noise handshake message 3 is not encrypted with this handshake's keys"
    )


def test_a_handshake_that_is_reflected_fails() -> None:
    alice = side(ALICE, is_initiator=True)
    alice.receive_data(alice.data_to_send(), 0.0)
    assert alice.next_event() == HandshakeFailed("noise handshake message 2 of 32 bytes, expected at least 96")


@pytest.mark.parametrize(
    ("size", "reason"),
    [(0, "of 0 bytes, expected 1 to 16384"), (MAX_MESSAGE + 1, "of 16385 bytes"), (65_535, "of 65535 bytes")],
    ids=["empty", "a byte over the limit", "giant"],
)
def test_lengths_are_refused_before_anything_is_collected(size: int, reason: str) -> None:
    bob = side(BOB, is_initiator=False)
    bob.receive_data(size.to_bytes(2, "big"), 0.0)
    bob.receive_data(bytes(100), 0.0)
    event = bob.next_event()
    assert isinstance(event, HandshakeFailed)
    assert reason in event.cause


def test_a_message_of_the_largest_size_is_read() -> None:
    bob = side(BOB, is_initiator=False)
    bob.receive_data(MAX_MESSAGE.to_bytes(2, "big") + bytes(range(32)) + bytes(MAX_MESSAGE - 32), 0.0)
    assert bob.next_event() is None
    assert bob.data_to_send()


def test_every_truncation_ends_in_a_failure() -> None:
    messages = []  # with a key whose signatures are the same each time
    alice, bob = side(ALICE, is_initiator=True), side(ALICE, is_initiator=False)
    for one, other in ((alice, bob), (bob, alice), (alice, bob)):
        messages.append(one.data_to_send())
        other.receive_data(messages[-1], 0.0)
    both = messages[0] + messages[2]
    for size in range(len(both)):
        again = side(ALICE, is_initiator=False)
        again.receive_data(both[:size], 0.0)
        assert again.next_event() is None
        again.receive_eof(0.0)
        again.receive_eof(0.0)
        assert again.next_event() == HandshakeFailed("the peer closed the connection during the noise handshake")
        assert again.next_event() is None
    again = side(ALICE, is_initiator=False)
    assert again.receive_data(both, 0.0) == len(both)
    assert isinstance(again.next_event(), Secured)
    again.receive_eof(0.0)
    assert again.next_event() is None


def test_what_stands_behind_the_handshake_is_left_for_the_records() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    bob.receive_data(alice.data_to_send(), 0.0)
    alice.receive_data(bob.data_to_send(), 0.0)
    event = alice.next_event()
    assert isinstance(event, Secured)
    last = alice.data_to_send()
    data = last + bytes(event.records.encrypt([b"at once"]))
    assert bob.receive_data(data, 0.0) == len(last)
    done = bob.next_event()
    assert isinstance(done, Secured)
    assert b"".join(done.records.decrypt_untrusted(data[len(last) :])) == b"at once"
    assert bob.receive_data(b"more", 0.0) == 0


def test_both_must_have_seen_the_same_prologue() -> None:
    alice, _ = shake(
        side(ALICE, is_initiator=True, prologue=b"seen"), side(BOB, is_initiator=False, prologue=b"seen otherwise")
    )
    assert isinstance(alice, HandshakeFailed)


def test_one_identity_serves_many_handshakes() -> None:
    random = Random(7)
    identity = NoiseIdentity(BOB, random)
    keys = set()
    for turn in range(3):
        bob = NoiseHandshake(identity, is_initiator=False, random=random)
        alice, _ = shake(side(ALICE, is_initiator=True, seed=str(turn)), bob)
        assert isinstance(alice, Secured)
        keys.add(bytes(alice.records.encrypt([b"same text"])))
    assert len(keys) == 3


@pytest.mark.parametrize("is_initiator", [True, False], ids=["initiator", "responder"])
def test_the_machine_keeps_the_laws(is_initiator: bool) -> None:
    def make(now: Instant, random: Random) -> NoiseHandshake:
        return NoiseHandshake(NoiseIdentity(ALICE, random), is_initiator=is_initiator, random=random)

    other = side(BOB, is_initiator=not is_initiator)
    valid = [other.data_to_send()] if not is_initiator else []
    first = side(ALICE, is_initiator=True).data_to_send()
    answerer = side(BOB, is_initiator=False, seed="answers")
    answerer.receive_data(first, 0.0)
    check_stream_machine(Subject(make=make, valid=[*valid, answerer.data_to_send()], seeds=range(6), flood=1_000))
