"""`node.names`: what a node publishes and follows, without a network and with ways that come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from tests.net.name_server import name_server
from zwerm.core.errors import TransportError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipns.name import from_routing_key, to_text
from zwerm.ipfs.ipns.publisher import Terms
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.store import RecordStore
from zwerm.ipfs.ipns.timestamp import SECOND
from zwerm.ipfs.names import NameNotFound
from zwerm.node.node import Node

FIRST = ContentPath.from_text("/ipfs/bafkqaddwgevxmmraojswg33smq")
SECOND_PATH = ContentPath.from_text("/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi")


class Way:
    """A network that keeps what it is given, unless it is closed."""

    label = "way"

    def __init__(self, *, is_open: bool = True) -> None:
        self.records: dict[PeerId, bytes] = {}
        self.is_open = is_open
        self.put = asyncio.Event()

    async def find_records(self, key: bytes) -> AsyncGenerator[bytes, None]:
        record = self.records.get(from_routing_key(key))
        if record is not None:
            yield record

    async def put_record(self, key: bytes, record: bytes) -> None:
        if not self.is_open:
            raise TransportError("nobody is there")
        self.records[from_routing_key(key)] = record
        self.put.set()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with Node(tmp_path / "repository", profile="test") as node:
        yield node


async def test_a_name_of_ours_resolves_at_once_without_a_network_and_after_a_restart(tmp_path: Path) -> None:
    async with Node(tmp_path / "repository", profile="test") as node:
        published = await node.names.publish(node.repository.key, FIRST, wait=True)
        assert published.put is None
        assert published.name == node.identity
        assert not node.names.is_online
        assert (await node.names.resolve(str(node.identity))).path == FIRST
    async with Node(tmp_path / "repository") as node:
        found = await node.names.resolve(to_text(node.identity))
        assert found.path == FIRST
        assert found.record == published.record.encoded
        assert (await node.names.publish(node.repository.key, SECOND_PATH)).record.sequence == 1
        assert (await node.names.resolve(str(node.identity))).path == SECOND_PATH


async def test_a_node_remembers_where_its_names_pointed(node: Node) -> None:
    for path in (FIRST, SECOND_PATH):
        await node.names.publish(node.repository.key, path)
    history = await node.names.history(node.identity)
    assert [line.path for line in history] == [str(SECOND_PATH), str(FIRST)]
    [own] = await node.names.own()
    assert own.name == node.identity
    assert await node.names.known(node.identity) == own.record
    assert await node.names.withdraw(node.identity)
    assert await node.names.own() == []
    assert not await node.names.withdraw(node.identity)


async def test_a_record_that_ended_while_the_node_was_off_is_renewed(node: Node) -> None:
    ended = Record.create(node.repository.key, str(FIRST), sequence=3, validity=time.time_ns() - 1, ttl=0)
    RecordStore(node.database).publish(node.identity, ended, 3_600 * SECOND, ended.validity)
    found = await node.names.resolve(str(node.identity))
    assert found.path == FIRST
    assert found.record is not None
    assert Record.parse(found.record).sequence == 3


async def test_a_name_whose_key_is_gone_ends(node: Node) -> None:
    key = PrivateKey.generate()
    await node.names.publish(key, FIRST, Terms(lifetime=1))
    with pytest.raises(NameNotFound):
        await node.names.resolve(str(PeerId.of(key.public)))


async def test_changes_are_told_to_who_listens(node: Node) -> None:
    listening = node.events.listen()
    first = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    await node.names.publish(node.repository.key, FIRST)
    event = await first
    assert (event.name, event.data) == ("names", {"name": to_text(node.identity), "path": str(FIRST)})
    second = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    await node.names.withdraw(node.identity)
    assert (await second).data == {"name": to_text(node.identity), "path": None}
    await listening.aclose()  # type: ignore[attr-defined]


async def test_what_was_published_before_is_put_when_a_network_comes(node: Node) -> None:
    record = (await node.names.publish(node.repository.key, FIRST)).record
    way = Way()
    await node.names.add_routing(way)
    await way.put.wait()
    assert way.records == {node.identity: record.encoded}
    assert node.names.is_online
    node.names.remove_routing(way)
    assert not node.names.is_online


async def test_publishing_can_wait_until_others_have_it_and_says_who_did_not(node: Node) -> None:
    way, closed = Way(), Way(is_open=False)
    await node.names.add_routing(way)
    await node.names.add_routing(closed)
    published = await node.names.publish(node.repository.key, FIRST, wait=True)
    assert published.put is not None
    assert published.put.reached == ("way",)
    assert published.put.failed == ("way: nobody is there",)


async def test_a_newer_record_of_ours_elsewhere_is_continued(node: Node) -> None:
    key = node.keys.generate("moved")
    way, name = Way(), PeerId.of(key.public)
    elsewhere = Record.create(key, str(FIRST), sequence=41, validity=time.time_ns() + 3_600 * SECOND, ttl=0)
    way.records[name] = elsewhere.encoded
    await node.names.add_routing(way)
    published = await node.names.publish(key, SECOND_PATH, wait=True)
    assert published.record.sequence == 42
    assert way.records[name] == published.record.encoded


async def test_others_names_are_asked_for_and_kept_for_when_the_network_is_gone(node: Node) -> None:
    key = PrivateKey.generate()
    way, name = Way(), PeerId.of(key.public)
    record = Record.create(key, str(FIRST), sequence=1, validity=time.time_ns() + 3_600 * SECOND, ttl=SECOND)
    way.records[name] = record.encoded
    with pytest.raises(NameNotFound):
        await node.names.resolve(str(name))
    await node.names.add_routing(way)
    with pytest.raises(NameNotFound):
        await node.names.resolve(str(name), offline=True)
    assert (await node.names.resolve(str(name))).path == FIRST
    node.names.remove_routing(way)
    assert (await node.names.resolve(str(name), offline=True)).path == FIRST
    newer = Record.create(key, str(SECOND_PATH), sequence=2, validity=record.validity, ttl=SECOND)
    assert await node.names.learn(name, newer.encoded) == newer
    assert (await node.names.step(str(name))).path == SECOND_PATH


async def test_domains_are_asked_of_the_configured_servers(tmp_path: Path) -> None:
    with name_server() as (zone, server):
        zone.texts["_dnslink.site.example"] = [f"dnslink={FIRST}/a"]
        async with Node(tmp_path / "repository", profile="test", overrides={"dns.servers": [server]}) as node:
            found = await node.names.resolve("site.example")
            assert str(found.path) == f"{FIRST}/a"
            assert found.time_to_live == 60


async def test_in_the_test_profile_no_server_is_asked(node: Node) -> None:
    with pytest.raises(NameNotFound, match=r"site\.example as far as this node can tell"):
        await node.names.resolve("site.example")


async def test_who_asks_nobody_sees_a_new_publication_at_once(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test") as node:
        key = node.repository.key
        for path in (FIRST, SECOND_PATH, FIRST):
            await node.names.publish(key, path)
            assert (await node.names.resolve(str(node.identity), offline=True)).path == path
            assert (await node.names.step(str(node.identity), offline=True)).path == path
