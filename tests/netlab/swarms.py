"""Swarms that live in namespaces, each on the loop of a thread inside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from tests.libp2p.hosts import seeded_key
from tests.netlab.namespace import Resident
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.dcutr.aio import DirectUpgrade
from zwerm.libp2p.framing import read_exactly
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.relay.slots import RelayLimits
from zwerm.libp2p.stream import Stream
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.circuit import CircuitTransport
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.multiformats.multiaddr import Multiaddr

ECHO = "/echo/1.0.0"


async def echo(stream: Stream) -> None:
    while data := await stream.read():
        await stream.write(data)


class Dweller:
    """One swarm in its namespace, with dcutr, and relays that it may listen through."""

    swarm: Swarm
    upgrade: DirectUpgrade

    def __init__(self, resident: Resident, number: int) -> None:
        self.resident = resident
        self.number = number
        self.peer_id = PeerId.of(seeded_key(number).public)

    async def start(self, *, grace: float = 0.2, port: int = 4_001) -> None:
        await self.resident.do(self._start(grace, port))

    async def _start(self, grace: float, port: int) -> None:
        key = seeded_key(self.number)
        upgrade = Upgrade(securities(key))
        self.swarm = Swarm(key, [TcpTransport(upgrade)], agent=f"dweller {self.number}")
        self.swarm.add_transport(CircuitTransport(self.swarm, upgrade))
        self.upgrade = DirectUpgrade(self.swarm, grace=grace)
        self.upgrade.start()
        self.swarm.handle(ECHO, echo, allow_limited=True)
        await self.swarm.listen([Multiaddr.from_text(f"/ip4/0.0.0.0/tcp/{port}")])

    async def serve_relay(self, limits: RelayLimits | None = None) -> None:
        async def serve() -> None:
            RelayServer(self.swarm, limits).start()

        await self.resident.do(serve())

    async def listen_through(self, relay: Multiaddr) -> None:
        await self.resident.do(self.swarm.listen([relay.encapsulate(Multiaddr.from_text("/p2p-circuit"))]))

    async def connect(self, peer: PeerId, address: Multiaddr) -> None:
        await self.resident.do(self.swarm.connect(peer, [address]))

    def paths_to(self, peer: PeerId) -> list[str]:
        """How it is connected with a peer: "direct" and "relayed", the best first."""
        return ["relayed" if is_relayed(each.remote_address) else "direct" for each in self.swarm.connections_to(peer)]

    async def until(self, condition: Callable[[], object], limit: float = 40.0) -> None:
        """Wait on the swarm's loop until something holds there."""

        async def wait() -> None:
            async with asyncio.timeout(limit):
                while not condition():  # noqa: ASYNC110 -- what it looks at is not made for waiting
                    await asyncio.sleep(0.005)

        await self.resident.do(wait())

    async def says_back(self, peer: PeerId, data: bytes) -> bool:
        """Have a peer send back some bytes, over whatever path there is."""

        async def ask() -> bool:
            async with await self.swarm.open_stream(peer, [ECHO], allow_limited=True) as stream:
                _, back = await asyncio.gather(stream.write(data), read_exactly(stream, len(data)))
                return back == data

        return await self.resident.do(ask())

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def run() -> Any:
            return function(*arguments)

        return await self.resident.do(run())

    async def close(self) -> None:
        await self.resident.do(self.swarm.close())


def address_of(host: str, peer: PeerId, port: int = 4_001) -> Multiaddr:
    return Multiaddr.from_text(f"/ip4/{host}/tcp/{port}/p2p/{peer}")


async def close_all(dwellers: Sequence[Dweller]) -> None:
    for dweller in dwellers:
        if hasattr(dweller, "swarm"):
            await dweller.close()
