"""Answering: what each request gives, what is refused, and what a flood can reach."""

import dataclasses

import pytest

from tests.libp2p.kad.test_provider_store import ALICE, BOB
from tests.libp2p.kad.validators import VALIDATORS
from tests.sim.dht import CONFIG, address_of, peer_of
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.random import seeded
from zwerm.core.trace import Recorder
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.dht import Dht
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record

LOCAL = PeerId(b"\x12\x20" + b"\x01" * 32)
PUBLIC, PRIVATE = b"\x04\x08\x08\x08\x08\x06\x0f\xa1", b"\x04\x7f\x00\x00\x01\x06\x0f\xa1"


def node(**changes: object) -> Dht:
    known = {LOCAL: (PUBLIC,), BOB: (PUBLIC, PRIVATE)}
    dht = Dht(
        LOCAL,
        dataclasses.replace(CONFIG, **changes),
        random=seeded(0),
        validators=VALIDATORS,
        addresses_of=lambda peer: known.get(peer, ()),
    )
    random = seeded("contacts")
    for number in range(60):
        dht.add_server(peer_of(random), (address_of(number),), 0.0)
    return dht


def ask(dht: Dht, message: Message, sender: PeerId = ALICE, now: float = 0.0) -> Message | None:
    answer = dht.receive_request(sender, message.serialize(), now)
    return None if answer is None else Message.parse(answer)


def test_the_twenty_nearest_are_told_nearest_first() -> None:
    dht = node()
    answer = ask(dht, Message(MessageType.FIND_NODE, b"a name"))
    nearest = sorted((contact.node for contact in dht.table), key=lambda node: node.key ^ key_of(b"a name"))
    assert [peer.peer for peer in answer.closer] == [node.peer for node in nearest[:20]]
    assert answer.closer[0].addresses == nearest[0].addresses


def test_who_asks_is_not_among_them() -> None:
    dht = node()
    asker = next(iter(dht.table)).node.peer
    answer = ask(dht, Message(MessageType.FIND_NODE, asker.multihash), asker)
    assert asker not in [peer.peer for peer in answer.closer]


def test_a_peer_that_we_know_is_told_of_whether_it_serves_or_not() -> None:
    answer = ask(node(), Message(MessageType.FIND_NODE, BOB.multihash))
    assert answer.closer[0] == Peer(BOB, (PUBLIC, PRIVATE))
    assert len(answer.closer) == 21


def test_the_public_network_is_not_told_private_addresses() -> None:
    answer = ask(node(scope=Scope.PUBLIC), Message(MessageType.FIND_NODE, BOB.multihash))
    assert answer.closer[0] == Peer(BOB, (PUBLIC,))


def test_we_tell_of_ourselves_when_asked_for() -> None:
    assert ask(node(), Message(MessageType.FIND_NODE, LOCAL.multihash)).closer[0] == Peer(LOCAL, (PUBLIC,))


def test_a_contact_in_the_table_is_told_once() -> None:
    dht = node()
    contact = next(iter(dht.table)).node.peer
    answer = ask(dht, Message(MessageType.FIND_NODE, contact.multihash))
    assert [peer.peer for peer in answer.closer].count(contact) <= 1


def test_a_provider_is_stored_without_an_answer_and_told() -> None:
    dht = node()
    added = Message(MessageType.ADD_PROVIDER, b"\x12\x20" + bytes(32), providers=[Peer(ALICE, (PUBLIC,))])
    assert ask(dht, added) is None
    answer = ask(dht, Message(MessageType.GET_PROVIDERS, b"\x12\x20" + bytes(32)), BOB)
    assert answer.providers == [Peer(ALICE, (PUBLIC,))]
    assert len(answer.closer) == 20


def test_a_provider_behind_a_relay_is_told_with_its_way_and_without_its_private_one() -> None:
    dht = node(scope=Scope.PUBLIC)
    relayed = PUBLIC + b"\xa5\x03\x22" + ALICE.multihash + b"\xa2\x02"
    added = Message(MessageType.ADD_PROVIDER, b"key", providers=[Peer(ALICE, (PRIVATE, relayed))])
    assert ask(dht, added) is None
    assert ask(dht, Message(MessageType.GET_PROVIDERS, b"key"), BOB).providers == [Peer(ALICE, (relayed,))]


def test_nobody_provides_for_another() -> None:
    dht = node()
    with pytest.raises(WireError, match="names 1 providers, expected its sender"):
        ask(dht, Message(MessageType.ADD_PROVIDER, b"key", providers=[Peer(BOB, (PUBLIC,))]))
    assert len(dht.providers) == 0


def test_a_record_is_echoed_and_told() -> None:
    dht = node()
    put = Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"7"))
    assert ask(dht, put) == Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"7"), [], [])
    answer = ask(dht, Message(MessageType.GET_VALUE, b"/n/a"), BOB)
    assert answer.record == Record(b"/n/a", b"7")
    assert len(answer.closer) == 20


def test_a_ping_is_echoed() -> None:
    assert ask(node(), Message(MessageType.PING)) == Message(MessageType.PING, b"", None, [], [])


@pytest.mark.parametrize(
    "request_",
    [
        Message(MessageType.FIND_NODE),
        Message(MessageType.GET_VALUE),
        Message(MessageType.GET_PROVIDERS),
        Message(MessageType.GET_PROVIDERS, bytes(81)),
        Message(MessageType.ADD_PROVIDER, bytes(81), providers=[Peer(ALICE)]),
        Message(MessageType.PUT_VALUE, b"/n/a"),
        Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/b", b"1")),
        Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"x")),
        Message(MessageType.PUT_VALUE, b"/z/a", Record(b"/z/a", b"1")),
    ],
    ids=[
        "nothing to find",
        "no key to get",
        "no key to be provided",
        "long key",
        "long key to provide",
        "no record",
        "another key",
        "not valid",
        "no such namespace",
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(request_: Message) -> None:
    dht = node()
    with pytest.raises(RemoteProtocolError):
        ask(dht, request_)
    assert (dht.server.refused, len(dht.records), len(dht.providers)) == (1, 0, 0)


def test_an_older_record_is_refused() -> None:
    dht = node()
    ask(dht, Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"7")))
    with pytest.raises(WireError, match="better record"):
        ask(dht, Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"6")))


def test_a_flood_of_provider_records_is_refused_and_named_while_others_are_served() -> None:
    recorder = Recorder()
    dht = Dht(
        LOCAL,
        dataclasses.replace(CONFIG, max_provider_records_per_peer=10),
        random=seeded(0),
        trace=recorder.source("dht"),
    )

    def provide(sender: PeerId, number: int) -> None:
        ask(dht, Message(MessageType.ADD_PROVIDER, b"%d" % number, providers=[Peer(sender)]), sender)

    for number in range(10):
        provide(ALICE, number)
    for number in range(10, 500):
        with pytest.raises(ResourceLimitError):
            provide(ALICE, number)
    provide(BOB, 500)
    assert len(dht.providers) == 11
    refusals = recorder.named("request refused")
    assert len(refusals) == 490
    assert refusals[0].fields["peer"] == str(ALICE)
    assert "the limit is 10" in str(refusals[0].fields["reason"])


def test_a_flood_of_records_stays_within_the_limit_in_bytes() -> None:
    dht = node(max_record_bytes=1_000, max_records_per_peer=1_000_000)
    refused = 0
    for number in range(200):
        key = b"/n/%d" % number
        try:
            ask(dht, Message(MessageType.PUT_VALUE, key, Record(key, b"1" * 50)))
        except ResourceLimitError:
            refused += 1
    assert 10 <= len(dht.records) <= 20
    assert refused == 200 - len(dht.records)
