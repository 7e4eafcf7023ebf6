"""One router and what it answers: the rules of v1.1 and v1.2 one by one, and every limit that a peer can meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.core.machine import Instant
from zwerm.core.random import seeded
from zwerm.core.trace import Recorder
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.config import FLOODSUB, GOSSIPSUB_1_0, GOSSIPSUB_1_2, GossipsubConfig, ScoreConfig
from zwerm.libp2p.gossipsub.event import Delivered, DialWanted, Event, Misbehaved, PeerSubscribed
from zwerm.libp2p.gossipsub.message import IHave, Message, Prune, Rpc, Subscription
from zwerm.libp2p.gossipsub.router import Gossipsub, Outcome
from zwerm.libp2p.gossipsub.signing import Policy, anonymous, sign

PEERS = [PeerId.of(seeded_key(number).public) for number in range(1, 40)]
ALICE, BOB = PEERS[:2]
TOPIC = "t"


class World:
    """A router that wants the topic, and its peers as a test plays them."""

    def __init__(
        self, config: GossipsubConfig | None = None, scores: ScoreConfig | None = None, **more: object
    ) -> None:
        self.now = 0.0
        self.node = Gossipsub(seeded_key(0), config, scores, now=0.0, random=seeded("router"), **more)  # type: ignore[arg-type]
        self.node.subscribe(TOPIC, 0.0)
        self.number = 0

    def add(self, peer: PeerId, protocol: str = GOSSIPSUB_1_2, *, outbound: bool = False, wants: bool = True) -> None:
        self.node.add_peer(peer, protocol, self.now, is_outbound=outbound)
        if wants:
            self.receive(peer, Rpc([Subscription(TOPIC, wanted=True)]))
        self.sent()

    def receive(self, peer: PeerId, rpc: Rpc) -> None:
        self.node.receive(peer, rpc.serialize(), self.now)

    def message(self, author: int = 30, data: bytes = b"data") -> Message:
        self.number += 1
        return sign(TOPIC, data, self.number, seeded_key(author))

    def sent(self) -> dict[PeerId, Rpc]:
        found: dict[PeerId, Rpc] = {}
        while (transmit := self.node.next_transmit()) is not None:
            peer, rpc = transmit[0], Rpc.parse(transmit[1])
            if peer in found:
                rpc.idontwant = found[peer].idontwant + rpc.idontwant
            found[peer] = rpc
        return found

    def events(self) -> list[Event]:
        found = []
        while (event := self.node.next_event()) is not None:
            found.append(event)
        return found

    def pass_time(self, seconds: float) -> None:
        end: Instant = self.now + seconds
        while (due := self.node.next_timeout()) is not None and due <= end:
            self.now = due
            self.node.handle_timeout(due)
        self.now = end

    def mesh(self) -> set[PeerId]:
        return self.node.mesh.members(TOPIC)


def test_a_new_peer_is_told_what_we_want_and_its_wishes_are_told_to_us() -> None:
    world = World()
    world.node.add_peer(ALICE, GOSSIPSUB_1_2, 0.0, is_outbound=True)
    assert world.sent() == {ALICE: Rpc([Subscription(TOPIC, wanted=True)])}
    world.receive(ALICE, Rpc([Subscription("x", wanted=True)] * 2))
    assert world.events() == [PeerSubscribed(ALICE, "x", wanted=True)]
    assert world.node.peers("x") == [ALICE]
    world.receive(ALICE, Rpc([Subscription("x", wanted=False)]))
    world.receive(ALICE, Rpc([Subscription(TOPIC, wanted=True)]))
    world.node.remove_peer(ALICE, 0.0)
    world.node.remove_peer(ALICE, 0.0)
    assert world.events()[-1] == PeerSubscribed(ALICE, TOPIC, wanted=False)
    assert world.node.peers() == []


def test_a_message_is_delivered_once_and_passed_to_the_mesh_but_not_back() -> None:
    world = World()
    for peer in PEERS[:4]:
        world.add(peer)
    world.pass_time(1)
    world.sent()
    message = world.message(author=4)  # the key of the fourth peer
    world.events()
    world.receive(ALICE, Rpc(messages=[message.encoded]))
    world.receive(BOB, Rpc(messages=[message.encoded]))
    [event] = world.events()
    assert isinstance(event, Delivered)
    assert (event.message.data, event.source) == (b"data", ALICE)
    assert set(world.sent()) == {PEERS[1], PEERS[2]}, "neither to who brought it nor to who wrote it"


def test_a_forgotten_message_is_delivered_again() -> None:
    world = World()
    world.add(ALICE)
    message, other = world.message(author=30), world.message(author=31)
    world.events()
    world.receive(ALICE, Rpc(messages=[message.encoded, other.encoded]))
    assert len(world.events()) == 2
    assert world.node.forget_seen(PeerId.of(seeded_key(30).public)) == 1
    world.receive(ALICE, Rpc(messages=[message.encoded, other.encoded]))
    assert [event.message for event in world.events() if isinstance(event, Delivered)] == [message]
    assert world.node.forget_seen() == 2


def test_validators_accept_reject_and_ignore() -> None:
    outcomes = {b"good": Outcome.ACCEPT, b"bad": Outcome.REJECT, b"old": Outcome.IGNORE}
    world = World()
    world.node.subscribe(TOPIC, 0.0, lambda message, _peer: outcomes[message.data])
    world.add(ALICE)
    world.add(BOB)
    world.pass_time(1)
    world.events()
    scores = []
    for data in outcomes:
        world.sent()
        world.receive(ALICE, Rpc(messages=[world.message(data=data).encoded]))
        scores.append(world.node.scores.score(ALICE))
        assert bool(world.sent()) is (data == b"good")
    assert [type(event) for event in world.events()] == [Delivered, Misbehaved]
    assert scores[0] > 0 > scores[1] == scores[2]


def test_a_forged_message_does_not_keep_the_genuine_one_away() -> None:
    world = World()
    world.add(ALICE)
    world.add(BOB)
    world.events()
    genuine = world.message()
    forged = Message(TOPIC, b"forged", genuine.author, genuine.sequence, b"x" * 64)
    world.receive(ALICE, Rpc(messages=[forged.serialize()]))
    world.receive(BOB, Rpc(messages=[genuine.encoded]))
    assert [event.message.data for event in world.events() if isinstance(event, Delivered)] == [b"data"]


def test_messages_in_our_own_name_and_of_other_topics_are_dropped_without_a_word() -> None:
    world = World()
    world.add(ALICE)
    world.events()
    world.receive(ALICE, Rpc(messages=[world.message(author=0).encoded, sign("other", b"", 1, seeded_key(9)).encoded]))
    assert world.events() == []
    assert world.node.scores.score(ALICE) == 0


@pytest.mark.parametrize(
    ("change", "early", "penalty"),
    [(lambda world: None, True, 2), (lambda world: world.pass_time(30), False, 1)],
    ids=["at once", "in the middle"],
)
def test_a_graft_within_the_backoff_is_refused_and_costs(
    change: Callable[[World], None], early: bool, penalty: int
) -> None:
    world = World(scores=ScoreConfig(behaviour_penalty_threshold=0, behaviour_penalty_decay=1.0))
    world.add(ALICE)
    world.receive(ALICE, Rpc(graft=[TOPIC]))
    assert world.mesh() == {ALICE}
    world.receive(ALICE, Rpc(prune=[Prune(TOPIC, (), 60)]))
    assert world.mesh() == set()
    change(world)
    world.sent()
    world.receive(ALICE, Rpc(graft=[TOPIC]))
    assert world.sent() == {ALICE: Rpc(prune=[Prune(TOPIC, (), 60)])}
    assert world.node.scores.score(ALICE) == -10 * penalty**2
    assert early is (penalty == 2)
    assert world.mesh() == set()


def test_after_the_backoff_peers_are_grafted_again() -> None:
    world = World()
    world.add(ALICE)
    world.pass_time(1)
    assert world.mesh() == {ALICE}
    world.receive(ALICE, Rpc(prune=[Prune(TOPIC, (), 20)]))
    world.pass_time(20)
    assert world.mesh() == set()
    world.pass_time(3)
    assert world.mesh() == {ALICE}


def test_a_backoff_of_years_is_cut_to_an_hour() -> None:
    world = World()
    world.add(ALICE)
    world.receive(ALICE, Rpc(prune=[Prune(TOPIC, (), 2**60)]))
    world.pass_time(3_599)
    assert world.mesh() == set()
    world.pass_time(4)
    assert world.mesh() == {ALICE}


def test_a_full_mesh_takes_only_peers_that_we_dialled() -> None:
    world = World()
    for peer in PEERS[:12]:
        world.add(peer)
        world.receive(peer, Rpc(graft=[TOPIC]))
    world.add(PEERS[12])
    world.receive(PEERS[12], Rpc(graft=[TOPIC]))
    [prune] = world.sent()[PEERS[12]].prune
    assert len(prune.peers) == 12, "and is offered the others"
    world.add(PEERS[13], outbound=True)
    world.receive(PEERS[13], Rpc(graft=[TOPIC]))
    assert PEERS[13] in world.mesh()
    world.pass_time(1)
    assert len(world.mesh()) == 6
    assert len(world.node.mesh.members(TOPIC) & {PEERS[13]}) == 1, "dialled peers are kept"


def test_grafts_of_unknown_topics_are_not_answered() -> None:
    world = World()
    world.add(ALICE)
    world.receive(ALICE, Rpc(graft=["nothing"] * 100, prune=[Prune("nothing")]))
    assert world.sent() == {}


def test_an_ill_thought_of_peer_is_pruned_without_an_offer_and_at_last_not_heard() -> None:
    world = World()
    world.add(ALICE)
    world.add(BOB)
    world.pass_time(1)
    world.sent()
    world.node.scores.rejected(ALICE, TOPIC)
    world.pass_time(1)
    assert world.sent()[ALICE].prune == [Prune(TOPIC, (), 60)]
    world.receive(ALICE, Rpc(graft=[TOPIC]))
    assert ALICE not in world.mesh()
    for _ in range(5):
        world.node.scores.rejected(ALICE, TOPIC)
    world.events()
    world.receive(ALICE, Rpc([Subscription("x", wanted=True)], messages=[world.message().encoded]))
    assert world.events() == []


def test_explicit_peers_get_everything_outside_the_mesh_and_are_dialled() -> None:
    world = World()
    world.node.set_direct(frozenset({ALICE, BOB}))
    assert world.events() == [DialWanted(peer, b"") for peer in sorted((ALICE, BOB))]
    world.add(ALICE)
    world.receive(ALICE, Rpc(graft=[TOPIC]))
    assert world.sent()[ALICE].prune == [Prune(TOPIC, (), 60)]
    world.pass_time(5)
    assert world.mesh() == set()
    world.add(PEERS[5])
    world.receive(PEERS[5], Rpc(messages=[world.message().encoded]))
    assert ALICE in world.sent()
    world.events()
    world.pass_time(300)
    assert DialWanted(BOB, b"") in world.events()


def test_gossip_is_asked_for_once_and_a_broken_promise_costs() -> None:
    world = World(scores=ScoreConfig(behaviour_penalty_threshold=0, behaviour_penalty_decay=1.0))
    world.add(ALICE)
    known = world.message()
    world.receive(ALICE, Rpc(messages=[known.encoded]))
    world.sent()
    world.node.scores.refresh(0.0)
    before = world.node.scores.score(ALICE)
    ids = (known.author + known.sequence, b"new")
    world.receive(ALICE, Rpc(ihave=[IHave(TOPIC, ids), IHave("unknown", (b"x",))]))
    assert world.sent()[ALICE].iwant == [b"new"]
    world.pass_time(5)
    assert world.node.scores.score(ALICE) < before - 9


def test_gossip_past_the_limits_of_a_heartbeat_is_not_answered() -> None:
    world = World(GossipsubConfig(max_ihave_messages=3, max_ihave_length=5))
    world.add(ALICE)
    world.receive(ALICE, Rpc(ihave=[IHave(TOPIC, tuple(b"%d" % number for number in range(9)))]))
    assert len(world.sent()[ALICE].iwant) == 5
    world.pass_time(1)
    world.sent()
    world.receive(ALICE, Rpc(ihave=[IHave(TOPIC, (b"a%d" % number,)) for number in range(9)]))
    assert len(world.sent()[ALICE].iwant) == 3


def test_a_message_is_given_three_times_and_not_to_who_has_it() -> None:
    world = World()
    message_id = world.node.publish(TOPIC, b"data", 0.0)
    world.add(ALICE)
    given = []
    for _ in range(5):
        world.receive(ALICE, Rpc(iwant=[message_id, message_id, b"unknown"]))
        given.append(len(world.sent().get(ALICE, Rpc()).messages))
    assert given == [1, 1, 1, 0, 0]
    world.add(BOB)
    world.receive(BOB, Rpc(idontwant=[message_id]))
    world.receive(BOB, Rpc(iwant=[message_id]))
    assert world.sent() == {}


def test_large_messages_are_announced_as_not_wanted_to_the_mesh() -> None:
    world = World()
    for peer, protocol in ((ALICE, GOSSIPSUB_1_2), (BOB, GOSSIPSUB_1_2), (PEERS[2], GOSSIPSUB_1_0)):
        world.add(peer, protocol)
    world.pass_time(1)
    world.sent()
    large = world.message(data=bytes(1_024))
    world.receive(ALICE, Rpc(messages=[large.encoded]))
    sent = world.sent()
    assert sent[BOB].idontwant == [large.author + large.sequence]
    assert not sent[PEERS[2]].idontwant
    assert ALICE not in sent
    world.receive(ALICE, Rpc(messages=[world.message().encoded]))
    assert not world.sent()[BOB].idontwant


def test_who_does_not_want_a_message_is_spared_it_and_only_so_often() -> None:
    world = World(GossipsubConfig(max_idontwant_messages=2, max_idontwant_ids=2))
    for peer in (ALICE, BOB):
        world.add(peer)
    world.pass_time(1)
    world.sent()
    messages = [world.message() for _ in range(4)]
    for message in messages:
        world.receive(BOB, Rpc(idontwant=[message.author + message.sequence]))
    for message in messages:
        world.receive(ALICE, Rpc(messages=[message.encoded]))
    assert world.sent()[BOB].messages == [message.encoded for message in messages[2:]]


def test_many_messages_of_what_is_not_wanted_are_not_all_remembered() -> None:
    world = World(GossipsubConfig(max_idontwant_messages=2, max_idontwant_ids=100))
    for peer in (ALICE, BOB):
        world.add(peer)
    world.pass_time(1)
    world.sent()
    messages = [world.message() for _ in range(4)]
    for message in messages:
        world.receive(BOB, Rpc(idontwant=[message.author + message.sequence]))
    for message in messages:
        world.receive(ALICE, Rpc(messages=[message.encoded]))
    assert world.sent()[BOB].messages == [message.encoded for message in messages[2:]]


def test_offered_peers_are_taken_only_from_the_well_thought_of() -> None:
    world = World(GossipsubConfig(prune_peers=3), ScoreConfig(accept_px_threshold=1.0))
    world.add(ALICE)
    offer = Rpc(prune=[Prune(TOPIC, tuple((peer.multihash, b"record") for peer in PEERS[10:20]), 60)])
    world.events()
    world.receive(ALICE, offer)
    assert world.events() == []
    for _ in range(3):
        world.receive(ALICE, Rpc(messages=[world.message().encoded]))
    world.events()
    world.receive(ALICE, offer)
    dials = world.events()
    assert len(dials) == 3
    assert all(isinstance(event, DialWanted) and event.record == b"record" for event in dials)
    world.receive(ALICE, Rpc(prune=[Prune(TOPIC, ((b"junk", b""),))]))
    assert isinstance(world.events()[-1], Misbehaved)


def test_a_frame_that_is_none_and_topics_without_end_are_held_against_the_peer() -> None:
    recorder = Recorder()
    world = World(GossipsubConfig(max_subscriptions=3), trace=recorder.source("router"))
    world.add(ALICE)
    world.events()
    world.node.receive(ALICE, b"\xff", 0.0)
    world.receive(ALICE, Rpc([Subscription(str(number), wanted=True) for number in range(4)]))
    world.receive(ALICE, Rpc(messages=[b"\xff"]))
    world.node.receive(BOB, b"\xff", 0.0)
    reasons = [event for event in world.events() if isinstance(event, Misbehaved)]
    assert len(reasons) == 4
    assert world.node.scores.score(ALICE) < 0
    assert recorder.named("peer broke the protocol")


def test_unsubscribing_prunes_with_a_short_backoff() -> None:
    world = World()
    world.add(ALICE)
    world.pass_time(1)
    world.sent()
    world.node.unsubscribe(TOPIC, world.now)
    world.node.unsubscribe(TOPIC, world.now)
    assert world.sent() == {ALICE: Rpc([Subscription(TOPIC, wanted=False)], prune=[Prune(TOPIC, (), 10)])}
    assert world.node.topics == []


def test_what_cannot_be_published_or_wanted_is_said_at_once() -> None:
    world = World(GossipsubConfig(max_topics=2, max_message=100))
    with pytest.raises(LocalProtocolError, match="101 bytes"):
        world.node.publish(TOPIC, bytes(101), 0.0)
    for topic in ("", "x" * 1_025):
        with pytest.raises(LocalProtocolError, match="expected 1 to 1024"):
            world.node.subscribe(topic, 0.0)
        with pytest.raises(LocalProtocolError, match="expected 1 to 1024"):
            world.node.publish(topic, b"", 0.0)
    world.node.subscribe("second", 0.0)
    with pytest.raises(LocalProtocolError, match="2 topics"):
        world.node.subscribe("third", 0.0)


def test_there_are_only_so_many_peers() -> None:
    world = World(GossipsubConfig(max_peers=2))
    for peer in (ALICE, BOB, BOB, world.node.peer_id):
        world.node.add_peer(peer, FLOODSUB, 0.0, is_outbound=False)
    with pytest.raises(ResourceLimitError, match="2 peers"):
        world.node.add_peer(PEERS[2], FLOODSUB, 0.0, is_outbound=False)


def test_without_signatures_the_data_tells_messages_apart() -> None:
    world = World(policy=Policy.STRICT_NO_SIGN, message_id=lambda message: message.data)
    assert world.node.publish(TOPIC, b"data", 0.0) == b"data"
    with pytest.raises(LocalProtocolError, match="a moment ago"):
        world.node.publish(TOPIC, b"data", 0.0)
    world.add(ALICE)
    world.events()
    world.receive(ALICE, Rpc(messages=[anonymous(TOPIC, b"other").encoded, world.message(data=b"third").encoded]))
    assert [type(event) for event in world.events()] == [Delivered, Misbehaved]


def test_early_and_repeated_timeouts_change_nothing() -> None:
    world = World()
    world.add(ALICE)
    due = world.node.next_timeout()
    assert due is not None
    for now in (0.0, due - 0.01, due - 0.01):
        world.node.handle_timeout(now)
    assert (world.sent(), world.node.next_timeout()) == ({}, due)
    world.node.handle_timeout(due)
    world.node.handle_timeout(due)
    assert world.sent() == {ALICE: Rpc(graft=[TOPIC])}


def test_a_flood_that_nobody_drains_leaves_little_behind() -> None:
    world = World(GossipsubConfig(max_queue=100_000))
    for peer in PEERS[:10]:
        world.add(peer)
    world.pass_time(1)
    for number in range(5_000):
        world.receive(ALICE, Rpc(messages=[world.message(data=bytes(500)).encoded], graft=[TOPIC], iwant=[b"x"]))
        world.receive(ALICE, Rpc(ihave=[IHave(TOPIC, (b"%d" % number,))], idontwant=[b"%d" % number]))
    sent = world.sent()
    assert sum(len(rpc.serialize()) for rpc in sent.values()) < 10 * 150_000
    assert len(world.events()) <= 4_096
