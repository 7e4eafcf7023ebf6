"""The agent as a whole: how two of them connect, keep and lose a path (RFC 8445, 8838, 7675)."""

from __future__ import annotations

import dataclasses
import itertools
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.clock import VirtualClock
from tests.sim.nat import PORT_RESTRICTED_CONE, SYMMETRIC, Nat
from tests.sim.network import Wan
from tests.sim.profile import CELLULAR, CONGESTED, SATELLITE, WIFI, Profile
from tests.webrtc.ice.small_turn import SmallTurnServer
from tests.webrtc.ice.world import CONNECTED, Peer, Signaling, run_until
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import drain
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

LAN = Profile(latency=0.000_3)
OLD = Config(renomination=False)


class Two:
    """Two peers on one network, and their signaling."""

    def __init__(
        self,
        left: Config | None = None,
        right: Config | None = None,
        *,
        profile: Profile = LAN,
        seed: int = 0,
        roles: tuple[Role, Role] = (Role.CONTROLLING, Role.CONTROLLED),
        delay: float = 0.01,
    ) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock, seed=seed)
        self.hosts = [self.wan.host("192.0.2.1", profile=profile), self.wan.host("192.0.2.2")]
        self.left = Peer(self.clock, self.hosts[:1], roles[0], left, name="left", seed=seed)
        self.right = Peer(self.clock, self.hosts[1:], roles[1], right, name="right", seed=seed)
        self.signaling = Signaling(self.left, self.right, delay=delay)

    @property
    def are_connected(self) -> bool:
        return self.left.is_connected and self.right.is_connected

    def connect(self, limit: float = 10.0) -> float:
        self.signaling.offer_answer()
        return run_until(self.clock, lambda: self.are_connected, limit)

    def exchange(self) -> bool:
        """Whether data passes both ways now."""
        before = len(self.left.data), len(self.right.data)
        self.left.send(b"from left")
        self.right.send(b"from right")
        self.clock.run_for(1.0)
        return (len(self.left.data), len(self.right.data)) == (before[0] + 1, before[1] + 1)


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
