"""Circuit relay v2: who gets a reservation or a circuit, and each limit."""

from __future__ import annotations

import dataclasses

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.relay.message import Limit, Status
from zwerm.libp2p.relay.slots import RelayLimits, Slots

A, B, C, D = (PeerId.of(seeded_key(number).public) for number in range(4))
LIMITS = RelayLimits(reservations=2, reservations_per_address=1, circuits=3, circuits_per_peer=2)


@pytest.fixture
def slots() -> Slots:
    return Slots(LIMITS)


def test_a_circuit_leads_only_to_who_reserved(slots: Slots) -> None:
    assert slots.open_circuit(A, B, 0.0) is Status.NO_RESERVATION
    assert slots.reserve(B, "192.0.2.1", 0.0) is Status.OK
    assert slots.open_circuit(A, B, 1.0) is Status.OK
    assert slots.open_circuit(B, A, 1.0) is Status.NO_RESERVATION


def test_a_reservation_ends_with_its_time_unless_renewed(slots: Slots) -> None:
    slots.reserve(B, "", 0.0)
    slots.reserve(B, "", 3_000.0)
    assert slots.reservations == 1
    assert slots.open_circuit(A, B, 6_599.0) is Status.OK
    assert slots.open_circuit(A, B, 6_600.0) is Status.NO_RESERVATION


def test_a_reservation_ends_with_its_peer(slots: Slots) -> None:
    slots.reserve(B, "", 0.0)
    slots.release(B)
    slots.release(B)
    assert slots.open_circuit(A, B, 0.0) is Status.NO_RESERVATION


def test_reservations_are_limited_in_all_and_expired_ones_make_room(slots: Slots) -> None:
    assert [slots.reserve(peer, "", 0.0) for peer in (A, B, C)] == [Status.OK, Status.OK, Status.RESERVATION_REFUSED]
    assert slots.reserve(A, "", 10.0) is Status.OK, "who is in may renew"
    assert slots.reserve(C, "", 3_600.0) is Status.OK


def test_reservations_are_limited_for_each_address(slots: Slots) -> None:
    assert slots.reserve(A, "192.0.2.1", 0.0) is Status.OK
    assert slots.reserve(B, "192.0.2.1", 0.0) is Status.RESERVATION_REFUSED
    assert slots.reserve(B, "192.0.2.2", 0.0) is Status.OK


def test_circuits_are_limited_for_who_opens_them_for_whom_they_reach_and_in_all(slots: Slots) -> None:
    slots.reserve(C, "", 0.0)
    slots.reserve(D, "", 0.0)
    assert [slots.open_circuit(A, C, 0.0), slots.open_circuit(A, D, 0.0)] == [Status.OK, Status.OK]
    assert slots.open_circuit(A, C, 0.0) is Status.RESOURCE_LIMIT_EXCEEDED, "opened"
    assert slots.open_circuit(B, C, 0.0) is Status.OK
    assert slots.circuits == 3
    assert slots.open_circuit(B, D, 0.0) is Status.RESOURCE_LIMIT_EXCEEDED, "in all"
    slots.close_circuit(A, D)
    assert slots.open_circuit(B, C, 0.0) is Status.RESOURCE_LIMIT_EXCEEDED, "reached"
    assert slots.open_circuit(B, D, 0.0) is Status.OK


def test_what_is_told_about_limits_is_nothing_when_there_are_none() -> None:
    assert RelayLimits().circuit == Limit(120, 131_072)
    assert dataclasses.replace(RelayLimits(), circuit_time=0.0, circuit_data=0).circuit is None
