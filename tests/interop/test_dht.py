"""The DHT with nodes that others wrote: go-libp2p, Kubo and Helia, as servers that we ask and as askers of ours."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.node.test_network_routing import connect, contacts, until, ways_of
from tests.peers.lines import LinePeer
from tests.peers.p2pd import DhtVerb, Failed, P2pd, p2pd
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import HostEvent, PeerIdentified
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.aio import Kad
from zwerm.libp2p.kad.config import LAN, WAN, KadConfig
from zwerm.libp2p.kad.validator import PublicKeyValidator
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.cid import CID
from zwerm.multiformats.multiaddr import Multiaddr
from zwerm.node.node import Node

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LOOPBACK_WAN = dataclasses.replace(WAN, scope=Scope.ANY, peers_per_group=0)
CONTENT = CID.of(b"something that one of us has")


@contextlib.asynccontextmanager
async def node(number: int, config: KadConfig) -> AsyncIterator[tuple[Swarm, Kad]]:
    """A server of the DHT on the loopback, that identifies itself."""
    async with tcp_host(number, agent="zwerm/test") as swarm:
        await swarm.listen([LOOPBACK])
        async with Kad(swarm, config, validators={"pk": PublicKeyValidator()}, is_server=True) as kad:
            yield swarm, kad


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
        assert {each.peer async for each in kad.find_providers(other.multihash, count=1)} == {daemon.peer}
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
        assert {each.peer async for each in bobs.find_providers(CONTENT.multihash, count=1)} == {alice.peer_id}


async def test_kubo_downloads_what_only_a_provider_record_leads_to(tmp_path: Path) -> None:
    """Kubo is connected with a node of ours that has nothing but the record; where the other one is, the DHT says."""
    content = bytes(range(256)) * 5_000
    async with (
        Node(tmp_path / "has", profile="test", online=True) as has,
        Node(tmp_path / "knows", profile="test", online=True) as knows,
    ):
        await connect(has, knows)
        await until(lambda: contacts(has) and contacts(knows))
        cid = await has.add(content)
        await until(
            lambda: ways_of(knows).lan.dht.providers.providers(cid.multihash, asyncio.get_running_loop().time())
        )
        await has.network.swarm.disconnect(knows.identity)
        with LinePeer.python("kubo.py", str(tmp_path / "kubo")) as kubo:
            await asyncio.to_thread(kubo.answer)
            address = f"{tcp_address(knows)}/p2p/{knows.identity}"
            await asyncio.to_thread(kubo.ask, ["connect", address])
            assert str(has.identity) not in str(await asyncio.to_thread(kubo.ask, ["peers"]))
            copy = tmp_path / "copy"
            async with asyncio.timeout(60):
                await asyncio.to_thread(kubo.ask, ["get", str(cid), str(copy)])
            assert copy.read_bytes() == content


async def test_we_download_what_only_kubos_provider_record_leads_to(tmp_path: Path) -> None:
    """The other way round: Kubo's record lies at a node of ours that has nothing, and another one asks that."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4_000)
    async with (
        Node(tmp_path / "wants", profile="test", online=True) as wants,
        Node(tmp_path / "knows", profile="test", online=True) as knows,
    ):
        with LinePeer.python("kubo.py", str(tmp_path / "kubo")) as kubo:
            await asyncio.to_thread(kubo.answer)
            await asyncio.to_thread(kubo.ask, ["connect", f"{tcp_address(knows)}/p2p/{knows.identity}"])
            await until(lambda: contacts(knows))
            cid = CID.from_text((await asyncio.to_thread(kubo.ask, ["add", str(tmp_path / "file")]))["result"])
            await until(lambda: ways_of(knows).lan.dht.providers.keys)
            await connect(wants, knows)
            await until(lambda: contacts(wants))
            async with asyncio.timeout(60):
                data = b"".join([chunk async for chunk in wants.cat(cid)])
            assert data == (tmp_path / "file").read_bytes()


def tcp_address(node: Node) -> Multiaddr:
    assert node.network is not None
    return next(address for address in node.network.swarm.listen_addresses if "tcp" in address.names)


async def test_js_libp2p_and_we_find_what_the_other_provides_and_puts() -> None:
    """Helia's libp2p, in the DHT of local networks."""
    with LinePeer.node("helia_dht.mjs") as peer:

        async def ask(verb: str, argument: object = None) -> object:
            async with asyncio.timeout(60):
                return (await asyncio.to_thread(peer.ask, {verb: argument}))["result"]

        told = await asyncio.to_thread(peer.answer)
        theirs = PeerId.from_text(told["peer"])
        async with node(1, LAN) as (swarm, kad):
            async with acquainted(swarm, theirs, LAN.protocol):
                await ask("connect", f"{swarm.addresses[0]}/p2p/{swarm.peer_id}")
            async with asyncio.timeout(30):
                while not await ask("size"):  # noqa: ASYNC110 -- its table tells nobody
                    await asyncio.sleep(0.05)

            # What we tell, it has.
            assert await kad.provide(CONTENT.multihash) == 1
            assert (await ask("find", str(CONTENT)))["peer"] == str(swarm.peer_id)
            key = PrivateKey.generate(KeyType.RSA).public  # it fails to read ECDSA keys in DER
            name = b"/pk/" + PeerId.of(key).multihash
            assert await kad.put_value(name, key.serialize()) == 1
            got = await ask("get", base64.b64encode(name).decode())
            assert base64.b64decode(got) == key.serialize()

            # What it tells, we have.
            other = CID.of(b"something that Helia has")
            await ask("provide", str(other))
            assert {each.peer async for each in kad.find_providers(other.multihash, count=1)} == {theirs}
            assert [peer.peer for peer in await kad.find_closest(b"anything")] == [theirs]
            assert str(swarm.peer_id) in await ask("closest", str(other))
            theirs_key = PrivateKey.generate(KeyType.RSA).public
            theirs_name = b"/pk/" + PeerId.of(theirs_key).multihash
            pair = [base64.b64encode(part).decode() for part in (theirs_name, theirs_key.serialize())]
            await ask("put", pair)
            assert await kad.find_value(theirs_name) == theirs_key.serialize()
