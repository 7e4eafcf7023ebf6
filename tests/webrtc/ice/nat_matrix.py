"""The NAT matrix: eight kinds of home on each side, with and without TURN, 128 cells under the virtual clock.

    python -m tests.webrtc.ice.nat_matrix        prints both tables

What theory says of a cell stands in `expected`; `test_nat_matrix.py` holds every cell to it.
"""

from __future__ import annotations

import enum
import itertools

from tests.sim.clock import VirtualClock
from tests.sim.nat import FULL_CONE, PORT_RESTRICTED_CONE, RESTRICTED_CONE, SYMMETRIC, Nat, NatKind
from tests.sim.network import Host, Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.small_turn import SmallRelay, SmallTurnServer
from tests.webrtc.ice.world import Air, Peer, Signaling
from zwerm.core.machine import Address
from zwerm.webrtc.ice.candidate import CandidateType, TcpType
from zwerm.webrtc.ice.config import Config, Role, ServerTransport, StunServer, TurnServer
from zwerm.webrtc.ice.events import SelectedPairChanged

SERVER: Address = ("198.51.100.10", 3478)
TLS_SERVER: Address = ("198.51.100.10", 443)


class Home(enum.Enum):
    """What stands between a host and the rest."""

    NONE = "none"
    FULL = "full"
    ADDR = "addr"
    PORT = "port"
    SYMM = "symm"
    NOUDP = "noudp"
    TCP443 = "tcp443"
    BLOCK = "block"


class Outcome(enum.Enum):
    """How two homes reach each other."""

    DIRECT = "direct"
    RELAYED = "relayed"
    IMPOSSIBLE = "impossible"


NATS: dict[Home, NatKind] = {
    Home.FULL: FULL_CONE,
    Home.ADDR: RESTRICTED_CONE,
    Home.PORT: PORT_RESTRICTED_CONE,
    Home.SYMM: SYMMETRIC,
    Home.NOUDP: PORT_RESTRICTED_CONE,
    Home.TCP443: PORT_RESTRICTED_CONE,
    Home.BLOCK: PORT_RESTRICTED_CONE,
}
WITHOUT_UDP = (Home.NOUDP, Home.TCP443, Home.BLOCK)
CELLS = list(itertools.product(Home, Home, (False, True)))
PATH = Profile(latency=0.01)


def expected(left: Home, right: Home, has_turn: bool) -> Outcome:
    """What theory says."""
    pair = {left, right}
    if Home.BLOCK in pair:
        return Outcome.IMPOSSIBLE  # no packet passes
    hard = left is right is Home.SYMM or pair == {Home.SYMM, Home.PORT}
    if not pair & set(WITHOUT_UDP) and not hard:
        return Outcome.DIRECT  # a mapping that the other side can foretell, or a filter that lets its address in
    if pair == {Home.NOUDP, Home.NONE}:
        return Outcome.DIRECT  # by TCP: one may open connections, the other may be connected to
    return Outcome.RELAYED if has_turn else Outcome.IMPOSSIBLE


class Cell:
    """Two homes, a STUN server and, if wanted, a TURN server."""

    def __init__(self, left: Home, right: Home, has_turn: bool, seed: int = 1) -> None:
        self.clock = VirtualClock()
        self.wan = Wan(self.clock, seed=seed)
        self.air = Air(self.clock, latency=0.02)
        self.air.may_connect = self._may_connect
        self.server = SmallTurnServer(self.wan.host(SERVER[0], profile=PATH), SERVER[1])
        self.air.servers = {SERVER: self.server, TLS_SERVER: self.server} if has_turn else {}
        self.homes: dict[str, Home] = {}
        self.left = self._peer("left", left, 1, Role.CONTROLLING, has_turn)
        self.right = self._peer("right", right, 2, Role.CONTROLLED, has_turn)
        self.signaling = Signaling(self.left, self.right, delay=0.05)

    def _host(self, home: Home, number: int) -> Host:
        if home is Home.NONE:
            return self.wan.host(f"203.0.113.{number}", profile=PATH)
        lan = self.wan.lan(Nat((f"203.0.113.{number}",), NATS[home], seed=number), profile=PATH)
        if home in WITHOUT_UDP:
            lan.uplink.cut()
        return lan.host(f"192.168.{number}.10")

    def _peer(self, name: str, home: Home, number: int, role: Role, has_turn: bool) -> Peer:
        config = Config(stun_servers=(StunServer(SERVER),))
        if has_turn:
            servers = [
                TurnServer(SERVER, "user", "password"),
                TurnServer(SERVER, "user", "password", ServerTransport.TCP),
                TurnServer(TLS_SERVER, "user", "password", ServerTransport.TLS),
            ]
            config = Config(stun_servers=(StunServer(SERVER),), turn_servers=tuple(servers))
        self.homes[name] = home
        host = self._host(home, number)
        peer = Peer(self.clock, [host], role, config, name=name, air=self.air, make_relay=SmallRelay)
        peer.add_tcp(host, 9, TcpType.ACTIVE)
        peer.add_tcp(host, 5_000, TcpType.PASSIVE)
        return peer

    def _may_connect(self, peer: Peer, remote: Address) -> bool:
        """TCP goes out of every home that is not blocked, and comes in where there is no translator."""
        home = self.homes[peer.name]
        if home is Home.BLOCK or (home is Home.TCP443 and remote[1] != 443):
            return False
        if remote in (SERVER, TLS_SERVER):
            return True
        owner = self.air.listening[remote].name if remote in self.air.listening else ""
        return bool(owner) and self.homes[owner] is Home.NONE

    def outcome(self, limit: float = 40.0) -> tuple[Outcome, float]:
        """Let them try; say how it went and how long it took until data passed both ways."""
        start = self.clock.now
        self.signaling.offer_answer()
        while self.clock.now < start + limit:
            if self.left.is_connected and self.right.is_connected:
                self.left.send(b"from left")
                self.right.send(b"from right")
                self.clock.run_for(0.25)
                if self.left.data and self.right.data:
                    break
            due = self.clock.next_call()
            if due is None:
                break
            self.clock.step()
        took = self.clock.now - start
        if not (self.left.data and self.right.data):
            return Outcome.IMPOSSIBLE, took
        self.clock.run_for(3.0)
        kinds = {_kind(peer) for peer in (self.left, self.right)}
        return Outcome.RELAYED if Outcome.RELAYED in kinds else Outcome.DIRECT, took


def _kind(peer: Peer) -> Outcome:
    pair = peer.told(SelectedPairChanged)[-1]
    types = (pair.local.type, pair.remote.type)
    return Outcome.RELAYED if CandidateType.RELAYED in types else Outcome.DIRECT


def table(has_turn: bool) -> str:
    """The cells as text: rows are the offerer's home, columns the answerer's."""
    lines = ["".join(f"{word:>11}" for word in ("", *(home.value for home in Home)))]
    for left in Home:
        cells = [Cell(left, right, has_turn).outcome() for right in Home]
        lines.append("".join(f"{word:>11}" for word in (left.value, *(outcome.value for outcome, _ in cells))))
    return "\n".join(lines)


if __name__ == "__main__":
    for has_turn in (False, True):
        print(f"\n{'with' if has_turn else 'without'} TURN\n{table(has_turn)}")
