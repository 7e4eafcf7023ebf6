"""Data that goes from one worker process to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.turn.network import PEER, SERVER, config
from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.allocation import Allocation, Relay
from zwerm.webrtc.turn.server.config import FiveTuple
from zwerm.webrtc.turn.server.handover import Handover, share_of, worker_of
from zwerm.webrtc.turn.server.relaying import Relaying

PORTS = range(50_000, 50_100)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_it_comes_out_as_it_went_in(host: str) -> None:
    handover = Handover((host, 50_000), (host, 50_002), 2, b"aabbc")
    assert Handover.parse(handover.serialize()) == handover
    assert handover.payloads() == [b"aa", b"bb", b"c"]
    assert handover._replace(segment_size=0, data=b"").payloads() == [b""]


@given(st.binary(max_size=64))
def test_anything_else_is_refused(data: bytes) -> None:
    try:
        Handover.parse(data).payloads()
    except WireError:
        return


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 64])
def test_every_port_belongs_to_one_worker(workers: int) -> None:
    shares = [share_of(PORTS, number, workers) for number in range(workers)]
    assert [port for share in shares for port in share] == list(PORTS)
    for number, share in enumerate(shares):
        assert {worker_of(port, PORTS, workers) for port in share} == {number}
    assert worker_of(49_999, PORTS, workers) is None


def relaying(port: int) -> tuple[Relaying, Allocation]:
    relay = Relay((SERVER[0], port), (SERVER[0], port))
    client = FiveTuple(Transport.UDP, ("192.0.2.1", port), SERVER)
    mine = Allocation(client, "alice", "alice", {IPV4: relay}, bytes(12), b"", 600.0, 0.0, None)
    made = Relaying((SERVER[0],), None, seeded("handover"), PORTS)
    made.add(mine)
    return made, mine


def test_two_clients_of_different_workers_meet() -> None:
    (one, alice), (other, bob) = relaying(50_000), relaying(50_050)
    bob.bind(0x4000, (SERVER[0], 50_000), 0.0, config())
    one.to_peer(alice, alice.relays[IPV4], (SERVER[0], 50_050), [b"aa", b"bb", b"c"], 1.0)
    assert not one.transmits
    (handover,) = one.handovers
    other.receive_handover(Handover.parse(handover.serialize()), 1.0)
    (transmit,) = other.transmits
    assert transmit.destination == bob.client.source
    assert [data[4:] for data in transmit.datagrams()] == [b"aa", b"bb", b"c"]


def test_a_port_of_this_host_that_no_worker_has_is_not_sent_to() -> None:
    one, alice = relaying(50_000)
    one.to_peer(alice, alice.relays[IPV4], (SERVER[0], 22), [b"x"], 1.0)
    assert not one.transmits
    assert not one.handovers
    one.receive_handover(Handover(PEER, (SERVER[0], 50_099), 1, b"x"), 1.0)
    assert not one.transmits
    assert one.traffic.dropped_unknown == 2
