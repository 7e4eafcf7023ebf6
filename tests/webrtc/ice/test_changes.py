"""The agent as a whole: how two of them restart, and follow a network that changes (RFC 8445 section 9, 7675)."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.nat import PORT_RESTRICTED_CONE, SYMMETRIC, Nat
from tests.sim.network import Wan
from tests.webrtc.ice.small_turn import SmallTurnServer
from tests.webrtc.ice.two import OLD, Two
from tests.webrtc.ice.world import Peer, Signaling, run_until
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import drain
from zwerm.webrtc.ice.config import Config, Role, StunServer
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import (
    ConnectionState,
    RestartNeeded,
)

# Restart.


def test_a_restart_under_traffic_loses_nothing_and_moves_to_the_new_generation() -> None:
    """Section 9: the old pair carries data until the new one is ready."""
    two = Two()
    two.connect()
    two.clock.run_for(1.0)
    old = two.left.agent.local_credentials
    for step in range(400):
        if step == 100:
            two.left.do(two.left.agent.restart)
            two.signaling.offer_answer()
        assert two.left.send(b"l%d" % step)
        assert two.right.send(b"r%d" % step)
        two.clock.run_for(0.005)
    two.clock.run_for(1.0)
    assert two.right.data == [b"l%d" % step for step in range(400)]
    assert two.left.data == [b"r%d" % step for step in range(400)]
    assert two.left.agent.local_credentials != old
    assert two.right.agent.remote_credentials == two.left.agent.local_credentials
    assert not {ConnectionState.DISCONNECTED, ConnectionState.FAILED} & set(two.left.states() + two.right.states())
    two.clock.run_for(30.0)
    assert two.are_connected


def test_the_other_sides_new_credentials_are_a_restart_of_ours_too() -> None:
    two = Two()
    two.connect()
    before = two.right.agent.local_credentials
    two.left.do(two.left.agent.restart)
    two.signaling.describe(two.left, two.right)
    two.clock.run_for(0.1)
    assert two.right.agent.local_credentials != before
    assert two.exchange()  # over the old pair: the answer is not here yet
    two.signaling.describe(two.right, two.left)
    two.clock.run_for(1.0)
    assert two.exchange()


def test_a_restart_that_is_taken_back_changes_nothing_and_may_come_again() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(1.0)
    before = two.left.agent.local_credentials
    assert two.left.do(two.left.agent.undo_restart) is False
    signaled = Credentials.random(Random(1))
    assert two.left.do(two.left.agent.restart, credentials=signaled) == signaled
    two.clock.run_for(0.5)
    assert two.left.do(two.left.agent.undo_restart) is True
    assert two.left.agent.local_credentials == before
    two.clock.run_for(40.0)  # consent goes on
    assert two.are_connected
    assert two.exchange()
    two.left.do(two.left.agent.restart)
    two.signaling.offer_answer()
    two.clock.run_for(5.0)
    assert two.are_connected
    assert two.right.agent.remote_credentials == two.left.agent.local_credentials != before
    assert two.left.do(two.left.agent.undo_restart) is False


def test_a_restart_after_failure_connects_again() -> None:
    two = Two()
    two.connect()
    two.hosts[1].interface.cut()
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 60.0)
    two.hosts[1].interface.mend()
    two.left.do(two.left.agent.restart)
    two.signaling.offer_answer()
    run_until(two.clock, lambda: two.are_connected, 5.0)
    assert two.exchange()


def test_restarts_one_after_the_other_end_in_one_generation() -> None:
    two = Two()
    two.connect()
    for _ in range(5):
        two.left.do(two.left.agent.restart)
        two.signaling.offer_answer()
        two.clock.run_for(0.022)
    two.clock.run_for(10.0)
    assert two.are_connected
    assert two.right.agent.remote_credentials == two.left.agent.local_credentials
    assert two.exchange()


# Changes of the network.


def behind_nat(kind=PORT_RESTRICTED_CONE):
    clock = VirtualClock()
    wan = Wan(clock)
    server = SmallTurnServer(wan.host("198.51.100.10"))
    config = Config(stun_servers=(StunServer(server.socket.address),))
    nat = Nat(("203.0.113.1",), kind, seed=1)
    inside = wan.lan(nat).host("192.168.1.2")
    outside = wan.host("203.0.113.2")
    return clock, wan, nat, inside, outside, config


@pytest.mark.parametrize("moving", Role, ids=lambda role: role.value)
@pytest.mark.parametrize("config", [Config(), OLD], ids=["renomination", "regular"])
def test_a_translator_that_forgets_is_survived_without_a_restart(moving: Role, config: Config) -> None:
    """NAT rebinding: the other side learns a peer-reflexive candidate and switches to it."""
    clock, _, nat, inside, outside, servers = behind_nat(SYMMETRIC)
    config = dataclasses.replace(servers, renomination=config.renomination)
    left = Peer(clock, [inside], moving, config, name="inside")
    right = Peer(clock, [outside], moving.other, config, name="outside")
    Signaling(left, right).offer_answer()
    run_until(clock, lambda: left.is_connected and right.is_connected, 5.0)
    clock.run_for(3.0)
    before = right.agent.selected_pair
    nat.forget()
    clock.run_for(12.0)
    after = right.agent.selected_pair
    assert before is not None
    assert after is not None
    assert before.remote_address != after.remote_address
    assert after.remote.type == "prflx"
    left.send(b"from inside")
    right.send(b"from outside")
    clock.run_for(0.5)
    assert (left.data, right.data) == ([b"from outside"], [b"from inside"])
    assert ConnectionState.FAILED not in left.states() + right.states()


@pytest.mark.parametrize("moving", Role, ids=lambda role: role.value)
def test_a_new_address_takes_over_from_one_that_is_gone(moving: Role) -> None:
    """From Wi-Fi to cellular: no signaling is needed, the checks themselves tell the other side."""
    clock = VirtualClock()
    wan = Wan(clock)
    left = Peer(clock, [wan.host("192.0.2.1")], moving, name="left")
    right = Peer(clock, [wan.host("192.0.2.2")], moving.other, name="right")
    Signaling(left, right).offer_answer()
    run_until(clock, lambda: left.is_connected and right.is_connected, 5.0)
    clock.run_for(2.0)
    wifi = next(iter(left.sockets))
    left.signal = lambda event: None  # the server is out of reach
    cellular = left.add_host(wan.host("192.0.2.99"))
    left.remove_host(wifi)
    clock.run_for(12.0)
    assert left.is_connected
    assert right.is_connected
    for peer, end in ((left, "local_address"), (right, "remote_address")):
        pair = peer.agent.selected_pair
        assert pair is not None
        assert getattr(pair, end) == cellular
    left.send(b"from left")
    right.send(b"from right")
    clock.run_for(0.5)
    assert (left.data, right.data) == ([b"from right"], [b"from left"])


def test_the_last_address_gone_asks_for_a_restart() -> None:
    two = Two()
    two.connect()
    two.left.remove_host(next(iter(two.left.sockets)))
    assert [event.reason for event in two.left.told(RestartNeeded)] == ["the local address 192.0.2.1 is gone"]
    assert not two.left.send(b"nowhere to go")


def test_an_address_that_is_added_late_is_gathered_on_and_signaled() -> None:
    two = Two()
    two.connect()
    count = len(two.left.gathered)
    two.left.add_host(two.wan.host("192.0.2.50"))
    assert [candidate.address for candidate in two.left.gathered[count:]] == ["192.0.2.50"]


def test_a_run_of_datagrams_leaves_in_one_piece_and_counts_each() -> None:
    two = Two()
    two.connect()
    agent = two.left.agent
    before = agent.statistics()
    assert agent.send(bytes(2_500), two.clock.now, segment_size=1_000)
    (transmit,) = drain(agent).transmits
    assert (len(transmit.data), transmit.segment_size) == (2_500, 1_000)
    sent = [sum(pair.counters.packets_sent for pair in statistics.pairs) for statistics in (before, agent.statistics())]
    assert sent[1] - sent[0] == 3
    for size in (0, 70_000):
        with pytest.raises(LocalProtocolError):
            agent.send(bytes(size), two.clock.now, segment_size=size or None)
