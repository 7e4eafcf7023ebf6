"""Host addresses behind names of multicast DNS (draft-ietf-mmusic-mdns-ice-candidates)."""

from __future__ import annotations

import re

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.webrtc.ice.world import Air, Peer, Signaling, run_until
from zwerm.core.random import seeded
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.events import GatheringState, RegisterName, ResolveName
from zwerm.webrtc.ice.names import random_name

HIDDEN = Config(mdns=True)


class Home:
    """Two hosts of one link."""

    def __init__(self, left: Config = HIDDEN, right: Config = HIDDEN) -> None:
        self.clock = VirtualClock()
        self.air = Air(self.clock)
        self.wan = Wan(self.clock)
        hosts = [self.wan.host(f"192.168.1.{number}") for number in (2, 3)]
        self.left = Peer(self.clock, hosts[:1], Role.CONTROLLING, left, name="left", air=self.air)
        self.right = Peer(self.clock, hosts[1:], Role.CONTROLLED, right, name="right", air=self.air)
        self.signaling = Signaling(self.left, self.right)

    def connect(self) -> None:
        self.signaling.offer_answer()
        run_until(self.clock, lambda: self.left.is_connected and self.right.is_connected, 10.0)


def test_two_hosts_that_hide_their_addresses_connect_and_show_none() -> None:
    home = Home()
    home.connect()
    for peer in (home.left, home.right):
        assert all(candidate.is_mdns for candidate in peer.gathered)
        assert not any("192.168" in str(candidate) for candidate in peer.gathered)
    home.left.send(b"hello")
    home.clock.run_for(0.1)
    assert home.right.data == [b"hello"]


def test_names_are_random_uuids() -> None:
    names = {random_name(seeded(number)) for number in range(100)}
    assert len(names) == 100
    shape = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.local")
    assert all(shape.fullmatch(name) for name in names)


def test_an_address_has_one_name_through_restarts() -> None:
    """Draft section 3.1.1: names are not made anew while the context lives."""
    home = Home()
    home.connect()
    home.left.do(home.left.agent.restart)
    home.signaling.offer_answer()
    home.clock.run_for(1.0)
    assert len(home.left.told(RegisterName)) == 1
    assert len({candidate.address for candidate in home.left.gathered}) == 1
    assert home.left.is_connected


def test_a_name_that_is_not_registered_in_time_is_not_signaled_and_gathering_ends() -> None:
    home = Home()
    home.air.later = lambda action: None  # nothing is ever answered
    home.left.gather()
    assert home.left.agent.gathering_state is GatheringState.GATHERING
    home.clock.run_for(Config().mdns_timeout)
    assert home.left.agent.gathering_state is GatheringState.COMPLETE
    assert home.left.gathered == []


def test_a_name_that_cannot_be_registered_is_not_signaled() -> None:
    home = Home()
    home.air.later = lambda action: None
    home.left.gather()
    (event,) = home.left.told(RegisterName)
    home.left.do(home.left.agent.name_registered, event.name, success=False)
    assert home.left.gathered == []
    assert home.left.agent.gathering_state is GatheringState.COMPLETE
    home.left.do(home.left.agent.name_registered, "another.local")  # nobody waits for it


def test_a_name_that_stands_for_nothing_is_no_candidate_and_its_end_is_waited_for() -> None:
    home = Home(Config(), Config())
    home.left.gather()
    home.left.do(home.left.agent.set_remote, home.right.agent.local_credentials)
    assert home.left.do(home.left.agent.add_remote_candidate, named("gone.local"))
    home.left.do(home.left.agent.end_of_candidates)
    home.clock.run_for(1.0)
    assert home.left.agent.statistics().remote_candidates == ()


def test_one_query_serves_all_candidates_of_a_name() -> None:
    home = Home(Config(), Config())
    home.air.names["here.local"] = "192.168.1.3"
    home.left.do(home.left.agent.set_remote, home.right.agent.local_credentials)
    for port in (1_000, 2_000):
        assert home.left.do(home.left.agent.add_remote_candidate, named("here.local", port))
    home.clock.run_for(1.0)
    assert [event.name for event in home.left.told(ResolveName)] == ["here.local"]
    assert len(home.left.agent.statistics().remote_candidates) == 2


def test_a_name_that_stands_for_a_forbidden_address_is_refused() -> None:
    """The answer of multicast DNS is as little to be trusted as the description."""
    home = Home(Config(), Config())
    home.left.do(home.left.agent.set_remote, home.right.agent.local_credentials)
    for number, host in enumerate(("127.0.0.1", "169.254.169.254", "not an address", "fe80::1%eth0")):
        home.air.names[f"evil{number}.local"] = host
        home.left.do(home.left.agent.add_remote_candidate, named(f"evil{number}.local"))
    home.clock.run_for(1.0)
    assert home.left.agent.statistics().remote_candidates == ()


def test_names_that_wait_are_limited() -> None:
    home = Home(Config(max_remote_candidates=3), Config())
    home.air.later = lambda action: None
    home.left.do(home.left.agent.set_remote, home.right.agent.local_credentials)
    taken = [home.left.do(home.left.agent.add_remote_candidate, named(f"n{number}.local")) for number in range(5)]
    assert taken == [True] * 3 + [False] * 2
    home.clock.run_for(11.0)  # they time out, and there is room again
    assert home.left.do(home.left.agent.add_remote_candidate, named("later.local"))


def named(name: str, port: int = 5_000) -> Candidate:
    return Candidate.from_text(f"candidate:1 1 udp 2130706431 {name} {port} typ host")
