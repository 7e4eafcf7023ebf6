"""One frame carries all that one input caused; none is larger than a peer takes."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import MAX_RPC, Prune, Rpc, Subscription
from zwerm.libp2p.gossipsub.outbox import Outbox

ALICE, BOB = (PeerId.of(seeded_key(number).public) for number in range(2))


def frames(outbox: Outbox) -> list[tuple[PeerId, Rpc]]:
    found = []
    while (frame := outbox.take()) is not None:
        assert len(frame[1]) <= MAX_RPC
        found.append((frame[0], Rpc.parse(frame[1])))
    return found


def test_everything_for_a_peer_goes_in_one_frame() -> None:
    outbox = Outbox(1_000)
    outbox.rpc(ALICE).graft.append("t")
    outbox.add_message(BOB, b"one")
    outbox.add_message(ALICE, b"two")
    assert frames(outbox) == [(ALICE, Rpc(graft=["t"], messages=[b"two"])), (BOB, Rpc(messages=[b"one"]))]


def test_messages_that_do_not_fit_one_frame_go_in_several() -> None:
    outbox = Outbox(10 * MAX_RPC)
    outbox.rpc(ALICE).subscriptions.append(Subscription("t", wanted=True))
    outbox.rpc(ALICE).graft.append("t")
    messages = [bytes([number]) * 400_000 for number in range(5)]
    for message in messages:
        outbox.add_message(ALICE, message)
    found = frames(outbox)
    assert [len(rpc.messages) for _, rpc in found] == [2, 2, 1]
    assert [message for _, rpc in found for message in rpc.messages] == messages
    assert found[0][1].subscriptions
    assert found[-1][1].graft == ["t"]


def test_messages_past_the_limit_are_dropped() -> None:
    outbox = Outbox(10)
    for _ in range(3):
        outbox.add_message(ALICE, b"12345")
    assert outbox.dropped == 1
    assert frames(outbox) == [(ALICE, Rpc(messages=[b"12345"] * 2))]
    outbox.add_message(ALICE, b"12345")
    assert len(frames(outbox)) == 1


def test_what_spares_messages_goes_ahead_of_all() -> None:
    outbox = Outbox(1_000)
    outbox.add_message(ALICE, b"one")
    outbox.add_idontwant(BOB, b"id")
    assert frames(outbox)[0] == (BOB, Rpc(idontwant=[b"id"], idontwant_messages=1))
    for number in range(2_000):
        outbox.add_idontwant(BOB, b"%d" % number)
    assert len(frames(outbox)[0][1].idontwant) == 1_000


def test_a_peer_is_refused_once_for_each_topic_and_forgotten_when_it_goes() -> None:
    outbox = Outbox(1_000)
    for topic in ("a", "a", "b"):
        outbox.add_prune(ALICE, Prune(topic))
    outbox.rpc(BOB)
    assert frames(outbox) == [(ALICE, Rpc(prune=[Prune("a"), Prune("b")]))]
    outbox.add_message(ALICE, b"one")
    outbox.forget(ALICE)
    assert frames(outbox) == []
