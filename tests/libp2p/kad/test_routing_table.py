"""The routing table: who is let in, who stays, who is nearest."""

from hypothesis import given
from hypothesis import strategies as st

from tests.sim.dht import address_of, peer_of
from zwerm.core.random import seeded
from zwerm.libp2p.kad.key import common_prefix_length, key_of
from zwerm.libp2p.kad.routing_table import Node, RoutingTable

LOCAL = key_of(b"local")


def nodes(count: int, seed: int = 0) -> list[Node]:
    random = seeded(seed, "nodes")
    return [Node(peer_of(random), (address_of(number),)) for number in range(count)]


def bucket_of(node: Node) -> int:
    return common_prefix_length(node.key, LOCAL)


def in_bucket(index: int, count: int) -> list[Node]:
    found = [node for node in nodes(count * 2 ** (index + 3)) if bucket_of(node) == index]
    return found[:count]


def filled(count: int, k: int = 20) -> RoutingTable:
    table = RoutingTable(LOCAL, k=k)
    for node in nodes(count):
        table.add(node, 0.0)
    return table


@given(st.integers(0, 300), st.binary(min_size=1, max_size=8), st.integers(1, 30))
def test_the_nearest_are_the_nearest(count: int, name: bytes, wanted: int) -> None:
    table = filled(count, k=8)
    everybody = sorted((contact.node for contact in table), key=lambda node: node.key ^ key_of(name))
    assert table.closest(key_of(name), wanted) == everybody[:wanted]


def test_a_bucket_holds_k_and_keeps_those_it_has() -> None:
    table = RoutingTable(LOCAL, k=3)
    first, later = in_bucket(1, 6)[:3], in_bucket(1, 6)[3:]
    assert all(table.add(node, 0.0) for node in first)
    assert not any(table.add(node, 1.0) for node in later)
    assert {contact.node for contact in table} == set(first)


def test_one_failure_hides_a_contact_and_an_answer_brings_it_back() -> None:
    table = filled(5)
    node = nodes(5)[0]
    assert not table.strike(node.peer, 1.0)
    assert node.peer not in [near.peer for near in table.closest(node.key, 5)]
    table.add(node, 2.0)
    assert table.closest(node.key, 5)[0].peer == node.peer


def test_the_second_failure_lets_the_newest_candidate_in() -> None:
    table = RoutingTable(LOCAL, k=2)
    stays, goes, waits, newest = in_bucket(0, 4)
    for node in (stays, goes, waits, newest):
        table.add(node, 0.0)
    table.strike(goes.peer, 1.0)
    assert table.strike(goes.peer, 2.0)
    assert {contact.node for contact in table} == {stays, newest}


def test_a_candidate_that_fails_is_no_candidate() -> None:
    table = RoutingTable(LOCAL, k=1)
    here, waits = in_bucket(0, 2)
    table.add(here, 0.0)
    table.add(waits, 0.0)
    table.strike(waits.peer, 1.0)
    table.remove(here.peer, 1.0)
    assert len(table) == 0


def test_candidates_are_at_most_k() -> None:
    table = RoutingTable(LOCAL, k=2)
    many = in_bucket(0, 8)
    for node in many:
        table.add(node, 0.0)
    for node in many:
        table.remove(node.peer, 1.0)
    assert len(table) == 0  # two moved up, and were removed in their turn


def test_we_are_not_our_own_contact() -> None:
    random = seeded("self")
    own = Node(peer_of(random), (address_of(0),))
    assert not RoutingTable(own.key).add(own, 0.0)


def test_who_asks_is_not_told_of_itself() -> None:
    table = filled(3)
    asker = nodes(3)[1]
    told = [node.peer for node in table.closest(asker.key, 3, exclude=(asker.peer,))]
    assert len(told) == 2
    assert asker.peer not in told


def test_silent_contacts_are_stale() -> None:
    table = RoutingTable(LOCAL)
    old, fresh = nodes(2)
    table.add(old, 0.0)
    table.add(fresh, 10.0)
    assert table.stale(5.0) == [old]


def test_one_owner_gets_three_places_and_two_in_a_bucket() -> None:
    table = RoutingTable(LOCAL, per_group=3, per_group_in_bucket=2)
    same = b"\x04\x08\x09\x01\x01\x06\x0f\xa1"
    mine = [Node(node.peer, (same,)) for node in nodes(200)]
    for node in mine:
        table.add(node, 0.0)
    assert len(table) == 3
    assert max(table.bucket_sizes) <= 2
    table.remove(next(iter(table)).node.peer, 1.0)
    assert sum(table.add(node, 2.0) for node in mine if node.peer not in table) <= 1


def test_new_addresses_of_a_full_group_are_not_taken_over() -> None:
    table = RoutingTable(LOCAL, per_group=1, per_group_in_bucket=1)
    first, second = nodes(2)
    table.add(Node(first.peer, (b"\x04\x08\x09\x01\x01",)), 0.0)
    table.add(Node(second.peer, (b"\x04\x08\x0a\x01\x01",)), 0.0)
    assert table.add(Node(second.peer, (b"\x04\x08\x09\x01\x02",)), 1.0)
    contact = table.find(second.peer)
    assert contact is not None
    assert contact.node.addresses == (b"\x04\x08\x0a\x01\x01",)
    assert table.add(Node(second.peer, (b"\x04\x08\x0b\x01\x02",)), 1.0)
    assert contact.node.addresses == (b"\x04\x08\x0b\x01\x02",)
