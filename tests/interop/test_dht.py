"""The DHT with nodes that others wrote: go-libp2p's daemon and Helia, as servers that we ask and as askers of ours."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.peers.p2pd import DhtVerb, Failed, P2pd, p2pd
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import HostEvent, PeerIdentified
from zwerm.libp2p.identify.aio import IdentifyService
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.aio import Kad
from zwerm.libp2p.kad.config import WAN, KadConfig
from zwerm.libp2p.kad.validator import PublicKeyValidator
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.cid import CID

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LOOPBACK_WAN = dataclasses.replace(WAN, scope=Scope.ANY, peers_per_group=0)
CONTENT = CID.of(b"something that one of us has")


@contextlib.asynccontextmanager
async def node(number: int, config: KadConfig) -> AsyncIterator[tuple[Swarm, Kad]]:
    """A server of the DHT on the loopback, that identifies itself."""
    async with tcp_host(number) as swarm:
        await swarm.listen([LOOPBACK])
        if not any("/ipfs/id" in protocol for protocol in swarm.protocols):
            service = IdentifyService(swarm, agent="zwerm/test")
            stop = service.close
        else:
            stop = lambda: None  # noqa: E731
        try:
            async with Kad(swarm, config, validators={"pk": PublicKeyValidator()}, is_server=True) as kad:
                yield swarm, kad
        finally:
            stop()


@contextlib.asynccontextmanager
async def acquainted(swarm: Swarm, peer: PeerId, protocol: str) -> AsyncIterator[None]:
    """Wait at the end of the block until `peer` has said that it speaks `protocol`."""
    known = asyncio.Event()

    def see(event: HostEvent) -> None:
        if isinstance(event, PeerIdentified) and event.peer == peer and protocol in event.protocols:
            known.set()

    stop = swarm.subscribe(see)
    try:
        yield
        async with asyncio.timeout(20):
            await known.wait()
    finally:
        stop()


async def knows(daemon: P2pd, swarm: Swarm) -> None:
    """Wait until the daemon's table holds us: then its look-ups come by."""
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(Failed):  # nobody is in its table yet
                closest = [each async for each in daemon.dht(DhtVerb.GET_CLOSEST_PEERS, key=b"anything")]
                if swarm.peer_id.multihash in closest:
                    return
            await asyncio.sleep(0.1)


async def test_go_libp2p_and_we_find_what_the_other_provides_and_puts() -> None:
    key = PrivateKey.generate(KeyType.ECDSA).public
    name = b"/pk/" + PeerId.of(key).multihash
    async with p2pd("-dhtServer", "-forceReachabilityPublic") as daemon, node(1, LOOPBACK_WAN) as (swarm, kad):
        async with acquainted(swarm, daemon.peer, WAN.protocol):
            await swarm.connect(daemon.peer, daemon.addresses)
        await knows(daemon, swarm)

        # What we tell, it has.
        assert await kad.provide(CONTENT.multihash) == 1
        found = [each async for each in daemon.dht(DhtVerb.FIND_PROVIDERS, cid=bytes(CONTENT), count=1)]
        assert found == [swarm.peer_id]
        assert await kad.put_value(name, key.serialize()) == 1
        assert [each async for each in daemon.dht(DhtVerb.GET_VALUE, key=name)] == [key.serialize()]

        # What it tells, we have.
        other = CID.of(b"something that the daemon has")
        assert [each async for each in daemon.dht(DhtVerb.PROVIDE, cid=bytes(other))] == []
        assert [each.peer async for each in kad.find_providers(other.multihash, count=1)] == [daemon.peer]
        own = b"/pk/" + PeerId.of(seeded := PrivateKey.generate(KeyType.RSA).public).multihash
        assert [each async for each in daemon.dht(DhtVerb.PUT_VALUE, key=own, value=seeded.serialize())] == []
        assert await kad.find_value(own) == seeded.serialize()


async def test_two_of_ours_find_each_other_through_go_libp2p() -> None:
    async with (
        p2pd("-dhtServer", "-forceReachabilityPublic") as daemon,
        node(1, LOOPBACK_WAN) as (alice, alices),
        node(2, LOOPBACK_WAN) as (bob, bobs),
    ):
        for swarm in (alice, bob):
            async with acquainted(swarm, daemon.peer, WAN.protocol):
                await swarm.connect(daemon.peer, daemon.addresses)
        await knows(daemon, alice)
        assert set(await bobs.find_peer(alice.peer_id)) >= set(alice.addresses)
        assert await alices.provide(CONTENT.multihash) >= 1
        providers = [each async for each in bobs.find_providers(CONTENT.multihash, count=1)]
        assert [each.peer for each in providers] == [alice.peer_id]
