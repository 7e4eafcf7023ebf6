"""Runs of datagrams: what one system call can carry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.turn.network import PEER, SERVER, config
from zwerm.core.machine import Transmit
from zwerm.core.random import seeded
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.attributes import ICMP, XOR_PEER_ADDRESS, Icmp
from zwerm.webrtc.stun.message import Message
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.allocation import Allocation, Relay
from zwerm.webrtc.turn.server.config import FiveTuple
from zwerm.webrtc.turn.server.relaying import MAX_RUN, MAX_SEGMENTS, Relaying, runs


@given(st.lists(st.sampled_from([b"", b"a", b"bb", b"cc", b"ddd"]), max_size=30))
def test_a_run_comes_apart_into_the_datagrams_it_was_made_of(datagrams: list[bytes]) -> None:
    found = [data for run, size in runs(datagrams) for data in Transmit(run, ("192.0.2.1", 1), size).datagrams()]
    assert found == datagrams


def test_runs_are_as_long_as_the_kernel_takes_them() -> None:
    assert [len(data) // 100 for data, _ in runs([bytes(100)] * 150)] == [MAX_SEGMENTS, MAX_SEGMENTS, 22]
    assert all(len(data) <= MAX_RUN for data, _ in runs([bytes(1_400)] * 200))
    assert [size for _, size in runs([bytes(2), bytes(2), bytes(1), bytes(2)])] == [2, None]


@pytest.mark.parametrize(
    ("kind", "peer", "is_told"),
    [(3, PEER, True), (11, PEER, True), (4, PEER, False), (3, ("203.0.113.99", 1), False)],
    ids=["unreachable", "time exceeded", "source quench", "nobody's peer"],
)
def test_a_client_is_told_of_icmp_errors_about_its_peers(kind: int, peer: tuple[str, int], is_told: bool) -> None:
    relay = Relay((SERVER[0], 50_000), (SERVER[0], 50_000))
    client = FiveTuple(Transport.UDP, ("192.0.2.1", 1), SERVER)
    mine = Allocation(client, "alice", "alice", {IPV4: relay}, bytes(12), b"", 600.0, 0.0, None)
    mine.permit([PEER[0]], 0.0, config())
    relaying = Relaying((), None, seeded("icmp"))
    relaying.add(mine)
    relaying.icmp_to_client(relay.local, peer, Icmp(kind, 1, 0), 1.0)
    assert bool(relaying.transmits) is is_told
    if is_told:
        message = Message.parse(relaying.transmits[0].data)
        assert (message.find(XOR_PEER_ADDRESS), message.find(ICMP)) == (peer, Icmp(kind, 1, 0))
    relaying.icmp_to_client(("192.0.2.200", 1), peer, Icmp(kind, 1, 0), 1.0)
    assert len(relaying.transmits) <= 1
