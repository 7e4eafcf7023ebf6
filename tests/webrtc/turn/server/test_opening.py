"""Ports on their way: chosen, tried, kept, given up."""

from tests.webrtc.turn.network import SERVER, config
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.attributes import REQUESTED_TRANSPORT
from zwerm.webrtc.stun.integrity import Integrity
from zwerm.webrtc.stun.message import Method, request
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.authenticator import Authenticated
from zwerm.webrtc.turn.server.config import FiveTuple
from zwerm.webrtc.turn.server.opening import MAX_TRIES, CloseRelay, Opening, Openings, OpenRelay, Wishes

REQUEST = request(Method.ALLOCATE, bytes(12), REQUESTED_TRANSPORT(17))
ALICE = Authenticated("alice", b"key", Integrity.SHA256)


def opening(number: int = 1, wishes: Wishes | None = None) -> Opening:
    client = FiveTuple(Transport.UDP, ("192.0.2.1", number), SERVER)
    return Opening(client, REQUEST, ALICE, "alice", wishes or Wishes((IPV4,)))


def openings(ports: range = range(50_000, 50_010)) -> Openings:
    return Openings(config(ports=ports), seeded("openings"))


def events(table: Openings) -> list[OpenRelay | CloseRelay]:
    return list(iter(table.next_event, None))


def test_a_socket_is_asked_for_and_counted_in() -> None:
    table, mine = openings(), opening()
    assert table.start(mine, 0.0) is None
    assert table.is_under_way(mine.client)
    (event,) = events(table)
    assert isinstance(event, OpenRelay)
    assert table.opened(event.local, 0.0) is mine
    assert mine.relays[IPV4].local == event.local
    assert table.count == 0


def test_after_so_many_ports_it_is_given_up_and_nothing_is_held() -> None:
    table, mine = openings(), opening()
    table.start(mine, 0.0)
    for attempt in range(1, MAX_TRIES + 1):
        (event,) = events(table)
        assert table.failed(event.local) is (mine if attempt == MAX_TRIES else None)
    assert table.count == 0
    assert table._in_use == set()


def test_no_port_is_asked_for_twice() -> None:
    table = openings(range(50_000, 50_004))
    for number in range(5):
        table.start(opening(number), 0.0)
    locals_ = [event.local for event in events(table)]
    assert len(locals_) == len(set(locals_)) == 4
    assert table.count == 4


def test_an_even_port_that_fails_closes_its_neighbour() -> None:
    table, mine = openings(), opening(wishes=Wishes((IPV4,), is_even=True, reserves_next=True))
    table.start(mine, 0.0)
    even, odd = events(table)
    assert (even.local[1] % 2, odd.local[1]) == (0, even.local[1] + 1)
    assert table.opened(odd.local, 0.0) is None
    assert table.failed(even.local) is None
    assert events(table)[0] == CloseRelay(odd.local)


def test_what_opens_after_everybody_left_is_closed() -> None:
    table, mine = openings(), opening()
    table.start(mine, 0.0)
    (event,) = events(table)
    assert table.abandon(mine.client) is mine
    assert table.abandon(mine.client) is None
    assert table.opened(event.local, 0.0) is None
    assert events(table) == [CloseRelay(event.local)]
