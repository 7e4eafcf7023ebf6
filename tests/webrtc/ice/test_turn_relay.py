"""Relaying through the real TURN client and the real TURN server, under the virtual clock."""

from __future__ import annotations

from tests.sim.clock import VirtualClock
from tests.sim.nat import SYMMETRIC, Nat
from tests.sim.network import Wan
from tests.webrtc.ice.world import Peer, Signaling, run_until
from tests.webrtc.turn.network import ALICE, SERVER, TurnHost
from tests.webrtc.turn.network import config as server_config
from zwerm.core.machine import Address
from zwerm.webrtc.ice.config import CandidatePolicy, Config, Role, TurnServer
from zwerm.webrtc.ice.events import ServerFailed
from zwerm.webrtc.ice.turn_relay import make_turn_relay
from zwerm.webrtc.turn.channel_data import is_channel_data


class Relayed:
    """Two homes that only a relay joins."""

    def __init__(self, password: str = ALICE.password, policy: CandidatePolicy = CandidatePolicy.ALL) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock)
        self.turn = TurnHost(self.wan, server_config())
        server = TurnServer(SERVER, ALICE.username, password, url="turn:relay.example")
        config = Config(turn_servers=(server,), policy=policy)
        self.peers = []
        for number, role in enumerate(Role, 1):
            host = self.wan.lan(Nat((f"203.0.113.{number}",), SYMMETRIC, seed=number)).host(f"192.168.{number}.2")
            peer = Peer(self.clock, [host], role, config, name=role.value, make_relay=make_turn_relay)
            self.peers.append(peer)
        self.left, self.right = self.peers
        Signaling(self.left, self.right).offer_answer()

    def exchange(self) -> bool:
        """Whether data passes both ways now."""
        for peer in self.peers:
            peer.data.clear()
            peer.send(b"hello")
        self.clock.run_for(1.0)
        return self.left.data == self.right.data == [b"hello"]


def test_two_symmetric_homes_meet_on_the_relay() -> None:
    world = Relayed()
    took = run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    assert took < 1.0
    assert world.exchange()
    assert "relay" in (world.left.pair_types or ())


def test_the_allocation_lives_as_long_as_the_connection() -> None:
    """Permissions end after 5 minutes and allocations after 10, unless they are refreshed."""
    world = Relayed()
    run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    world.clock.run_for(1_500.0)
    assert world.exchange()


def test_data_goes_by_channel_once_the_pair_is_selected() -> None:
    world = Relayed(policy=CandidatePolicy.RELAY)
    run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    world.clock.run_for(1.0)
    (socket,) = world.left.sockets.values()
    receive, seen = socket.on_receive, []
    assert receive is not None

    def watch(data: bytes, source: Address) -> None:
        seen.append(data)
        receive(data, source)

    socket.on_receive = watch
    world.right.send(b"payload")
    world.clock.run_for(1.0)
    assert [data[4:11] for data in seen if is_channel_data(data)] == [b"payload"]


def test_a_run_of_datagrams_is_relayed_one_by_one() -> None:
    world = Relayed(policy=CandidatePolicy.RELAY)
    run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    assert world.right.do(world.right.agent.send, b"firstsecond", segment_size=5)
    world.clock.run_for(1.0)
    assert world.left.data == [b"first", b"secon", b"d"]


def test_with_the_relay_policy_nothing_else_is_gathered_or_told() -> None:
    world = Relayed(policy=CandidatePolicy.RELAY)
    run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    for peer in world.peers:
        assert [str(candidate.type) for candidate in peer.gathered] == ["relay"]
        assert peer.gathered[0].related_address == "0.0.0.0"
        assert "192.168" not in str(peer.gathered[0])
    assert world.left.pair_types == ("relay", "relay")
    assert world.exchange()


def test_a_wrong_password_is_told_with_the_servers_code_and_ends_gathering() -> None:
    world = Relayed(password="wrong")
    world.clock.run_for(15.0)
    failures = world.left.told(ServerFailed)
    assert [(failure.code, failure.server.url) for failure in failures] == [(401, "turn:relay.example")]
    assert world.left.agent.gathering_state.value == "complete"


def test_closing_gives_the_allocation_back() -> None:
    world = Relayed()
    run_until(world.clock, lambda: all(peer.is_connected for peer in world.peers), 5.0)
    assert len(world.turn.relays) == 2
    for peer in world.peers:
        peer.do(peer.agent.close)
    world.clock.run_for(5.0)
    assert world.turn.relays == []
