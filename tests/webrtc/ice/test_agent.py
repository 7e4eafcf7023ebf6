"""The agent as a whole: how two of them connect, keep and lose a path (RFC 8445, 8838, 7675)."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.clock import VirtualClock
from tests.sim.nat import PORT_RESTRICTED_CONE, Nat
from tests.sim.network import Wan
from tests.sim.profile import CELLULAR, CONGESTED, SATELLITE, WIFI, Profile
from tests.webrtc.ice.small_turn import SmallTurnServer
from tests.webrtc.ice.two import OLD, Two
from tests.webrtc.ice.world import CONNECTED, Peer, Signaling, run_until
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config, Role, StunServer
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import (
    ConnectionState,
    ConnectionStateChanged,
    RestartNeeded,
    RoleChanged,
    SelectedPairChanged,
)

# Connecting.


@pytest.mark.parametrize("config", [Config(), OLD], ids=["renomination", "regular"])
def test_two_hosts_of_one_network_connect_in_milliseconds_after_the_answer(config: Config) -> None:
    two = Two(config, config)
    assert two.connect() < 2 * 0.01 + 0.003
    two.clock.run_for(1.0)
    assert two.left.states() == [ConnectionState.CHECKING, ConnectionState.CONNECTED, ConnectionState.COMPLETED]
    assert two.right.states() == two.left.states()
    assert two.left.pair_types == two.right.pair_types == ("host", "host")
    assert two.exchange()


def test_both_sides_select_the_same_pair() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(1.0)
    left, right = two.left.agent.selected_pair, two.right.agent.selected_pair
    assert left is not None
    assert right is not None
    assert (left.local_address, left.remote_address) == (right.remote_address, right.local_address)


@pytest.mark.parametrize(
    "profile", [WIFI, CELLULAR, SATELLITE, CONGESTED], ids=["wifi", "cellular", "sat", "congested"]
)
@pytest.mark.parametrize("seed", range(5))
def test_bad_paths_delay_and_do_not_prevent(profile: Profile, seed: int) -> None:
    two = Two(profile=profile, seed=seed)
    assert two.connect() < 3.0
    two.clock.run_for(60.0)
    assert two.are_connected
    assert ConnectionState.FAILED not in two.left.states() + two.right.states()


@pytest.mark.parametrize("seed", range(10))
def test_checks_that_are_lost_doubled_and_overtaken_still_connect(seed: int) -> None:
    path = Profile(latency=0.02, jitter=0.02, loss=0.3, duplicate=0.3, reorder=0.3, reorder_delay=0.05)
    two = Two(profile=path, seed=seed)
    two.connect()
    two.clock.run_for(5.0)
    assert two.are_connected
    pairs = two.left.agent.selected_pair, two.right.agent.selected_pair
    assert None not in pairs


def test_a_pair_that_is_worse_and_came_first_is_given_up_for_a_better_one() -> None:
    """The reflexive pair works at once, the host pair only later: renomination moves to it."""
    clock = VirtualClock()
    wan = Wan(clock)
    server = SmallTurnServer(wan.host("198.51.100.10"))
    config = Config(stun_servers=(StunServer(server.socket.address),))
    home = wan.lan(Nat(("203.0.113.1",), PORT_RESTRICTED_CONE))
    left = Peer(clock, [home.host("192.168.1.2")], Role.CONTROLLING, config, name="left")
    right = Peer(clock, [home.host("192.168.1.3")], Role.CONTROLLED, config, name="right")
    signaling = Signaling(left, right)
    waiting = []
    left_signal, right_signal = left.signal, right.signal
    left.signal = lambda event: waiting.append((left_signal, event))
    right.signal = lambda event: waiting.append((right_signal, event))
    signaling.offer_answer()
    clock.run_for(0.2)
    for signal, event in waiting:
        if getattr(getattr(event, "candidate", None), "type", "") == "srflx":
            signal(event)
    run_until(clock, lambda: left.is_connected and right.is_connected, 5.0)
    for signal, event in waiting:
        signal(event)
    clock.run_for(2.0)
    for peer in (left, right):
        pair = peer.agent.selected_pair
        assert pair is not None
        assert pair.remote_address[0].startswith("192.168.1.")


# Roles.


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@pytest.mark.parametrize("seed", range(5))
def test_glare_of_roles_is_settled_and_only_one_changes(role: Role, seed: int) -> None:
    """Section 7.3.1.1."""
    two = Two(roles=(role, role), seed=seed)
    two.connect()
    two.clock.run_for(1.0)
    assert two.left.agent.role is not two.right.agent.role
    assert len(two.left.told(RoleChanged)) + len(two.right.told(RoleChanged)) == 1
    assert two.exchange()


# Trickle.


ORDERS = list(itertools.permutations(["credentials", "candidate", "end"]))


@pytest.mark.parametrize("left", ORDERS, ids="-".join)
@pytest.mark.parametrize("right", ORDERS, ids="-".join)
def test_descriptions_candidates_and_their_end_may_come_in_any_order(
    left: tuple[str, ...], right: tuple[str, ...]
) -> None:
    """RFC 8838: a candidate may overtake the description it belongs to."""
    two = Two()
    for peer in (two.left, two.right):
        peer.signal = lambda event: None
        peer.gather()
    sides = [(two.left, two.right, left), (two.right, two.left, right)]
    for place in range(3):
        for source, target, order in sides:
            deliver(source, target, order[place])
            two.clock.run_for(0.05)
    two.clock.run_for(6.0)
    assert two.left.agent.state is two.right.agent.state is ConnectionState.COMPLETED


def deliver(source: Peer, target: Peer, line: str) -> None:
    credentials = source.agent.local_credentials
    match line:
        case "credentials":
            target.do(target.agent.set_remote, credentials, options=source.agent.options)
        case "candidate":
            for candidate in source.gathered:
                target.do(target.agent.add_remote_candidate, candidate, ufrag=credentials.ufrag)
        case "end":
            target.do(target.agent.end_of_candidates, ufrag=credentials.ufrag)


@settings(max_examples=60)
@given(st.data())
def test_candidates_of_several_addresses_may_come_in_any_order_and_twice(data: st.DataObject) -> None:
    clock = VirtualClock()
    wan = Wan(clock)
    peers = []
    for number, role in enumerate(Role):
        hosts = [wan.host(f"192.0.2.{10 * number + index}") for index in (1, 2)]
        hosts.append(wan.host(f"2001:db8::{number}:1"))
        peers.append(Peer(clock, hosts, role, name=role.value, seed=number))
    left, right = peers
    steps = []
    for source, target in ((left, right), (right, left)):
        source.gather()
        steps += [(source, target, index) for index in range(len(source.gathered))] * 2
        steps.append((source, target, -1))
    order = data.draw(st.permutations(steps))
    for source, target, index in order:
        credentials = source.agent.local_credentials
        if index < 0:
            target.do(target.agent.set_remote, credentials)
        else:
            candidate = source.gathered[index]
            target.do(target.agent.add_remote_candidate, candidate, ufrag=credentials.ufrag)
        clock.run_for(data.draw(st.sampled_from([0.0, 0.001, 0.1])))
    run_until(clock, lambda: left.is_connected and right.is_connected, 10.0)
    for peer in peers:
        assert len(peer.agent.statistics().remote_candidates) == 3
    clock.run_for(8.0)
    assert right.agent.state in CONNECTED


def test_a_candidate_of_a_generation_that_is_over_is_dropped() -> None:
    two = Two()
    two.connect()
    old = two.left.agent.local_credentials.ufrag
    two.left.do(two.left.agent.restart)
    two.signaling.offer_answer()
    two.clock.run_for(1.0)
    candidate = Candidate.from_text("candidate:9 1 udp 99 192.0.2.77 5000 typ host")
    assert not two.right.do(two.right.agent.add_remote_candidate, candidate, ufrag=old)


# Failing.


def test_nobody_there_is_called_failed_and_says_why() -> None:
    two = Two()
    two.hosts[1].interface.cut()
    two.signaling.offer_answer()
    two.clock.run_for(20.0)
    assert two.left.states() == [ConnectionState.CHECKING, ConnectionState.FAILED]
    assert "none of 1 pairs works" in two.left.told(ConnectionStateChanged)[-1].cause
    assert two.left.told(RestartNeeded)


def test_a_peer_that_never_ends_its_candidates_is_not_waited_for_for_ever() -> None:
    two = Two(Config(connect_timeout=15.0))
    two.left.gather()
    two.left.do(two.left.agent.set_remote, Credentials("ufrag", "p" * 22))
    two.clock.run_for(14.0)
    assert two.left.agent.state is ConnectionState.CHECKING
    two.clock.run_for(20.0)
    assert two.left.agent.state is ConnectionState.FAILED


def test_checks_that_come_after_failed_still_connect() -> None:
    two = Two()
    two.hosts[1].interface.cut()
    two.signaling.offer_answer()
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 30.0)
    two.hosts[1].interface.mend()
    two.right.do(two.right.agent.restart)
    two.signaling.describe(two.right, two.left)
    two.clock.run_for(0.05)
    two.signaling.describe(two.left, two.right)
    run_until(two.clock, lambda: two.are_connected, 5.0)


# Consent.


def test_withheld_consent_is_disconnected_in_seconds_and_failed_after_thirty() -> None:
    """RFC 7675 section 5.1: nothing is sent 30 s after the last answer."""
    two = Two()
    two.connect()
    two.clock.run_for(7.3)
    last = two.left.agent.statistics().pairs[0].responded_at
    assert last is not None
    two.hosts[1].interface.cut()
    start = two.clock.now
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.DISCONNECTED, 30.0)
    assert two.clock.now - start < 10.0
    assert two.left.send(b"still allowed")
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 30.0)
    assert two.clock.now - last == pytest.approx(30.0, abs=1e-6)
    assert not two.left.send(b"no longer")
    sent = two.hosts[0].interface.up.statistics.sent
    two.clock.run_for(120.0)
    assert two.hosts[0].interface.up.statistics.sent == sent  # silence
    assert len(two.left.told(RestartNeeded)) == 1


def test_a_short_outage_is_disconnected_and_then_connected_by_itself() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(5.0)
    two.hosts[1].interface.cut()
    two.clock.run_for(15.0)
    assert two.left.agent.state is two.right.agent.state is ConnectionState.DISCONNECTED
    two.hosts[1].interface.mend()
    run_until(two.clock, lambda: two.are_connected, 2.0)
    assert two.exchange()


def test_consent_is_asked_every_four_to_six_seconds_and_not_in_step() -> None:
    two = Two()
    two.connect()
    two.clock.run_for(1.0)
    asked, counts = [], -1
    for _ in range(6_000):
        two.clock.run_for(0.01)
        now = two.left.agent.statistics().pairs[0].counters.consent_requests_sent
        if now != counts:
            asked, counts = [*asked, two.clock.now], now
    gaps = [after - before for before, after in itertools.pairwise(asked[1:])]
    assert all(3.97 <= gap <= 6.03 for gap in gaps)
    assert len({round(gap, 1) for gap in gaps}) > 3


def test_an_idle_path_behind_translators_stays_open() -> None:
    """Section 11: 30 s is a common life of a mapping."""
    clock = VirtualClock()
    wan = Wan(clock)
    server = SmallTurnServer(wan.host("198.51.100.10"))
    config = Config(stun_servers=(StunServer(server.socket.address),))
    kind = dataclasses.replace(PORT_RESTRICTED_CONE, timeout=30.0, inbound_refreshes=False)
    hosts = [wan.lan(Nat((f"203.0.113.{n}",), kind, seed=n)).host(f"192.168.{n}.2") for n in (1, 2)]
    left = Peer(clock, hosts[:1], Role.CONTROLLING, config, name="left")
    right = Peer(clock, hosts[1:], Role.CONTROLLED, config, name="right")
    Signaling(left, right).offer_answer()
    run_until(clock, lambda: left.is_connected and right.is_connected, 5.0)
    clock.run_for(600.0)
    left.send(b"after ten minutes")
    clock.run_for(0.1)
    assert right.data == [b"after ten minutes"]
    assert ConnectionState.DISCONNECTED not in left.states() + right.states()


# Data.


def test_data_of_a_path_that_is_not_validated_is_not_handed_out() -> None:
    two = Two()
    two.connect()
    stranger = two.wan.host("192.0.2.66").socket()
    address = next(iter(two.left.sockets))
    stranger.send(b"\x16\xfe\xfd hello", address)
    two.clock.run_for(0.1)
    assert two.left.data == []
    assert two.left.unclaimed == [b"\x16\xfe\xfd hello"]
    assert not two.left.agent.is_validated(stranger.address)
    assert two.left.agent.is_validated(next(iter(two.right.sockets)))
    assert two.left.agent.is_validated(next(iter(two.right.sockets)), address)
    assert not two.left.agent.is_validated(next(iter(two.right.sockets)), ("192.0.2.9", 1))


def test_data_that_overtakes_the_answer_which_validates_its_path_is_not_lost() -> None:
    """The peer's check came and our own is under way: what it sends now is its first flight of DTLS."""
    two = Two()
    two.signaling.offer_answer()
    while not two.left.is_connected and not two.right.is_connected:
        two.clock.step()
    first, second = (two.left, two.right) if two.left.is_connected else (two.right, two.left)
    assert not second.is_connected
    assert first.send(b"early")
    run_until(two.clock, lambda: two.are_connected, 1.0)
    two.clock.run_for(0.1)
    assert second.data == [b"early"]


def test_nothing_is_sent_before_there_is_a_pair() -> None:
    two = Two()
    assert not two.left.send(b"too early")


def test_a_datagram_of_no_bytes_or_too_many_is_the_callers_mistake() -> None:
    two = Two(Config(max_data_size=1_200))
    two.connect()
    for data in (b"", bytes(1_201)):
        with pytest.raises(LocalProtocolError):
            two.left.send(data)


# Misuse.


def test_a_closed_agent_is_silent_and_refuses_commands() -> None:
    two = Two()
    two.connect()
    two.left.do(two.left.agent.close)
    two.left.do(two.left.agent.close)
    assert two.left.states()[-1] is ConnectionState.CLOSED
    assert two.left.agent.next_timeout() is None
    assert not two.left.send(b"too late")
    for command in (two.left.agent.restart, two.left.agent.gather):
        with pytest.raises(LocalProtocolError):
            command(two.clock.now)
    two.clock.run_for(40.0)
    assert two.right.agent.state is ConnectionState.FAILED


def test_an_address_twice_a_name_and_too_many_are_refused() -> None:
    two = Two(Config(max_local_addresses=2))
    for address in (next(iter(two.left.sockets)), ("localhost", 1)):
        with pytest.raises(LocalProtocolError):
            two.left.agent.add_local_address(address, 0.0)
    two.left.agent.add_local_address(("192.0.2.8", 1), 0.0)
    with pytest.raises(LocalProtocolError, match="more than 2"):
        two.left.agent.add_local_address(("192.0.2.9", 1), 0.0)


def test_selected_pair_events_name_what_is_used() -> None:
    two = Two()
    two.connect()
    event = two.left.told(SelectedPairChanged)[-1]
    assert event.local_address == next(iter(two.left.sockets))
    assert event.remote_address == next(iter(two.right.sockets))
