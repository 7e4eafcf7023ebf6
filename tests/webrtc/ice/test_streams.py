"""ICE-TCP (RFC 6544): connections opened and accepted, packets framed (RFC 4571), and what a broken one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.webrtc.ice.world import Air, Peer, Signaling, run_until
from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.events import CloseStream, OpenStream, SendStream
from zwerm.webrtc.ice.pair import Base, BaseKind
from zwerm.webrtc.ice.streams import Deframer, Streams, frame


class TcpOnly:
    """Two hosts between which no UDP passes; only the second can be connected to."""

    def __init__(self, *, roles: tuple[Role, Role] = (Role.CONTROLLING, Role.CONTROLLED), config: Config | None = None):
        self.clock = VirtualClock()
        self.air = Air(self.clock)
        wan = Wan(self.clock)
        hosts = [wan.host("192.0.2.1"), wan.host("192.0.2.2")]
        for host in hosts:
            host.interface.cut()
        self.left = Peer(self.clock, hosts[:1], roles[0], config, name="left", air=self.air)
        self.right = Peer(self.clock, hosts[1:], roles[1], name="right", air=self.air)
        self.left.add_tcp(hosts[0], 9, TcpType.ACTIVE)
        self.right.add_tcp(hosts[1], 5_000, TcpType.PASSIVE)
        self.signaling = Signaling(self.left, self.right)

    def connect(self) -> None:
        self.signaling.offer_answer()
        run_until(self.clock, lambda: self.left.is_connected and self.right.is_connected, 5.0)


@pytest.mark.parametrize("roles", [tuple(Role), tuple(reversed(Role))], ids=["controlling opens", "controlled opens"])
def test_the_active_side_opens_a_connection_and_data_passes_both_ways(roles: tuple[Role, Role]) -> None:
    world = TcpOnly(roles=roles)
    world.connect()
    for number in range(100):
        world.left.send(b"left %d" % number)
        world.right.send(b"right %d" % number)
    world.clock.run_for(1.0)
    assert world.right.data == [b"left %d" % number for number in range(100)]
    assert world.left.data == [b"right %d" % number for number in range(100)]
    assert [str(candidate) for candidate in world.left.gathered if candidate.tcp_type] == [
        "candidate:2 1 tcp 1524629503 192.0.2.1 9 typ host tcptype active"
    ]


def test_a_connection_that_breaks_is_opened_again() -> None:
    world = TcpOnly()
    world.connect()
    world.clock.run_for(1.0)
    (first,) = world.left.told(OpenStream)
    world.left.do(world.left.agent.stream_closed, first.stream)
    other, number = world.air.connections.pop((id(world.left), first.stream))
    other.do(other.agent.stream_closed, number)
    assert not world.left.send(b"lost")
    world.left.do(world.left.agent.restart)
    world.signaling.offer_answer()
    run_until(world.clock, lambda: world.left.is_connected and world.right.is_connected, 5.0)
    world.left.send(b"again")
    world.clock.run_for(1.0)
    assert world.right.data == [b"again"]


def test_closing_the_agent_closes_its_connections() -> None:
    world = TcpOnly()
    world.connect()
    opened = [event.stream for event in world.left.told(OpenStream)]
    world.left.do(world.left.agent.close)
    assert [event.stream for event in world.left.told(CloseStream)] == opened


def test_connections_that_strangers_open_are_limited() -> None:
    world = TcpOnly()
    agent = world.right.agent
    numbers = [agent.stream_accepted(("192.0.2.2", 5_000), ("203.0.113.1", port), 0.0) for port in range(1, 101)]
    assert sum(number is not None for number in numbers) == 32
    first = numbers[0]
    assert first is not None
    agent.stream_closed(first, 0.0)
    assert agent.stream_accepted(("192.0.2.2", 5_000), ("203.0.113.1", 7_777), 0.0) is not None


def test_nobody_is_accepted_where_nothing_listens() -> None:
    world = TcpOnly()
    assert world.left.agent.stream_accepted(("192.0.2.1", 9), ("203.0.113.1", 1), 0.0) is None
    assert world.left.agent.stream_accepted(("192.0.2.9", 9), ("203.0.113.1", 1), 0.0) is None


def test_bytes_of_a_stranger_are_framed_and_not_handed_out() -> None:
    world = TcpOnly()
    agent = world.right.agent
    number = agent.stream_accepted(("192.0.2.2", 5_000), ("203.0.113.1", 1), 0.0)
    assert number is not None
    world.right.do(agent.receive_stream_data, number, frame(b"\x16 not validated") * 50)
    world.right.do(agent.receive_stream_data, 4_711, b"of no connection")
    assert world.right.data == []
    assert world.right.told(SendStream) == []


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.data())
def test_packets_come_out_whole_however_the_stream_is_cut(packets: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, packets))
    deframer, taken = Deframer(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        taken += deframer.receive(stream[:size])
        stream = stream[size:]
    assert taken == packets


def test_an_empty_packet_is_left_out() -> None:
    assert Deframer().receive(b"\x00\x00\x00\x01x\x00\x00") == [b"x"]


def test_numbers_do_not_come_back() -> None:
    streams = Streams(2)
    base = Base(("192.0.2.1", 9), BaseKind.TCP)
    first, second = streams.add(base, ("192.0.2.2", 1)), streams.add(base, ("192.0.2.2", 2))
    assert first is not None
    assert second is not None
    assert streams.add(base, ("192.0.2.2", 3)) is None
    assert streams.remove(first.number) is first
    third = streams.add(base, ("192.0.2.2", 3))
    assert third is not None
    assert third.number not in (first.number, second.number)
    assert len(streams) == len(list(streams)) == 2
