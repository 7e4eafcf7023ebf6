"""RFC 4787 as a table: for each kind of translator, what a peer sees and who may answer."""

import itertools

import pytest

from tests.sim.nat import (
    ALL_KINDS,
    FULL_CONE,
    PORT_RESTRICTED_CONE,
    RESTRICTED_CONE,
    SYMMETRIC,
    Behaviour,
    Nat,
    NatKind,
    PortChoice,
)

INSIDE = ("192.168.0.2", 5_000)
SERVER = ("198.51.100.1", 3_478)
SAME_HOST = ("198.51.100.1", 9_999)
OTHER = ("198.51.100.2", 3_478)
OUTSIDE = "203.0.113.1"

EI, AD, APD = Behaviour


def nat(kind: NatKind = PORT_RESTRICTED_CONE, **options) -> Nat:
    return Nat((OUTSIDE,), kind, **options)


@pytest.mark.parametrize(
    ("mapping", "same_for_port", "same_for_host"),
    [(EI, True, True), (AD, True, False), (APD, False, False)],
    ids=lambda value: value.name if isinstance(value, Behaviour) else None,
)
def test_mapping_decides_which_peers_see_one_port(mapping: Behaviour, same_for_port: bool, same_for_host: bool) -> None:
    """Section 4.1."""
    box = nat(NatKind(mapping))
    first = box.outbound(INSIDE, SERVER, 0.0)
    assert box.outbound(INSIDE, SERVER, 1.0) == first
    assert (box.outbound(INSIDE, SAME_HOST, 1.0) == first) == same_for_port
    assert (box.outbound(INSIDE, OTHER, 1.0) == first) == same_for_host


@pytest.mark.parametrize(
    ("filtering", "same_host_may", "other_may"),
    [(EI, True, True), (AD, True, False), (APD, False, False)],
    ids=lambda value: value.name if isinstance(value, Behaviour) else None,
)
def test_filtering_decides_who_may_answer(filtering: Behaviour, same_host_may: bool, other_may: bool) -> None:
    """Section 5."""
    box = nat(NatKind(filtering=filtering))
    outside = box.outbound(INSIDE, SERVER, 0.0)
    assert outside is not None
    assert box.inbound(SERVER, outside, 1.0) == INSIDE
    assert (box.inbound(SAME_HOST, outside, 1.0) == INSIDE) == same_host_may
    assert (box.inbound(OTHER, outside, 1.0) == INSIDE) == other_may


@pytest.mark.parametrize("name", ALL_KINDS)
def test_in_every_kind_an_answer_comes_back_and_a_stranger_to_the_port_does_not(name: str) -> None:
    box = nat(ALL_KINDS[name])
    outside = box.outbound(INSIDE, SERVER, 0.0)
    assert outside is not None
    assert box.inbound(SERVER, outside, 0.1) == INSIDE
    assert box.inbound(SERVER, (OUTSIDE, outside[1] + 1), 0.1) is None


def test_there_are_nine_kinds_and_the_old_names_are_among_them() -> None:
    assert len(ALL_KINDS) == 9
    shapes = {(kind.mapping, kind.filtering) for kind in ALL_KINDS.values()}
    for kind in (FULL_CONE, RESTRICTED_CONE, PORT_RESTRICTED_CONE, SYMMETRIC):
        assert (kind.mapping, kind.filtering) in shapes


def test_two_hosts_inside_with_one_port_get_two_outside() -> None:
    box = nat()
    first = box.outbound(INSIDE, SERVER, 0.0)
    second = box.outbound(("192.168.0.3", INSIDE[1]), SERVER, 0.0)
    assert first == (OUTSIDE, INSIDE[1])  # preserved
    assert second is not None
    assert second != first


def test_ports_are_chosen_as_the_kind_says() -> None:
    """Section 4.2.1."""
    peers = [("198.51.100.9", port) for port in range(1, 6)]

    def ports(choice: PortChoice) -> list[int]:
        box = nat(NatKind(mapping=APD, ports=choice))
        mapped = [box.outbound(INSIDE, peer, 0.0) for peer in peers]
        return [address[1] for address in mapped if address is not None]

    assert ports(PortChoice.PRESERVE)[0] == INSIDE[1]
    assert all(after == before + 1 for before, after in itertools.pairwise(ports(PortChoice.SEQUENTIAL)))
    assert len({after - before for before, after in itertools.pairwise(ports(PortChoice.RANDOM))}) > 1


def test_random_ports_repeat_with_the_seed() -> None:
    assert nat(SYMMETRIC, seed=1).outbound(INSIDE, SERVER, 0.0) == nat(SYMMETRIC, seed=1).outbound(INSIDE, SERVER, 0.0)
    assert nat(SYMMETRIC, seed=1).outbound(INSIDE, SERVER, 0.0) != nat(SYMMETRIC, seed=2).outbound(INSIDE, SERVER, 0.0)


def test_a_silent_mapping_dies_and_traffic_keeps_it() -> None:
    """Section 4.3, REQ-5 and REQ-6."""
    box = nat(NatKind(timeout=120.0))
    outside = box.outbound(INSIDE, SERVER, 0.0)
    assert outside is not None
    assert box.inbound(SERVER, outside, 119.0) == INSIDE
    assert box.inbound(SERVER, outside, 238.0) == INSIDE
    assert box.inbound(SERVER, outside, 358.0) is None
    assert box.outbound(INSIDE, OTHER, 359.0) is not None
    assert box.inbound(SERVER, outside, 359.0) is None  # a new mapping forgets whom the old one let in


def test_where_only_what_goes_out_refreshes_an_answer_does_not() -> None:
    box = nat(NatKind(timeout=120.0, inbound_refreshes=False))
    outside = box.outbound(INSIDE, SERVER, 0.0)
    assert outside is not None
    assert box.inbound(SERVER, outside, 119.0) == INSIDE
    assert box.inbound(SERVER, outside, 120.0) is None


def test_a_reboot_forgets_everything() -> None:
    box = nat()
    outside = box.outbound(INSIDE, SERVER, 0.0)
    assert outside is not None
    box.forget()
    assert box.inbound(SERVER, outside, 0.1) is None


def test_a_host_keeps_one_of_several_outside_addresses() -> None:
    """REQ-2: paired."""
    box = Nat(("203.0.113.1", "203.0.113.2"), NatKind(mapping=APD))
    for host, address in (("192.168.0.2", "203.0.113.1"), ("192.168.0.3", "203.0.113.2")):
        mapped = [box.outbound((host, 5_000), ("198.51.100.1", port), 0.0) for port in (1, 2, 3)]
        assert {outside[0] for outside in mapped if outside} == {address}


@pytest.mark.parametrize("choice", PortChoice)
def test_when_every_port_is_taken_the_next_gets_none_until_one_dies(choice: PortChoice) -> None:
    box = nat(NatKind(mapping=APD, ports=choice, timeout=120.0), ports=range(5_000, 5_008))
    mapped = [box.outbound(INSIDE, ("198.51.100.1", port), float(port)) for port in range(9)]
    assert sorted(address[1] for address in mapped[:8] if address) == list(range(5_000, 5_008))
    assert mapped[8] is None
    assert box.outbound(INSIDE, OTHER, 119.0) is None
    assert box.outbound(INSIDE, OTHER, 120.0) == mapped[0]
    assert mapped[0] is not None
    assert box.inbound(("198.51.100.1", 0), mapped[0], 120.0) is None  # it was let in by the mapping that died
