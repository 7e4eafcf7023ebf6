"""A mapping is asked for, renewed, moved and removed; the times are those of the RFCs."""

from __future__ import annotations

import struct

import pytest

from tests.conformance.check_machine import PEER, Subject, check_machine
from zwerm.core.machine import Transmit
from zwerm.core.random import seeded
from zwerm.net.mapping.client import AGAIN, LEAST_LIFETIME, Mapped, PortMapping, Unmapped
from zwerm.net.mapping.message import PORT, Transport

GATEWAY = ("192.0.2.1", PORT)
OUTSIDE = "203.0.113.7"


def mapping(now: float = 0.0) -> PortMapping:
    return PortMapping(Transport.TCP, 4_001, gateway=GATEWAY[0], client="192.0.2.10", now=now, random=seeded("mapping"))


def sent(machine: PortMapping) -> list[bytes]:
    found = []
    while (transmit := machine.next_transmit()) is not None:
        found.append(transmit.data)
    return found


def pcp_answer(request: bytes, *, result: int = 0, lifetime: int = 7_200, port: int = 5_000) -> bytes:
    head = struct.pack("!BBxBI", 2, 0x81, result, lifetime) + bytes(16)
    return head + request[24:42] + struct.pack("!H", port) + bytes.fromhex("00000000000000000000ffff cb007107")


def test_a_mapping_is_there_once_the_gateway_says_so_and_renewed_at_half_its_life() -> None:
    machine = mapping()
    (request,) = sent(machine)
    assert machine.receive_datagram(pcp_answer(request, lifetime=600), GATEWAY, 0.1)
    assert machine.next_event() == Mapped(OUTSIDE, 5_000)
    assert machine.next_timeout() == 300.1
    machine.handle_timeout(300.1)
    (again,) = sent(machine)
    assert again[42:44] == struct.pack("!H", 5_000)  # the same port as before is suggested
    assert again[24:36] == request[24:36]  # and the nonce is the same
    machine.receive_datagram(pcp_answer(again), GATEWAY, 300.2)
    assert machine.next_event() is None


def test_a_silent_gateway_is_asked_by_both_protocols_with_doubling_waits_and_then_left_for_a_while() -> None:
    machine, times = mapping(), []
    now = 0.0
    while machine.next_event() is None:
        times += [(now, data[0]) for data in sent(machine) if len(data) > 2]
        now = machine.next_timeout() or 0.0
        machine.handle_timeout(now)
    assert times == [
        (0.0, 2), (0.25, 2), (0.75, 2), (1.75, 2), (3.75, 2), (7.75, 0), (8.0, 0), (8.5, 0), (9.5, 0), (11.5, 0),
    ]  # fmt: skip
    assert machine.next_timeout() == now + AGAIN
    machine.handle_timeout(now + AGAIN)
    assert [data[0] for data in sent(machine)] == [2]


def test_a_box_of_version_0_is_asked_by_nat_pmp() -> None:
    machine = mapping()
    sent(machine)
    assert machine.receive_datagram(bytes.fromhex("0081 0001 00000000"), GATEWAY, 0.1)
    assert [data.hex() for data in sent(machine)] == ["0000", "000200000fa10fa100001c20"]
    machine.receive_datagram(bytes.fromhex("0082 0000 00000001 0fa1 1388 00001c20"), GATEWAY, 0.2)
    assert machine.next_event() is None  # where that is, is not known yet
    machine.receive_datagram(bytes.fromhex("0080 0000 00000001 cb007107"), GATEWAY, 0.3)
    assert machine.next_event() == Mapped(OUTSIDE, 5_000)
    machine.close()
    assert [data.hex() for data in sent(machine)] == ["000200000fa1000000000000"]


def test_closing_removes_what_is_there_and_only_that() -> None:
    machine = mapping()
    (request,) = sent(machine)
    machine.receive_datagram(pcp_answer(request), GATEWAY, 0.1)
    machine.close()
    machine.close()
    (removal,) = sent(machine)
    assert removal[4:8] == bytes(4)
    assert machine.next_timeout() is None
    idle = mapping()
    idle.close()
    assert sent(idle) == []


@pytest.mark.parametrize("result", [2, 8], ids=["not authorized", "no resources"])
def test_a_refusal_is_told_and_tried_again_later(result: int) -> None:
    machine = mapping()
    (request,) = sent(machine)
    machine.receive_datagram(pcp_answer(request, result=result, lifetime=30), GATEWAY, 1.0)
    assert machine.next_event() == Unmapped(f"the gateway refuses by PCP, code {result}")
    assert machine.next_timeout() == 1.0 + AGAIN


def test_a_gateway_cannot_have_itself_asked_all_the_time_nor_be_spoken_for() -> None:
    machine = mapping()
    (request,) = sent(machine)
    assert not machine.receive_datagram(pcp_answer(request), ("192.0.2.66", PORT), 0.1)
    assert not machine.receive_datagram(b"noise", GATEWAY, 0.1)
    machine.receive_datagram(pcp_answer(request, lifetime=1), GATEWAY, 0.1)
    assert machine.next_timeout() == 0.1 + LEAST_LIFETIME / 2


def test_it_keeps_the_laws_of_machines() -> None:
    def answers(transmit: Transmit) -> list[bytes]:
        return [pcp_answer(transmit.data)] if len(transmit.data) == 60 else []

    check_machine(
        Subject(
            lambda now, random: PortMapping(
                Transport.TCP, 4_001, gateway=PEER[0], client="192.0.2.10", now=now, random=random
            ),
            peer=(PEER[0], PORT),
            valid=[bytes.fromhex("0081 0001 00000000"), bytes.fromhex("0080 0000 00000001 cb007107")],
            answers=answers,
        )
    )
