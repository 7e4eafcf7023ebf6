"""One node as a machine: queries from the command to the result, clocks, refreshing, limits."""

import dataclasses

import pytest

from tests.conformance.check_machine import Subject, check_machine
from tests.libp2p.kad.test_provider_store import ALICE, BOB
from tests.libp2p.kad.validators import VALIDATORS
from tests.sim.dht import CONFIG, address_of, peer_of
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random, seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.dht import Dht, Event, Request
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record
from zwerm.libp2p.kad.query import Found, Result
from zwerm.libp2p.kad.record_store import OlderRecord

LOCAL = PeerId(b"\x12\x20" + b"\x01" * 32)
ADDRESS = b"\x04\x08\x08\x08\x08\x06\x0f\xa1"
KEY = b"\x12\x20" + b"\x07" * 32


def node(contacts: int = 5, **changes: object) -> Dht:
    dht = Dht(
        LOCAL,
        dataclasses.replace(CONFIG, **changes),
        random=seeded(0),
        validators=VALIDATORS,
        addresses_of=lambda peer: (ADDRESS,) if peer == LOCAL else (),
    )
    random = seeded("contacts")
    for number in range(contacts):
        dht.add_server(peer_of(random), (address_of(number),), 0.0)
    return dht


def requests(dht: Dht, now: float = 0.0) -> list[Request]:
    found = []
    while (request := dht.next_request(now)) is not None:
        found.append(request)
    return found


def events(dht: Dht) -> list[Event]:
    found = []
    while (event := dht.next_event()) is not None:
        found.append(event)
    return found


def answer(dht: Dht, request: Request, now: float = 0.0, **fields: object) -> None:
    asked = Message.parse(request.data)
    dht.receive_response(request.number, Message(asked.type, asked.key, **fields).serialize(), now)


def result(dht: Dht) -> Result:
    return next(event for event in events(dht) if isinstance(event, Result))


def test_finding_the_closest_asks_all_and_tells_who_answered() -> None:
    dht = node()
    dht.find_closest(KEY, 0.0)
    first, *others = requests(dht)
    dht.receive_failure(first.number, "refused", 0.0)
    for request in others:
        assert Message.parse(request.data) == Message(MessageType.FIND_NODE, KEY, None, [], [])
        answer(dht, request)
    found = result(dht)
    assert {peer.peer for peer in found.closest} == {request.peer for request in others}
    assert (found.asked, found.hops, found.is_timed_out) == (5, 1, False)
    assert dht.queries == 0


def test_without_contacts_a_query_ends_at_once() -> None:
    dht = node(contacts=0)
    dht.find_closest(KEY, 0.0)
    assert result(dht).closest == ()


def test_a_request_without_an_answer_fails_by_itself_and_costs_a_strike() -> None:
    dht = node(contacts=1)
    dht.find_closest(KEY, 0.0)
    (request,) = requests(dht)
    assert dht.next_timeout() == CONFIG.slow_after
    dht.handle_timeout(CONFIG.slow_after)
    assert result(dht).closest == ()
    assert dht.next_timeout() == CONFIG.request_timeout
    dht.handle_timeout(CONFIG.request_timeout)
    assert dht.table.find(request.peer).strikes == 1
    answer(dht, request, 11.0)  # too late
    assert events(dht) == []


def test_a_query_that_takes_too_long_ends_with_what_it_has() -> None:
    dht = node(request_timeout=1_000.0, slow_after=1_000.0)
    dht.find_closest(KEY, 0.0)
    first, *_ = requests(dht)
    answer(dht, first)
    dht.handle_timeout(CONFIG.query_timeout)
    found = result(dht)
    assert found.is_timed_out
    assert [peer.peer for peer in found.closest] == [first.peer]


@pytest.mark.parametrize(
    "data", [b"\xff", Message(MessageType.PING).serialize(), b""], ids=["garbage", "else", "nothing"]
)
def test_who_answers_nonsense_has_not_answered(data: bytes) -> None:
    dht = node(contacts=1)
    dht.find_closest(KEY, 0.0)
    (request,) = requests(dht)
    dht.receive_response(request.number, data, 0.0)
    assert result(dht).closest == ()
    assert dht.table.find(request.peer).strikes == 1


def test_who_answers_is_entered_and_whom_it_named_is_asked() -> None:
    dht = node(contacts=1)
    dht.find_closest(KEY, 0.0)
    (request,) = requests(dht)
    answer(dht, request, closer=[Peer(BOB, (address_of(9),)), Peer(LOCAL, (address_of(1),)), Peer(ALICE)])
    (second,) = requests(dht)
    assert (second.peer, second.addresses) == (BOB, (address_of(9),))
    assert BOB not in dht.table
    answer(dht, second)
    assert BOB in dht.table
    assert result(dht).hops in (1, 2)


def test_a_public_dht_asks_nobody_at_a_private_address() -> None:
    dht = node(contacts=0, scope=Scope.PUBLIC)
    dht.add_server(ALICE, (ADDRESS,), 0.0)
    dht.find_closest(KEY, 0.0)
    (request,) = requests(dht)
    answer(dht, request, closer=[Peer(BOB, (b"\x04\x7f\x00\x00\x01\x06\x0f\xa1",))])
    assert requests(dht) == []
    assert not dht.add_server(BOB, (b"\x04\x0a\x00\x00\x01\x06\x0f\xa1",), 0.0)


def test_a_peer_is_found_when_three_say_where_it_is() -> None:
    dht = node()
    dht.find_peer(BOB, 0.0)
    for number, request in enumerate(requests(dht)[:3]):
        assert events(dht) == []
        answer(dht, request, closer=[Peer(BOB, (address_of(number),))])
    assert result(dht).peer == Peer(BOB, (address_of(0), address_of(1), address_of(2)))


def test_a_peer_nobody_knows_is_not_found() -> None:
    dht = node(contacts=1)
    dht.find_peer(BOB, 0.0)
    answer(dht, requests(dht)[0])
    assert result(dht).peer is None


def test_providers_are_told_as_they_come_and_once() -> None:
    dht = node(contacts=3)
    query = dht.find_providers(KEY, 0.0)
    first, second, third = requests(dht)
    answer(dht, first, providers=[Peer(ALICE)])
    assert events(dht) == [Found(query, providers=(Peer(ALICE),))]
    answer(dht, second, providers=[Peer(ALICE), Peer(BOB, (ADDRESS,))])
    assert events(dht) == [Found(query, providers=(Peer(BOB, (ADDRESS,)),))]
    answer(dht, third, providers=[Peer(ALICE, (ADDRESS,))])
    assert events(dht)[0] == Found(query, providers=(Peer(ALICE, (ADDRESS,)),))


def test_of_providers_without_end_only_so_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zwerm.libp2p.kad.dht.MAX_PROVIDERS", 1)
    dht = node(contacts=3)
    query = dht.find_providers(KEY, 0.0)
    first, second, _ = requests(dht)
    answer(dht, first, providers=[Peer(ALICE), Peer(BOB)])
    answer(dht, second, providers=[Peer(BOB)])
    assert events(dht) == [Found(query, providers=(Peer(ALICE),))]


def test_enough_providers_end_the_walk() -> None:
    dht = node()
    dht.find_providers(KEY, 0.0, count=1)
    answer(dht, requests(dht)[0], providers=[Peer(ALICE)])
    assert result(dht).asked == 5
    assert dht.queries == 0


def test_providers_that_we_store_ourselves_count() -> None:
    dht = node(contacts=0)
    dht.receive_request(ALICE, Message(MessageType.ADD_PROVIDER, KEY, providers=[Peer(ALICE)]).serialize(), 0.0)
    dht.find_providers(KEY, 0.0)
    assert events(dht)[0] == Found(1, providers=(Peer(ALICE),))


def test_the_best_of_a_quorum_is_told_and_the_others_are_corrected() -> None:
    dht = node(contacts=4)
    query = dht.find_value(b"/n/a", 0.0, quorum=3)
    old, new, bad, last = requests(dht)
    answer(dht, old, record=Record(b"/n/a", b"1"))
    answer(dht, new, record=Record(b"/n/a", b"2"))
    answer(dht, bad, record=Record(b"/n/a", b"not a number"))
    assert events(dht) == [Found(query, value=b"1"), Found(query, value=b"2")]
    answer(dht, last, record=Record(b"/n/a", b"1"))
    assert result(dht).value == b"2"
    corrections = requests(dht)
    assert {request.peer for request in corrections} == {old.peer, bad.peer, last.peer}
    assert all(Message.parse(request.data).record == Record(b"/n/a", b"2") for request in corrections)
    for request in corrections:
        dht.receive_response(request.number, request.data, 0.0)
    assert dht.queries == 0


def test_a_record_of_another_key_is_none() -> None:
    dht = node(contacts=1)
    dht.find_value(b"/n/a", 0.0)
    answer(dht, requests(dht)[0], record=Record(b"/n/b", b"1"))
    assert result(dht).value is None
    assert requests(dht) == []


def test_our_own_record_counts() -> None:
    dht = node(contacts=0)
    dht.put_value(b"/n/a", b"5", 0.0)
    dht.find_value(b"/n/a", 0.0, quorum=1)
    assert [event.value for event in events(dht) if isinstance(event, Result)] == [None, b"5"]


def test_putting_stores_at_all_that_answered_and_counts_those_who_took_it() -> None:
    dht = node(contacts=3)
    dht.put_value(b"/n/a", b"5", 0.0)
    for request in requests(dht):
        answer(dht, request)
    puts = requests(dht)
    assert [Message.parse(put.data).type for put in puts] == [MessageType.PUT_VALUE] * 3
    dht.receive_failure(puts[0].number, "reset", 0.0)
    for put in puts[1:]:
        assert events(dht) == []
        dht.receive_response(put.number, put.data, 0.0)
    assert result(dht).stored == 2


@pytest.mark.parametrize(("value", "error"), [(b"x", WireError), (b"1", OlderRecord)])
def test_what_others_would_refuse_is_not_put(value: bytes, error: type[Exception]) -> None:
    dht = node()
    dht.put_value(b"/n/a", b"5", 0.0)
    with pytest.raises(error):
        dht.put_value(b"/n/a", value, 0.0)


def test_providing_names_us_with_our_addresses() -> None:
    dht = node(contacts=2)
    dht.provide(KEY, 0.0)
    for request in requests(dht):
        answer(dht, request)
    adds = requests(dht)
    assert [add.is_answered for add in adds] == [False, False]
    assert Message.parse(adds[0].data).providers == [Peer(LOCAL, (ADDRESS,))]
    for add in adds:
        dht.receive_response(add.number, b"", 0.0)
    assert result(dht).stored == 2


def test_a_cancelled_query_tells_nothing() -> None:
    dht = node()
    query = dht.find_closest(KEY, 0.0)
    under_way = requests(dht)
    dht.cancel(query)
    dht.cancel(query)
    for request in under_way:
        answer(dht, request)
    assert events(dht) == []
    assert dht.queries == 0


def test_queries_have_a_limit() -> None:
    dht = node(max_queries=2)
    dht.find_closest(KEY, 0.0)
    dht.find_closest(KEY, 0.0)
    with pytest.raises(ResourceLimitError, match="3 DHT queries under way, the limit is 2"):
        dht.find_closest(KEY, 0.0)


def test_refreshing_probes_the_silent_looks_up_every_bucket_and_ourselves() -> None:
    dht = node(contacts=40)
    now = CONFIG.probe_after + 1.0
    dht.start_refreshing(now)
    looked_up, silent = set(), next(iter(dht.table)).node.peer
    for _ in range(500):
        if not (under_way := requests(dht, now)):
            break
        for request in under_way:
            looked_up.add(Message.parse(request.data).key)
            if request.peer == silent:
                dht.receive_failure(request.number, "gone", now)
            else:
                answer(dht, request, now)
    assert LOCAL.multihash in looked_up
    assert len(looked_up) == len(dht.table.bucket_sizes) + 1
    assert silent not in dht.table
    assert events(dht) == []
    while dht.next_timeout() < now + CONFIG.refresh_interval:
        dht.handle_timeout(dht.next_timeout())  # what was armed for requests that have long been answered
    assert dht.next_timeout() == now + CONFIG.refresh_interval


def test_a_node_without_contacts_refreshes_when_it_has_some() -> None:
    dht = node(contacts=0)
    dht.start_refreshing(0.0)
    assert requests(dht) == []
    dht.add_server(ALICE, (ADDRESS,), 1.0)
    dht.handle_timeout(CONFIG.refresh_interval)
    assert requests(dht, CONFIG.refresh_interval) != []


class OverDatagrams:
    """The machine as one of datagrams: the first byte says whether a request or the answer to the oldest one comes."""

    def __init__(self, random: Random, now: Instant) -> None:
        self.dht = Dht(LOCAL, KadConfig(scope=Scope.ANY), random=random, validators=VALIDATORS)
        for number in range(8):
            self.dht.add_server(peer_of(seeded(number)), (address_of(number),), now)
        self.dht.start_refreshing(now)
        self.dht.find_providers(KEY, now)
        self.now = now
        self.numbers: list[int] = []
        self.answers: list[Transmit] = []

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        self.now = now
        if data[:1] == b"a" and self.numbers:
            self.dht.receive_response(self.numbers.pop(0), data[1:], now)
            return True
        try:
            answer = self.dht.receive_request(ALICE, data[1:], now)
        except (RemoteProtocolError, ResourceLimitError):
            return False
        if answer and len(self.answers) < 64:
            self.answers.append(Transmit(answer, source))
        return True

    def handle_timeout(self, now: Instant) -> None:
        self.now = now
        self.dht.handle_timeout(now)

    def next_transmit(self) -> Transmit | None:
        if self.answers:
            return self.answers.pop(0)
        request = self.dht.next_request(self.now)
        if request is None:
            return None
        self.numbers.append(request.number)
        return Transmit(request.data, ("192.0.2.1", 4001))

    def next_event(self) -> Event | None:
        return self.dht.next_event()

    def next_timeout(self) -> Instant | None:
        return self.dht.next_timeout()


def test_it_keeps_the_laws_of_machines() -> None:
    named = [Peer(peer_of(seeded(number)), (address_of(number),)) for number in range(6, 14)]
    messages = [
        Message(MessageType.FIND_NODE, KEY, closer=named),
        Message(MessageType.GET_PROVIDERS, KEY, closer=named, providers=named[:2]),
        Message(MessageType.ADD_PROVIDER, KEY, providers=[Peer(ALICE, (ADDRESS,))]),
        Message(MessageType.PUT_VALUE, b"/n/a", Record(b"/n/a", b"3")),
        Message(MessageType.PING),
    ]
    valid = [prefix + message.serialize() for prefix in (b"a", b"r") for message in messages]
    check_machine(Subject(make=lambda now, random: OverDatagrams(random, now), valid=valid))
