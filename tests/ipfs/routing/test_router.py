"""Several ways as one: asked at once, the first answer counts, and one that fails costs nothing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest

from tests.libp2p.kad.validators import VALIDATORS
from tests.sim.dht import peer_of
from zwerm.core.errors import TransportError, WireError
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.routing.router import Routing
from zwerm.libp2p.kad.validator import Namespaces
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr

CONTENT = CID.of(b"content")
ALICE, BOB, CAROL = [peer_of(seeded(name)) for name in ("alice", "bob", "carol")]
HERE = Multiaddr.from_text("/ip4/127.0.0.1/tcp/4001")
KEYS = Namespaces(VALIDATORS)


class Way:
    """A router that knows what it was told."""

    def __init__(self, label: str, *providers: Provider, records: Sequence[bytes] = (), hangs: bool = False) -> None:
        self.label = label
        self.providers = providers
        self.records = list(records)
        self.hangs = hangs
        self.closed = 0

    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        try:
            for provider in self.providers:
                yield provider
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        if self.hangs:
            await asyncio.Event().wait()
        return next((provider.addresses for provider in self.providers if provider.peer == peer), ())

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        for record in self.records:
            yield record

    async def put_record(self, key: bytes, record: bytes) -> None:
        self.records.append(record)


class Broken(Way):
    async def find_providers(self, cid: CID) -> AsyncGenerator[Provider, None]:
        for provider in self.providers:
            yield provider
        raise TransportError("closed")

    async def find_peer(self, peer: PeerId) -> Sequence[Multiaddr]:
        raise TransportError("closed")

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        for record in self.records:
            yield record
        raise TransportError("closed")

    async def put_record(self, key: bytes, record: bytes) -> None:
        raise TransportError("closed")


async def test_providers_of_all_ways_come_once_and_again_with_addresses() -> None:
    routing = Routing(
        [Way("a", Provider(ALICE), Provider(BOB)), Way("b", Provider(ALICE, (HERE,))), Broken("c", Provider(CAROL))],
        KEYS,
    )
    found = [provider async for provider in routing.find_providers(CONTENT)]
    assert {provider.peer for provider in found} == {ALICE, BOB, CAROL}
    assert Provider(ALICE, (HERE,)) in found
    assert len(found) <= 4


async def test_a_way_that_hangs_holds_up_nobody_and_is_closed() -> None:
    slow = Way("slow", hangs=True)
    async with contextlib.aclosing(
        Routing([slow, Way("fast", Provider(ALICE))], KEYS).find_providers(CONTENT)
    ) as found:
        assert (await anext(found)).peer == ALICE
    assert slow.closed == 1


async def test_many_providers_wait_for_a_slow_caller() -> None:
    random = seeded("many")
    ways = [Way(str(number), *(Provider(peer_of(random)) for _ in range(150))) for number in range(3)]
    assert len([provider async for provider in Routing(ways, KEYS).find_providers(CONTENT)]) == 450


async def test_nobody_to_ask_finds_nothing() -> None:
    routing = Routing([], KEYS)
    assert [provider async for provider in routing.find_providers(CONTENT)] == []
    assert await routing.find_peer(ALICE) == ()
    assert await routing.find_value(b"/n/a") is None
    with pytest.raises(TransportError, match="there is nobody to ask"):
        await routing.put_value(b"/n/a", b"1")
    with pytest.raises(TransportError, match="tells nobody"):
        await routing.provide(CONTENT)


async def test_a_peer_is_where_the_first_who_knows_says() -> None:
    routing = Routing([Way("slow", hangs=True), Broken("b"), Way("c"), Way("d", Provider(ALICE, (HERE,)))], KEYS)
    assert await routing.find_peer(ALICE) == (HERE,)


async def test_the_best_valid_record_of_all_ways_is_found() -> None:
    routing = Routing([Way("a", records=[b"1", b"x"]), Broken("b", records=[b"3"]), Way("c", records=[b"2"])], KEYS)
    assert await routing.find_value(b"/n/a") == b"3"


async def test_a_record_goes_every_way_and_who_took_it_is_told() -> None:
    routing = Routing([Way("a"), Broken("b"), Way("c")], KEYS)
    assert await routing.put_value(b"/n/a", b"1") == ["a", "c"]
    with pytest.raises(WireError):
        await routing.put_value(b"/n/a", b"not valid")
    with pytest.raises(TransportError, match="b: closed"):
        await Routing([Broken("b")], KEYS).put_value(b"/n/a", b"1")
