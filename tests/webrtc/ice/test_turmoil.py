"""Anything may happen in any order: afterwards two agents that can reach each other find each other again."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.nat import ALL_KINDS, Behaviour, Nat
from tests.sim.network import Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.small_turn import SmallRelay, SmallTurnServer
from tests.webrtc.ice.world import Peer, Signaling
from zwerm.core.random import seeded
from zwerm.webrtc.ice.config import Config, Role, StunServer, TurnServer
from zwerm.webrtc.ice.events import RestartNeeded

PATH = Profile(latency=0.02, jitter=0.02, loss=0.05, burst=2, duplicate=0.02, reorder=0.05)


# A relay does not outlive a translator that forgets; these kinds need none.
KINDS = [kind for kind in ALL_KINDS.values() if kind.mapping is Behaviour.ENDPOINT_INDEPENDENT]


class Turmoil:
    """Two homes behind translators, a relay, and somebody who pulls cables."""

    def __init__(self, seed: int) -> None:
        self.random: Random = seeded(seed, "turmoil")
        self.clock = VirtualClock()
        self.wan = Wan(self.clock, seed=seed)
        server = SmallTurnServer(self.wan.host("198.51.100.10"))
        config = Config(
            stun_servers=(StunServer(server.socket.address),),
            turn_servers=(TurnServer(server.socket.address, "user", "password"),),
            renomination=self.random.random() < 0.5,
        )
        self.homes = []
        self.peers = []
        self.numbers = itertools.count(10)
        for number, role in enumerate(Role, 1):
            kind = self.random.choice(KINDS)
            home = self.wan.lan(Nat((f"203.0.113.{number}",), kind, seed=seed), profile=PATH)
            host = home.host(f"192.168.{number}.2")
            peer = Peer(self.clock, [host], role, config, name=role.value, seed=seed, make_relay=SmallRelay)
            self.homes.append(home)
            self.peers.append(peer)
        self.left, self.right = self.peers
        self.signaling = Signaling(self.left, self.right, delay=0.03)
        self.signaling.offer_answer()

    def act(self) -> None:
        """Do one thing, and let some time pass."""
        side = self.random.randrange(2)
        peer, home = self.peers[side], self.homes[side]
        match self.random.randrange(8):
            case 0:
                home.nat.forget()
            case 1:
                home.uplink.cut()
            case 2:
                home.uplink.mend()
            case 3:
                peer.do(peer.agent.restart)
                self.signaling.offer_answer(peer)
            case 4:
                peer.add_host(home.host(f"192.168.{side + 1}.{next(self.numbers)}"))
            case 5 if len(peer.sockets) > 1:
                peer.remove_host(next(iter(peer.sockets)))
            case _:
                peer.send(b"now and then")
        self.clock.run_for(self.random.choice([0.0, 0.05, 0.5, 3.0, 12.0]))

    def heal(self) -> None:
        """Mend what was cut, and do what the events ask for."""
        for home in self.homes:
            home.uplink.mend()
        for peer in self.peers:
            peer.events.clear()
        self.clock.run_for(15.0)
        for _ in range(4):
            if all(peer.is_connected for peer in self.peers):
                return
            asking = next((peer for peer in self.peers if not peer.is_connected), self.left)
            asking.do(asking.agent.restart)
            self.signaling.offer_answer(asking)
            self.clock.run_for(8.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_whatever_happened_they_find_each_other_again(seed: int) -> None:
    world = Turmoil(seed)
    world.clock.run_for(3.0)
    for _ in range(25):
        world.act()
    world.heal()
    assert all(peer.is_connected for peer in world.peers), [peer.agent.state for peer in world.peers]
    for peer in world.peers:
        peer.data.clear()
    for _ in range(10):  # the path loses some
        for peer in world.peers:
            peer.send(b"well again")
        world.clock.run_for(0.2)
    assert all(b"well again" in peer.data for peer in world.peers)
    assert all(len(peer.told(RestartNeeded)) <= 6 for peer in world.peers)
