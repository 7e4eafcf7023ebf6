"""Whole nodes that live in namespaces, in this process: each on the loop of a thread inside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.netlab.namespace import Resident
from zwerm.libp2p.swarm.ranking import is_relayed
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.network import Network
from zwerm.node.node import Node


class NodeThere:
    """A node in a namespace. `settings` have `__` for the dot in their names."""

    def __init__(self, resident: Resident, path: Path, host: str, port: int = 4_001, **settings: Any) -> None:
        self.resident = resident
        self.host = host
        self.port = port
        overrides = {name.replace("__", "."): value for name, value in settings.items()}
        overrides.setdefault("addresses.swarm", [f"/ip4/{host}/tcp/{port}"])
        self.node = Node(path, profile="test", overrides=overrides, online=True)
        self._is_open = False

    @property
    def network(self) -> Network:
        assert self.node.network is not None
        return self.node.network

    @property
    def swarm(self) -> Swarm:
        return self.network.swarm

    @property
    def address(self) -> Multiaddr:
        return Multiaddr.from_text(f"/ip4/{self.host}/tcp/{self.port}")

    async def open(self) -> None:
        await self.resident.do(self.node.open())
        self._is_open = True

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            await self.resident.do(self.node.close())

    async def connect(self, other: NodeThere, *addresses: Multiaddr) -> None:
        await self.resident.do(self.swarm.connect(other.node.identity, addresses or (other.address,)))

    def paths_to(self, other: NodeThere) -> list[str]:
        """How it is connected with another: "direct" and "relayed", the best first."""
        connections = self.swarm.connections_to(other.node.identity)
        return ["relayed" if is_relayed(each.remote_address) else "direct" for each in connections]

    async def until(self, condition: Callable[[], object], limit: float = 60.0) -> None:
        """Wait on the node's loop until something holds there."""

        async def wait() -> None:
            async with asyncio.timeout(limit):
                while not condition():  # noqa: ASYNC110 -- what it looks at is not made for waiting
                    await asyncio.sleep(0.01)

        await self.resident.do(wait())

    async def add(self, path: Path) -> str:
        return str(await self.resident.do(self.node.add(path)))

    async def cat(self, cid: str) -> bytes:
        async def read() -> bytes:
            return b"".join([part async for part in self.node.cat(cid)])

        return await self.resident.do(read())
