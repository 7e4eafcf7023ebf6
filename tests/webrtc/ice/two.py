"""Two agents on one network under the virtual clock, and their signaling."""

from __future__ import annotations

from tests.sim.clock import VirtualClock
from tests.sim.network import Wan
from tests.sim.profile import Profile
from tests.webrtc.ice.world import Peer, Signaling, run_until
from zwerm.webrtc.ice.config import Config, Role

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
