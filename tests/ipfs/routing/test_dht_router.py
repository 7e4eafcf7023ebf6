"""The DHTs as ways: over memory, between nodes."""

import pytest

from tests.libp2p.kad.test_aio import nodes
from zwerm.core.errors import TransportError
from zwerm.ipfs.routing.dht_router import Announcements, DhtRouter
from zwerm.multiformats.cid import CID

CONTENT = CID.of(b"content")


async def test_what_one_tells_another_finds() -> None:
    async with nodes(4) as dhts:
        assert await Announcements(dhts[0], dhts[0]).provide(CONTENT.multihash) >= 3
        router = DhtRouter(dhts[3], "dht")
        found = [provider async for provider in router.find_providers(CONTENT)]
        assert {provider.peer for provider in found} == {dhts[0]._host.peer_id}
        assert set(found[-1].addresses) == set(dhts[0]._host.addresses)
        assert set(await router.find_peer(dhts[0]._host.peer_id)) == set(dhts[0]._host.addresses)


async def test_records_come_as_they_get_better() -> None:
    async with nodes(3) as dhts:
        await DhtRouter(dhts[0], "dht").put_record(b"/n/a", b"4")
        assert [record async for record in DhtRouter(dhts[2], "dht").find_records(b"/n/a")] == [b"4"]


async def test_a_record_nobody_takes_is_an_error() -> None:
    async with nodes(1) as (alone,):
        with pytest.raises(TransportError, match="no server of this DHT"):
            await DhtRouter(alone, "dht").put_record(b"/n/a", b"4")


async def test_the_local_network_is_swept_while_the_public_one_is_empty() -> None:
    async with nodes(1) as (alone,), nodes(3) as dhts:
        announcements = Announcements(alone, dhts[0])
        closest = await announcements.find_closest(b"a name")
        assert len(closest) == 2
        assert await announcements.send_provides(closest, [CONTENT.multihash]) == 2
        assert len(await Announcements(dhts[0], alone).find_closest(b"a name")) == 2
