"""Clients and servers of bitswap on a virtual network: peers with a delay and a rate, and a clock that jumps."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Sequence

from zwerm.ipfs.bitswap.client import Client, FindProviders, GaveUp, Misbehaved
from zwerm.ipfs.bitswap.config import ClientConfig, ServerConfig
from zwerm.ipfs.bitswap.message import Message, Presence
from zwerm.ipfs.bitswap.server import Server
from zwerm.multiformats.cid import CID

LEAF = 262_144  # bytes


def cids(count: int, prefix: str = "block") -> list[CID]:
    return [CID.of(f"{prefix} {number}".encode()) for number in range(count)]


class Giver:
    """A peer with some blocks. It speaks through a real `Server`, over a link of its own."""

    def __init__(
        self,
        simulation: Simulation,
        name: str,
        blocks: Collection[CID],
        *,
        delay: float = 0.01,
        rate: float = 50e6,
        size: int = LEAF,
        config: ServerConfig | None = None,
    ) -> None:
        self.simulation = simulation
        self.name = name
        self.sizes = {cid.multihash: size for cid in blocks}
        self.delay = delay  # seconds one way
        self.rate = rate  # bytes a second; 0: it never answers
        self.server: Server[str] = Server(config)
        self.received: list[Message] = []
        self.busy = False
        self.is_here = True

    def receive(self, message: Message) -> None:
        self.received.append(message)
        self.server.receive_wants("client", message.wants, self.sizes)
        self.work()

    def work(self) -> None:
        if self.busy or not self.rate or (task := self.server.next_task()) is None:
            return
        self.busy = True
        blocks = [(cid.multihash, self.sizes[cid.multihash]) for cid in task.blocks]
        simulation = self.simulation

        def done() -> None:
            self.busy = False
            self.server.sent(task.peer, task.size, len(task.blocks))
            simulation.after(self.delay, lambda: simulation.deliver(self, blocks, task.presences))
            self.work()

        seconds = (task.size + 100) / self.rate
        for second in range(1, int(seconds) + 1):  # the receiver sees the message come
            simulation.after(self.delay + second, lambda: simulation.client.heard(self.name, simulation.now))
        simulation.after(seconds, done)


class Simulation:
    """One client and its peers."""

    def __init__(self, config: ClientConfig | None = None, *, can_search: bool = False) -> None:
        self.now = 1_000.0
        self.client: Client[str] = Client(config, can_search=can_search)
        self.givers: dict[str, Giver] = {}
        self.events: list[FindProviders | GaveUp | Misbehaved[str]] = []
        self.came: list[tuple[str, bytes]] = []  # every block that came, with its sender
        self.on_event: Callable[[FindProviders | GaveUp | Misbehaved[str]], None] = lambda event: None
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def add(self, name: str, blocks: Collection[CID], *, connect: bool = True, **link: object) -> Giver:
        giver = self.givers[name] = Giver(self, name, blocks, **link)  # type: ignore[arg-type]
        if connect:
            self.connect(name)
        return giver

    def connect(self, name: str) -> None:
        self.givers[name].is_here = True
        self.client.add_peer(name, self.now)
        self.settle()

    def leave(self, name: str) -> None:
        giver = self.givers[name]
        giver.is_here = False
        giver.server.remove_peer("client")
        self.client.remove_peer(name, self.now)
        self.settle()

    def after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + delay, next(self._order), action))

    def pause(self, seconds: float) -> None:
        """Let nothing that is under way arrive for so long, and nothing be sent meanwhile."""
        self._queue = [(due + seconds, order, action) for due, order, action in self._queue]

    def deliver(self, giver: Giver, blocks: Sequence[tuple[bytes, int]], presences: Sequence[Presence]) -> None:
        if giver.is_here:
            self.came += [(giver.name, key) for key, _ in blocks]
            self.client.receive(giver.name, blocks, presences, self.now)
            self.settle()

    def settle(self) -> None:
        """Carry out what the client says."""
        while (name := self.client.next_peer()) is not None:
            message = self.client.next_message(name)
            giver = self.givers[name]
            if message is not None and giver.is_here:
                self.after(giver.delay, lambda giver=giver, message=message: giver.receive(message))  # type: ignore[misc]
        while (event := self.client.next_event()) is not None:
            self.events.append(event)
            self.on_event(event)
            self.settle()

    def start(self, wanted: Sequence[CID], root: CID | None = None) -> int:
        number = self.client.open_session(self.now, root)
        self.client.want(number, wanted, self.now)
        self.settle()
        return number

    def run(self, until: Callable[[], bool], limit: float = 600.0) -> float:
        """Let time pass until something is so; return the seconds that took."""
        start = self.now
        while not until():
            timeout = self.client.next_timeout()
            arrival = self._queue[0][0] if self._queue else None
            due = min((moment for moment in (timeout, arrival) if moment is not None), default=None)
            if due is None or due > start + limit:
                raise AssertionError(f"nothing more happens after {self.now - start} seconds: {self.client.wantlist}")
            self.now = max(self.now, due)
            if arrival is not None and arrival <= self.now:
                heapq.heappop(self._queue)[2]()
            else:
                self.client.handle_timeout(self.now)
                self.settle()
        return self.now - start

    def fetch(self, wanted: Sequence[CID], limit: float = 600.0) -> float:
        """Fetch everything in one session; return the seconds that took."""
        number = self.start(wanted)
        session = self.client.session(number)
        assert session is not None
        return self.run(lambda: not session.live, limit)

    def given(self) -> dict[str, int]:
        """How many blocks came from each."""
        count: dict[str, int] = {}
        for name, _ in self.came:
            count[name] = count.get(name, 0) + 1
        return count
