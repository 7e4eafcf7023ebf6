"""Providing: the root at once, the rest soon, all again; and nothing is lost when nobody can be reached."""

import asyncio
import contextlib
from collections.abc import Iterable

from tests.sim.dht import peer_of
from zwerm.core.errors import TransportError
from zwerm.core.random import seeded
from zwerm.ipfs.providing import providing as module
from zwerm.ipfs.providing.providing import Providing
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.message import Peer


class Network:
    """Servers that keep what they are told."""

    def __init__(self, size: int) -> None:
        random = seeded("servers")
        self.servers = [Peer(peer_of(random)) for _ in range(size)]
        self.records: dict[bytes, list[object]] = {}
        self.is_up = True
        self.lookups = 0
        self.told = asyncio.Condition()

    async def find_closest(self, preimage: bytes, *, count: int | None = None) -> tuple[Peer, ...]:
        self.lookups += 1
        if not self.is_up:
            async with self.told:
                self.told.notify_all()
            raise TransportError("nobody can be reached")
        target = key_of(preimage)
        return tuple(sorted(self.servers, key=lambda peer: key_of(peer.peer.multihash) ^ target)[: count or 20])

    async def provide(self, key: bytes, *, is_optimistic: bool = True) -> int:
        if not self.is_up:
            return 0
        return await self.send_provides(await self.find_closest(key), [key])

    async def send_provides(self, peers: Iterable[Peer], keys: list[bytes]) -> int:
        sent = 0
        for peer in peers:
            for key in keys:
                self.records.setdefault(key, []).append(peer.peer)
                sent += 1
        async with self.told:
            self.told.notify_all()
        return sent

    async def wait_told(self, count: int, copies: int = 20) -> None:
        async with asyncio.timeout(20), self.told:
            await self.told.wait_for(lambda: sum(len(peers) >= copies for peers in self.records.values()) >= count)


def multihashes(count: int) -> list[bytes]:
    random = seeded("keys")
    return [b"\x12\x20" + random.randbytes(32) for _ in range(count)]


async def test_a_root_is_told_at_once() -> None:
    network = Network(100)
    async with Providing(network) as providing:
        (root,) = multihashes(1)
        assert await providing.provide(root) == 20
        assert len(network.records[root]) == 20
        assert providing.statistics().pending == 0
        assert providing.statistics().keys == 1


async def test_much_that_is_new_costs_as_many_look_ups_as_there_are_zones(monkeypatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.0)
    network = Network(200)
    async with Providing(network) as providing:
        providing.add(multihashes(500))
        await network.wait_told(500)
    assert network.lookups < 60


async def test_what_could_not_be_told_is_told_when_the_network_is_back(monkeypatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.0)
    monkeypatch.setattr(module, "RETRY", 0.01)
    network = Network(30)
    network.is_up = False
    async with Providing(network) as providing:
        (root,) = multihashes(1)
        assert await providing.provide(root) == 0
        assert providing.statistics().pending == 1
        async with network.told:
            await network.told.wait_for(lambda: network.lookups > 2)
        network.is_up = True
        await network.wait_told(1)
        assert providing.statistics().failures >= 2


async def test_everything_is_told_again_in_every_round() -> None:
    network = Network(30)
    async with Providing(network, interval=0.2) as providing:
        providing.adopt(multihashes(20))
        await network.wait_told(20, copies=60)
        assert providing.statistics().rounds >= 1
        assert providing.statistics().records_sent >= 20 * 40


async def test_what_was_removed_is_told_no_more() -> None:
    network = Network(30)
    async with Providing(network, interval=0.1) as providing:
        gone, stays = multihashes(2)
        providing.adopt([gone, stays])
        await network.wait_told(2)
        providing.remove([gone])
        before = len(network.records[gone])
        await network.wait_told(1, copies=before + 100)
        assert len(network.records[gone]) <= before + 20  # one round may have been under way
        assert providing.statistics().keys == 1


async def test_what_is_gone_is_told_no_more() -> None:
    network = Network(30)
    gone, stays = multihashes(2)
    async with Providing(network, interval=0.1, held=lambda keys: [key for key in keys if key != gone]) as providing:
        providing.adopt([gone, stays])
        await network.wait_told(1, copies=60)
        assert list(network.records) == [stays]
        assert providing.statistics().keys == 1


async def test_it_ends_in_the_middle_of_a_look_up() -> None:
    network = Network(30)
    asked = asyncio.Event()

    async def forever(_preimage: bytes, *, count: int | None = None) -> tuple[Peer, ...]:
        asked.set()
        await asyncio.Event().wait()
        return ()

    network.find_closest = forever
    async with contextlib.AsyncExitStack() as stack:
        providing = await stack.enter_async_context(Providing(network, interval=0.01))
        providing.adopt(multihashes(1))
        await asked.wait()
