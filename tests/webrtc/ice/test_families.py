"""IPv4 and IPv6 together (RFC 8421): either alone, both, and one of them broken."""

from __future__ import annotations

import pytest

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.world import Peer, Signaling, run_until
from zwerm.webrtc.ice.config import Role

V4 = ("192.0.2.1", "192.0.2.2")
V6 = ("2001:db8::1", "2001:db8::2")
BROKEN = Profile(loss=1.0)


class Dual:
    """Two hosts with addresses of the families given, one of which may be broken."""

    def __init__(self, families: tuple[tuple[str, str], ...], broken: tuple[str, str] | None = None) -> None:
        self.clock = VirtualClock()
        wan = Wan(self.clock)
        self.peers = []
        for side, role in enumerate(Role):
            addresses = [family[side] for family in families]
            hosts = [wan.host(host, profile=BROKEN if broken and host in broken else Profile()) for host in addresses]
            self.peers.append(Peer(self.clock, hosts, role, name=role.value))
        self.left, self.right = self.peers
        Signaling(self.left, self.right, delay=0.01).offer_answer()

    def connect(self) -> float:
        return run_until(self.clock, lambda: all(peer.is_connected for peer in self.peers), 5.0)


@pytest.mark.parametrize("family", [V4, V6], ids=["IPv4", "IPv6"])
def test_either_family_alone_connects(family: tuple[str, str]) -> None:
    assert Dual((family,)).connect() < 0.03


def test_with_both_ipv6_is_used() -> None:
    dual = Dual((V4, V6))
    assert dual.connect() < 0.03
    dual.clock.run_for(1.0)
    for peer in dual.peers:
        pair = peer.agent.selected_pair
        assert pair is not None
        assert pair.remote_address[0] in V6


@pytest.mark.parametrize("broken", [V4, V6], ids=["IPv4 broken", "IPv6 broken"])
def test_a_broken_family_costs_one_check_and_not_the_connection(broken: tuple[str, str]) -> None:
    dual = Dual((V4, V6), broken)
    assert dual.connect() < 0.1
    dual.clock.run_for(20.0)
    for peer in dual.peers:
        pair = peer.agent.selected_pair
        assert pair is not None
        assert pair.remote_address[0] not in broken
        assert peer.is_connected
