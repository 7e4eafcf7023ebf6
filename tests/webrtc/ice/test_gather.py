"""Gathering (RFC 8445 section 5.1.1): what is found, what is left out, and servers that are dead."""

from __future__ import annotations

import itertools

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.nat import PORT_RESTRICTED_CONE, Nat
from tests.sim.network import Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.small_turn import SmallRelay, SmallTurnServer
from tests.webrtc.ice.world import Peer, run_until
from zwerm.webrtc.ice.candidate import TcpType
from zwerm.webrtc.ice.config import CandidatePolicy, Config, Role, ServerTransport, StunServer, TurnServer
from zwerm.webrtc.ice.events import CloseStream, GatheringState, GatheringStateChanged, OpenStream, ServerFailed
from zwerm.webrtc.ice.gather import MAX_ALTERNATES, MAX_RENEWALS

TURN = TurnServer(("198.51.100.10", 3478), "user", "password")
DEAD = StunServer(("198.51.100.99", 3478), url="stun:dead.example")


class Gathering:
    """A host at home, with servers outside."""

    def __init__(self, *stun: StunServer, turn: tuple[TurnServer, ...] = (), **options: object) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock)
        self.server = SmallTurnServer(self.wan.host("198.51.100.10", profile=Profile(latency=0.02)))
        self.alive = StunServer(self.server.socket.address)
        home = self.wan.lan(Nat(("203.0.113.1",), PORT_RESTRICTED_CONE))
        self.hosts = [home.host("192.168.1.2"), home.host("192.168.1.3")]
        config = Config(stun_servers=(self.alive, *stun), turn_servers=turn, **options)  # type: ignore[arg-type]
        self.peer = Peer(self.clock, self.hosts[:1], Role.CONTROLLING, config, make_relay=SmallRelay)

    def types(self) -> list[str]:
        return [str(candidate.type) for candidate in self.peer.gathered]


def test_a_dead_server_delays_no_candidate_and_ends_by_its_own_limit() -> None:
    world = Gathering(DEAD, DEAD)
    world.peer.gather()
    assert world.types() == ["host"]  # at once
    took = run_until(world.clock, lambda: len(world.peer.gathered) == 2, 1.0)
    assert took == pytest.approx(0.04)
    run_until(world.clock, lambda: world.peer.agent.gathering_state is GatheringState.COMPLETE, 10.0)
    assert world.clock.now == pytest.approx(5.0)
    (failure,) = world.peer.told(ServerFailed)
    assert (failure.code, failure.server.url) == (701, "stun:dead.example")


def test_states_are_told_in_order_and_once() -> None:
    world = Gathering()
    world.peer.gather()
    world.peer.gather()
    world.clock.run_for(1.0)
    states = [event.state for event in world.peer.told(GatheringStateChanged)]
    assert states == [GatheringState.GATHERING, GatheringState.COMPLETE]


def test_a_reflexive_candidate_names_its_base() -> None:
    world = Gathering()
    world.peer.gather()
    world.clock.run_for(1.0)
    reflexive = world.peer.gathered[1]
    assert (reflexive.type, reflexive.address) == ("srflx", "203.0.113.1")
    assert (reflexive.related_address, reflexive.related_port) == next(iter(world.peer.sockets))


def test_what_two_servers_see_alike_is_one_candidate() -> None:
    """Section 5.1.3."""
    second = StunServer(("198.51.100.10", 3478), url="the same by another name")
    world = Gathering(second)
    world.peer.gather()
    world.clock.run_for(1.0)
    assert world.types() == ["host", "srflx"]


def test_a_host_without_a_translator_has_no_reflexive_candidate() -> None:
    world = Gathering()
    peer = Peer(world.clock, [world.wan.host("203.0.113.50")], Role.CONTROLLING, world.peer.agent.config)
    peer.gather()
    world.clock.run_for(1.0)
    assert [str(candidate.type) for candidate in peer.gathered] == ["host"]


def test_foundations_are_shared_by_what_is_alike_and_by_nothing_else() -> None:
    """Section 5.1.1.3."""
    world = Gathering()
    peer = Peer(world.clock, world.hosts[1:], Role.CONTROLLING, world.peer.agent.config)
    peer.add_host(world.hosts[1])
    peer.gather()
    world.clock.run_for(1.0)
    foundations: dict[str, set[str]] = {}
    for candidate in peer.gathered:
        foundations.setdefault(str(candidate.type), set()).add(candidate.foundation)
    assert len(peer.gathered) == 4
    assert [len(found) for found in foundations.values()] == [1, 1]
    assert foundations["host"] != foundations["srflx"]


def test_a_relay_gives_a_relayed_and_a_reflexive_candidate() -> None:
    turn = TurnServer(("198.51.100.10", 3478), "user", "password")
    world = Gathering(turn=(turn,))
    world.peer.gather()
    world.clock.run_for(1.0)
    assert sorted(world.types()) == ["host", "relay", "srflx"]
    relayed = next(candidate for candidate in world.peer.gathered if candidate.type == "relay")
    assert relayed.address == "198.51.100.10"
    assert relayed.related_address == "203.0.113.1"


def test_a_dead_relay_is_given_up_after_its_own_limit() -> None:
    turn = TurnServer(("198.51.100.98", 3478), "user", "password")
    world = Gathering(turn=(turn,), turn_timeout=3.0)
    world.peer.gather()
    run_until(world.clock, lambda: world.peer.agent.gathering_state is GatheringState.COMPLETE, 10.0)
    assert world.clock.now == pytest.approx(3.0)
    assert [failure.server for failure in world.peer.told(ServerFailed)] == [turn]


@pytest.mark.parametrize("transport", [ServerTransport.TCP, ServerTransport.TLS])
def test_a_relay_over_a_stream_asks_for_a_connection(transport: ServerTransport) -> None:
    turn = TurnServer(("198.51.100.10", 3478), "user", "password", transport, name="relay.example")
    world = Gathering(turn=(turn,))
    world.peer.air.servers[turn.address] = world.server
    world.peer.gather()
    world.clock.run_for(1.0)
    (opened,) = world.peer.told(OpenStream)
    assert opened.server == turn
    assert "relay" in world.types()


def test_with_the_relay_policy_only_relayed_candidates_exist() -> None:
    turn = TurnServer(("198.51.100.10", 3478), "user", "password")
    world = Gathering(turn=(turn,), policy=CandidatePolicy.RELAY)
    world.peer.gather()
    world.clock.run_for(1.0)
    assert world.types() == ["relay"]
    assert "192.168" not in str(world.peer.gathered[0])
    assert "203.0.113.1" not in str(world.peer.gathered[0])


def with_a_relay_by_tcp() -> tuple[Gathering, OpenStream, TurnServer]:
    turn = TurnServer(("198.51.100.10", 3478), "user", "password", ServerTransport.TCP)
    world = Gathering(turn=(turn,))
    world.peer.air.servers[turn.address] = world.server
    world.peer.gather()
    world.clock.run_for(1.0)
    (first,) = world.peer.told(OpenStream)
    return world, first, turn


def test_a_relay_that_is_lost_is_asked_anew_at_once() -> None:
    world, first, turn = with_a_relay_by_tcp()
    world.peer.do(world.peer.agent.stream_closed, first.stream)
    assert [failure.server for failure in world.peer.told(ServerFailed)] == [turn]
    assert len(world.peer.told(OpenStream)) == 2
    world.peer.gathered.clear()
    world.clock.run_for(1.0)
    assert world.types().count("relay") == 1


def test_a_restart_waits_for_no_connection_that_is_on_its_way() -> None:
    world, first, _ = with_a_relay_by_tcp()
    world.peer.do(world.peer.agent.stream_closed, first.stream)
    world.peer.gathered.clear()
    world.peer.do(world.peer.agent.restart)
    assert "relay" not in world.types()  # not the one that is gone
    world.clock.run_for(1.0)
    assert world.types().count("relay") == 1
    assert len(world.peer.told(OpenStream)) == 3


def test_a_server_that_loses_every_allocation_is_not_asked_for_ever() -> None:
    world, stream, _ = with_a_relay_by_tcp()
    for _ in range(3 * MAX_RENEWALS):
        world.peer.do(world.peer.agent.stream_closed, stream.stream)
        world.clock.run_for(1.0)
        stream = world.peer.told(OpenStream)[-1]
    assert len(world.peer.told(OpenStream)) == 1 + MAX_RENEWALS


def by_tls() -> tuple[Gathering, StunServer]:
    """A port that listens, and a server that is asked by TLS how it sees it."""
    server = StunServer(("198.51.100.10", 5349), "stuns:stun.example", ServerTransport.TLS, "stun.example")
    world = Gathering(server)
    world.peer.air.servers[server.address] = world.server
    world.peer.add_tcp(world.hosts[0], 40_000, TcpType.PASSIVE)
    return world, server


def test_a_server_that_is_asked_by_tls_tells_where_others_may_connect_to() -> None:
    """RFC 6544 section 5.2: it sees the port that listens, as the question leaves from there."""
    world, server = by_tls()
    world.peer.gather()
    world.clock.run_for(1.0)
    (opened,) = world.peer.told(OpenStream)
    assert (opened.local, opened.remote, opened.server) == (("192.168.1.2", 40_000), server.address, server)
    assert world.types() == ["host", "host", "srflx", "srflx"]
    (found,) = [one for one in world.peer.gathered if one.type == "srflx" and one.transport == "tcp"]
    assert (found.address, found.tcp_type, found.related_port) == ("203.0.113.99", TcpType.PASSIVE, 40_000)
    assert world.peer.agent.gathering_state is GatheringState.COMPLETE
    assert world.peer.told(CloseStream) == []  # what the translator has opened stays so


def test_what_a_server_by_tls_told_is_signaled_again_after_a_restart_and_not_asked_again() -> None:
    world, _ = by_tls()
    world.peer.gather()
    world.clock.run_for(1.0)
    world.peer.gathered.clear()
    world.peer.do(world.peer.agent.restart)
    world.clock.run_for(1.0)
    assert world.types() == ["host", "host", "srflx", "srflx"]
    assert len(world.peer.told(OpenStream)) == 1


def test_a_dead_server_by_tls_ends_by_its_own_limit_and_no_sooner_is_gathering_over() -> None:
    world, server = by_tls()
    world.peer.air.servers.clear()
    world.peer.air.may_connect = lambda peer, remote: False
    world.peer.gather()
    world.clock.run_for(1.0)
    assert [failure.server for failure in world.peer.told(ServerFailed)] == [server]
    assert world.types() == ["host", "host", "srflx"]
    assert world.peer.agent.gathering_state is GatheringState.COMPLETE


def test_with_the_relay_policy_no_server_is_asked_for_what_is_not_told() -> None:
    server = StunServer(("198.51.100.10", 5349), "stuns:stun.example", ServerTransport.TLS)
    world = Gathering(server, policy=CandidatePolicy.RELAY)
    world.peer.add_tcp(world.hosts[0], 40_000, TcpType.PASSIVE)
    world.peer.gather()
    assert world.peer.told(OpenStream) == []


@pytest.mark.parametrize("kind", ["stun", "turn", "stuns", "turn by tcp"])
def test_the_server_that_another_names_is_asked_instead(kind: str) -> None:
    """RFC 8489 section 10: 300, Try Alternate."""
    turn = TurnServer(TURN.address, "user", "p", ServerTransport.TCP if kind == "turn by tcp" else ServerTransport.UDP)
    world, server = by_tls() if kind == "stuns" else (Gathering(turn=(turn,) if "turn" in kind else ()), None)
    other = SmallTurnServer(world.wan.host("198.51.100.20", profile=Profile(latency=0.02)))
    for address, found in ((TURN.address, world.server), (other.socket.address, other)):
        world.peer.air.servers[address] = found
    world.server.alternate = other.socket.address
    world.peer.gather()
    world.clock.run_for(1.0)
    assert world.peer.told(ServerFailed) == []
    expected = {"stuns": ["host", "host", "srflx", "srflx"], "stun": ["host", "srflx"]}
    assert sorted(world.types()) == expected.get(kind, ["host", "relay", "srflx"])
    if server is not None:
        assert [opened.remote for opened in world.peer.told(OpenStream)] == [server.address, other.socket.address]


def test_servers_that_send_us_in_circles_are_given_up() -> None:
    world = Gathering(turn=(TURN,))
    other = SmallTurnServer(world.wan.host("198.51.100.20", profile=Profile(latency=0.02)))
    world.server.alternate, other.alternate = other.socket.address, world.server.socket.address
    world.peer.gather()
    world.clock.run_for(1.0)
    assert world.types() == ["host"]
    assert [failure.code for failure in world.peer.told(ServerFailed)] == [300, 300]
    assert world.peer.agent.gathering_state is GatheringState.COMPLETE


@pytest.mark.parametrize("limit", range(MAX_ALTERNATES + 1, MAX_ALTERNATES + 3))
def test_servers_that_send_us_ever_further_are_followed_so_far(limit: int) -> None:
    world = Gathering()
    hosts = [f"198.51.100.{100 + number}" for number in range(limit)]
    chain = [world.server, *(SmallTurnServer(world.wan.host(host)) for host in hosts)]
    for server, then in itertools.pairwise(chain):
        server.alternate = then.socket.address
    world.peer.gather()
    world.clock.run_for(2.0)
    assert [failure.code for failure in world.peer.told(ServerFailed)] == [300]


def test_a_server_that_sends_us_to_another_family_is_not_followed() -> None:
    world = Gathering()
    world.server.alternate = ("2001:db8::1", 3478)
    world.peer.gather()
    world.clock.run_for(1.0)
    assert [failure.code for failure in world.peer.told(ServerFailed)] == [300]


def test_mappings_are_kept_while_nobody_has_answered() -> None:
    """Section 5.1.1.4: the description may lie in a mailbox for minutes."""
    world = Gathering()
    world.peer.gather()
    world.clock.run_for(300.0)
    assert world.hosts[0].interface.up.statistics.sent >= 20
    assert world.types() == ["host", "srflx"]


def test_a_restart_asks_the_servers_that_are_configured_by_then() -> None:
    world = Gathering(turn=(TURN,))
    world.peer.gather()
    world.clock.run_for(1.0)
    assert sorted(world.types()) == ["host", "relay", "srflx"]
    second = SmallTurnServer(world.wan.host("198.51.100.20", profile=Profile(latency=0.02)))
    other = TurnServer(second.socket.address, "later", "p")
    agent = world.peer.agent
    agent.use_servers(Config(stun_servers=(world.alive,), turn_servers=(other,)))
    assert len(world.peer.gathered) == 3  # nothing by itself
    world.peer.gathered.clear()
    agent.restart(world.clock.now)
    world.peer.pump()
    world.clock.run_for(1.0)
    assert sorted(world.types()) == ["host", "relay", "srflx"]
    (relayed,) = [one for one in world.peer.gathered if one.type == "relay"]
    assert relayed.address == "198.51.100.20"


def test_a_policy_that_was_changed_counts_from_the_next_restart_and_may_be_changed_back() -> None:
    world = Gathering(turn=(TURN,))
    world.peer.gather()
    world.clock.run_for(1.0)
    agent = world.peer.agent
    for policy, types in (
        (CandidatePolicy.RELAY, ["relay"]),
        (CandidatePolicy.ALL, ["host", "relay", "srflx"]),
    ):
        agent.use_servers(Config(policy=policy, stun_servers=(world.alive,), turn_servers=(TURN,)))
        world.peer.gathered.clear()
        agent.restart(world.clock.now)
        world.peer.pump()
        world.clock.run_for(1.0)
        assert sorted(world.types()) == types


@pytest.mark.parametrize(
    ("ends", "count"),
    [(["198.51.100.10"], 1), (["198.51.100.20", "198.51.100.10"], 2)],
    ids=["credentials are renewed", "servers take turns"],
)
def test_relays_of_servers_that_are_asked_no_more_are_given_back_by_the_restart_after(
    ends: list[str], count: int
) -> None:
    world = Gathering(turn=(TURN,))
    world.peer.gather()
    world.clock.run_for(1.0)
    agent = world.peer.agent
    SmallTurnServer(world.wan.host("198.51.100.20", profile=Profile(latency=0.02)))
    for number in range(20):
        server = TurnServer((ends[number % len(ends)], 3478), f"{number}:user", "p")
        agent.use_servers(Config(turn_servers=(server,)))
        world.peer.gathered.clear()
        agent.restart(world.clock.now)
        world.peer.pump()
        world.clock.run_for(1.0)
        assert world.types().count("relay") == 1
        assert len(agent._gatherer.allocations) == count
