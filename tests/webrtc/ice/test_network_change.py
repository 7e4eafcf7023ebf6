"""Local addresses come and go under a connection, on a virtual network: states within the times of RFC 7675."""

from __future__ import annotations

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.small_turn import SmallRelay, SmallTurnServer
from tests.webrtc.ice.world import CONNECTED, Peer, Signaling, run_until
from zwerm.webrtc.ice.config import CandidatePolicy, Config, Role, ServerTransport, TurnServer
from zwerm.webrtc.ice.events import CloseStream, ConnectionState, OpenStream, RestartNeeded, ServerFailed

PATH = Profile(latency=0.01)


class Two:
    """Two hosts, connected."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock)
        self.left = Peer(self.clock, [], Role.CONTROLLING, name="left")
        self.right = Peer(self.clock, [], Role.CONTROLLED, name="right")
        self.address = self.left.add_host(self.wan.host("203.0.113.1", profile=PATH))
        self.right.add_host(self.wan.host("203.0.113.2", profile=PATH))
        self.signaling = Signaling(self.left, self.right)
        self.signaling.offer_answer()
        self.clock.run_for(3.0)
        assert self.left.is_connected
        assert self.right.is_connected

    def talk(self) -> None:
        """Half a second after the change the other side has been told which pair it is now."""
        self.clock.run_for(0.5)
        self.left.data.clear()
        self.right.data.clear()
        self.left.send(b"ping")
        self.right.send(b"pong")
        self.clock.run_for(0.5)
        assert (self.left.data, self.right.data) == ([b"pong"], [b"ping"])


def test_the_last_address_gone_is_disconnected_at_once_and_failed_after_thirty_seconds() -> None:
    two = Two()
    two.left.remove_host(two.address)
    assert two.left.agent.state is ConnectionState.DISCONNECTED
    assert len(two.left.told(RestartNeeded)) == 1
    took = run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 60.0)
    assert took == pytest.approx(30.0)
    assert len(two.left.told(RestartNeeded)) == 1  # once is enough


@pytest.mark.parametrize("gap", [0.0, 1.0, 10.0, 25.0])
def test_an_address_that_comes_in_time_takes_over_without_signaling(gap: float) -> None:
    two = Two()
    two.left.remove_host(two.address)
    two.clock.run_for(gap)
    two.left.add_host(two.wan.host("203.0.113.9", profile=PATH))
    took = run_until(two.clock, lambda: two.left.is_connected and two.right.is_connected, 6.0)
    assert took < 0.2
    two.talk()
    assert ConnectionState.FAILED not in two.left.states() + two.right.states()


def test_a_second_address_is_tried_at_once_and_kept_as_a_spare() -> None:
    two = Two()
    two.left.add_host(two.wan.host("203.0.113.9", profile=PATH))
    two.clock.run_for(1.0)
    two.left.remove_host(two.address)
    assert two.left.agent.state in CONNECTED
    two.talk()


def test_a_restart_without_a_path_is_checking_and_never_new_again() -> None:
    two = Two()
    two.left.remove_host(two.address)
    two.left.do(two.left.agent.restart)
    assert two.left.agent.state is ConnectionState.CHECKING
    two.left.add_host(two.wan.host("203.0.113.9", profile=PATH))
    two.signaling.describe(two.left, two.right)
    two.clock.run_for(0.05)
    two.signaling.describe(two.right, two.left)
    two.clock.run_for(2.0)
    two.talk()
    assert two.left.states().count(ConnectionState.NEW) == 0


def test_a_process_that_is_killed_is_missed_within_the_times_of_consent() -> None:
    two = Two()
    for socket in two.right.sockets.values():
        socket.close()
    two.right.sockets.clear()
    run_until(two.clock, lambda: two.left.agent.state is ConnectionState.DISCONNECTED, 12.0)
    took = run_until(two.clock, lambda: two.left.agent.state is ConnectionState.FAILED, 31.0)
    assert took < 30.0
    assert not two.left.send(b"nothing is sent without consent")


class Served:
    """A host that may use a relay only, which is reached by TCP."""

    def __init__(self, *, is_alive: bool) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock)
        self.server = SmallTurnServer(self.wan.host("198.51.100.10", profile=PATH))
        turn = TurnServer(self.server.socket.address, "user", "password", ServerTransport.TCP)
        config = Config(policy=CandidatePolicy.RELAY, turn_servers=(turn,))
        self.peer = Peer(self.clock, [], Role.CONTROLLING, config, make_relay=SmallRelay)
        self.host = self.wan.host("203.0.113.1", profile=PATH)
        if is_alive:
            self.peer.air.servers[self.server.socket.address] = self.server
        else:
            self.peer.air.later = lambda action: None  # a connection that never comes


def test_a_server_that_takes_no_connection_is_given_up_and_let_go_of() -> None:
    served = Served(is_alive=False)
    served.peer.add_host(served.host)
    served.peer.gather()
    served.clock.run_for(11.0)
    (opened,) = served.peer.told(OpenStream)
    assert [closed.stream for closed in served.peer.told(CloseStream)] == [opened.stream]
    assert [failed.code for failed in served.peer.told(ServerFailed)] == [701]


def test_a_restart_asks_a_server_anew_that_gave_nothing() -> None:
    served = Served(is_alive=False)
    served.peer.add_host(served.host)
    served.peer.gather()
    served.clock.run_for(11.0)
    served.peer.do(served.peer.agent.restart)
    assert len(served.peer.told(OpenStream)) == 2


def test_a_new_address_has_its_own_connection_to_the_server_and_an_old_one_loses_it() -> None:
    served = Served(is_alive=True)
    first = served.peer.add_host(served.host)
    served.peer.gather()
    served.clock.run_for(1.0)
    assert [str(candidate.type) for candidate in served.peer.gathered] == ["relay"]
    served.peer.add_host(served.wan.host("203.0.113.9", profile=PATH))
    served.clock.run_for(1.0)
    opened = served.peer.told(OpenStream)
    assert [stream.local[0] for stream in opened] == ["203.0.113.1", "203.0.113.9"]
    served.peer.remove_host(first)
    assert [closed.stream for closed in served.peer.told(CloseStream)] == [opened[0].stream]
