"""What a peer does wrong is in the log with its name and the reason, once, whichever protocol it does it on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, signed
from tests.libp2p.hosts import hosts, seeded_key
from tests.libp2p.kad.validators import VALIDATORS
from tests.net.sockets import until
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.name import routing_key
from zwerm.ipfs.ipns.record import MAX_SEQUENCE
from zwerm.ipfs.ipns.validator import IpnsValidator
from zwerm.libp2p.complaints import MAX_KINDS, MAX_PEERS, Complaints
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.gossipsub import signing
from zwerm.libp2p.gossipsub.aio import Pubsub
from zwerm.libp2p.gossipsub.config import GOSSIPSUB_1_1
from zwerm.libp2p.gossipsub.message import IHave, Prune, Rpc, Subscription
from zwerm.libp2p.kad.address_scope import Scope
from zwerm.libp2p.kad.aio import Kad
from zwerm.libp2p.kad.config import KadConfig
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record
from zwerm.libp2p.relay.aio import RelayServer
from zwerm.libp2p.relay.message import HOP, HopMessage, HopType
from zwerm.libp2p.relay.slots import RelayLimits
from zwerm.libp2p.stream import StreamReset
from zwerm.libp2p.swarm import Swarm

KAD = KadConfig(protocol="/test/kad/1.0.0", scope=Scope.ANY, peers_per_group=0, max_provider_records_per_peer=3)
NAME = PeerId.of(seeded_key(7).public)
TIMES = 3  # that each attack is tried

ONE, OTHER = (PeerId(b"\x12\x20" + bytes([number]) * 32) for number in (1, 2))


def test_each_wrong_of_a_peer_is_news_once() -> None:
    complaints = Complaints()
    assert [complaints.is_news(ONE, kind) for kind in ("a", "a", "b", "a")] == [True, False, True, False]
    assert complaints.is_news(OTHER, "a")
    complaints.forget(ONE)
    assert complaints.is_news(ONE, "a")
    assert not complaints.is_news(OTHER, "a")


def test_so_many_lines_are_told_of_one_peer_and_so_many_peers_remembered() -> None:
    complaints = Complaints()
    assert sum(complaints.is_news(ONE, str(number)) for number in range(100)) == MAX_KINDS
    for number in range(MAX_PEERS):
        complaints.is_news(PeerId(b"\x12\x20" + number.to_bytes(32, "big")), "a")
    assert complaints.is_news(ONE, "0"), "it was forgotten"


async def tell_the_dht(mallory: Swarm, bob: Swarm, *messages: Message) -> None:
    with contextlib.suppress(StreamReset):
        async with await mallory.open_stream(bob.peer_id, [KAD.protocol]) as stream:
            for message in messages:
                await write_message(stream, message.serialize())
            await stream.close_write()
            while await stream.read():
                pass


async def provide(mallory: Swarm, bob: Swarm) -> None:
    """More records than one provider may have."""
    for number in range(5):
        own = Peer(mallory.peer_id, (b"\x04\x7f\x00\x00\x01\x06\x0f\xa1",))
        key = b"\x12\x20" + bytes([number]) * 32
        await tell_the_dht(mallory, bob, Message(MessageType.ADD_PROVIDER, key, providers=[own]))


async def provide_for_another(mallory: Swarm, bob: Swarm) -> None:
    other = Peer(ONE, (b"\x04\x7f\x00\x00\x01\x06\x0f\xa1",))
    await tell_the_dht(mallory, bob, Message(MessageType.ADD_PROVIDER, b"\x12\x20" + bytes(32), providers=[other]))


async def replay_a_record(mallory: Swarm, bob: Swarm) -> None:
    key, owner = routing_key(NAME), seeded_key(7)
    for record in (signed(owner, OTHER_PATH, sequence=2), signed(owner, sequence=1)):
        await tell_the_dht(mallory, bob, Message(MessageType.PUT_VALUE, key, Record(key, record.encoded)))


async def put_a_record_for_centuries(mallory: Swarm, bob: Swarm) -> None:
    key = routing_key(NAME)
    record = signed(seeded_key(7), life=7_000 * 366 * 24 * HOUR)
    await tell_the_dht(mallory, bob, Message(MessageType.PUT_VALUE, key, Record(key, record.encoded)))


async def put_the_last_record_there_is(mallory: Swarm, bob: Swarm) -> None:
    key = routing_key(NAME)
    record = signed(seeded_key(7), sequence=MAX_SEQUENCE)
    await tell_the_dht(mallory, bob, Message(MessageType.PUT_VALUE, key, Record(key, record.encoded)))


async def forge_a_record(mallory: Swarm, bob: Swarm) -> None:
    key = routing_key(NAME)
    await tell_the_dht(mallory, bob, Message(MessageType.PUT_VALUE, key, Record(key, signed(seeded_key(8)).encoded)))


async def gossip(mallory: Swarm, bob: Swarm, *frames: Rpc) -> None:
    async with await mallory.open_stream(bob.peer_id, [GOSSIPSUB_1_1]) as stream:
        for rpc in (Rpc([Subscription("news", wanted=True)]), *frames):
            await write_message(stream, rpc.serialize())
        await stream.close_write()
        await stream.read()


async def forge_an_author(mallory: Swarm, bob: Swarm) -> None:
    forged = signing.sign("news", b"data", 1, seeded_key(7)).encoded.replace(b"data", b"DATA")
    await gossip(mallory, bob, Rpc(messages=[forged]))


async def flood_with_ihave(mallory: Swarm, bob: Swarm) -> None:
    await gossip(mallory, bob, *(Rpc(ihave=[IHave("news", (b"%d" % number,))]) for number in range(20)))


async def flood_with_graft(mallory: Swarm, bob: Swarm) -> None:
    await gossip(mallory, bob, Rpc(graft=["news"]), Rpc(prune=[Prune("news")]), Rpc(graft=["news"]))


async def ask_the_relay(mallory: Swarm, bob: Swarm, request: HopMessage) -> None:
    async with await mallory.open_stream(bob.peer_id, [HOP]) as stream:
        await write_message(stream, request.serialize())
        await read_message(stream)


async def relay_to_nobody(mallory: Swarm, bob: Swarm) -> None:
    await ask_the_relay(mallory, bob, HopMessage(HopType.CONNECT, peer=ONE))


async def reserve(mallory: Swarm, bob: Swarm) -> None:
    await ask_the_relay(mallory, bob, HopMessage(HopType.RESERVE))


async def name_nothing_known(mallory: Swarm, bob: Swarm) -> None:
    connection = await mallory.connect(bob.peer_id)
    stream = await connection.muxed.open_stream()
    await stream.write(b"\xff" * 4_096)
    with pytest.raises(StreamReset):
        await stream.read()


ATTACKS: dict[str, tuple[Callable[[Swarm, Swarm], Awaitable[None]], str]] = {
    "provider records without end": (provide, "4 provider records of"),
    "providers for others": (provide_for_another, "expected its sender"),
    "an older record again": (replay_a_record, "a better record of"),
    "a record for centuries": (put_a_record_for_centuries, "at most 10 years from now"),
    "a record that nothing can replace": (put_the_last_record_there_is, "with sequence 18446744073709551615"),
    "a record of somebody else": (forge_a_record, "was given up"),
    "gossip of a forged author": (forge_an_author, "did not sign"),
    "a flood of IHAVE": (flood_with_ihave, "more than 10 IHAVE in a heartbeat"),
    "grafts that come too soon": (flood_with_graft, "GRAFT before the time"),
    "circuits to whom nobody reserved for": (relay_to_nobody, "refused to relay"),
    "reservations without end": (reserve, "refused to relay"),
    "a protocol without a name": (name_nothing_known, "more than 1024 bytes"),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_an_attack_is_one_line_that_names_the_peer_and_the_reason(
    attack: str, caplog: pytest.LogCaptureFixture
) -> None:
    run, reason = ATTACKS[attack]
    caplog.set_level(logging.INFO, "zwerm.libp2p")

    def lines(peer: PeerId) -> list[str]:
        return [line for record in caplog.records if str(peer) in (line := record.getMessage()) and reason in line]

    validators = {**VALIDATORS, "ipns": IpnsValidator(lambda: NOW)}
    async with (
        asyncio.timeout(30),
        hosts(2) as (mallory, bob),
        Kad(bob, KAD, validators=validators, is_server=True),
        Pubsub(bob, random=seeded("bob")) as pubsub,
        Pubsub(mallory, random=seeded("mallory")),
    ):
        pubsub.subscribe("news")
        relay = RelayServer(bob, RelayLimits(reservations=0))
        relay.start()
        await mallory.connect(bob.peer_id)
        await until(lambda: mallory.peer_id in pubsub.peers())
        for _ in range(TIMES):
            await run(mallory, bob)
        await until(lambda: bool(lines(mallory.peer_id)))
        assert len(lines(mallory.peer_id)) == 1, lines(mallory.peer_id)
        relay.stop()
