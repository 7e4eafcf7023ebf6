"""Blocks exchanged with Kubo 0.22 and Helia over TCP: files both ways, whoever dials."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.daemon.rpc.networked import address_of, network_of
from tests.peers.lines import LinePeer
from zwerm.core.random import seeded
from zwerm.node.node import Node
from zwerm.node.peering import parse_peer_address

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.xdist_group("bitswap-peers")]

SIZE = 8 * 1_048_576 + 12_345


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with Node(tmp_path / "ours", profile="test", online=True) as running:
        yield running


class Content(NamedTuple):
    """A file on the disk."""

    path: Path
    data: bytes


def file_of(path: Path) -> Content:
    data = seeded("content", path.name).randbytes(SIZE)
    path.write_bytes(data)
    return Content(path, data)


@pytest.fixture
def theirs(tmp_path: Path) -> Content:
    return file_of(tmp_path / "theirs")


@pytest.fixture
def own(tmp_path: Path) -> Content:
    return file_of(tmp_path / "own")


class Kubo:
    """Kubo in a process, asked in a thread."""

    def __init__(self, lines: LinePeer) -> None:
        self._lines = lines

    async def ask(self, *question: str) -> Any:
        async with asyncio.timeout(90):
            return (await asyncio.to_thread(self._lines.ask, question))["result"]

    async def connect(self, node: Node) -> None:
        await self.ask("connect", address_of(node))

    async def connected_from(self, node: Node) -> None:
        text = next(text for text in json.loads(await self.ask("addresses")) if "/tcp/" in text)
        await dial(node, f"{text}/p2p/{await self.ask('id')}" if "/p2p/" not in text else text)

    async def add(self, path: Path) -> str:
        return str(await self.ask("add", str(path)))

    async def get(self, cid: str, target: Path) -> bytes:
        await self.ask("get", cid, str(target))
        return await asyncio.to_thread(target.read_bytes)


class Helia:
    """Helia in a process, asked in a thread."""

    def __init__(self, lines: LinePeer) -> None:
        self._lines = lines
        self._address: str = lines.answer()["address"]

    async def _ask(self, name: str, argument: str) -> Any:
        async with asyncio.timeout(90):
            return (await asyncio.to_thread(self._lines.ask, {name: argument}))["result"]

    async def connect(self, node: Node) -> None:
        await self._ask("connect", address_of(node))

    async def connected_from(self, node: Node) -> None:
        await dial(node, self._address)

    async def add(self, path: Path) -> str:
        return str(await self._ask("add", str(path)))

    async def get_hash(self, cid: str) -> str:
        return str((await self._ask("get", cid))["sha256"])


async def dial(node: Node, address: str) -> None:
    peer, at = parse_peer_address(address)
    assert at is not None
    await network_of(node).swarm.connect(peer, [at])


@pytest_asyncio.fixture
async def kubo(tmp_path: Path) -> AsyncIterator[Kubo]:
    with LinePeer.python("kubo.py", str(tmp_path / "kubo")) as lines:
        await asyncio.to_thread(lines.answer)
        yield Kubo(lines)


@pytest_asyncio.fixture
async def helia() -> AsyncIterator[Helia]:
    with LinePeer.node("helia_tcp.mjs") as lines:
        yield await asyncio.to_thread(Helia, lines)


async def read(node: Node, cid: str) -> bytes:
    async with asyncio.timeout(60):
        return b"".join([part async for part in node.cat(cid)])


@pytest.mark.parametrize("we_dial", [True, False], ids=["we dial", "Kubo dials"])
async def test_files_go_to_kubo_and_come_from_it(
    node: Node, kubo: Kubo, own: Content, theirs: Content, tmp_path: Path, *, we_dial: bool
) -> None:
    await (kubo.connected_from(node) if we_dial else kubo.connect(node))
    cid = await node.add(own.path)
    assert await kubo.get(str(cid), tmp_path / "got") == own.data
    assert await read(node, await kubo.add(theirs.path)) == theirs.data
    assert network_of(node).bitswap.client.unasked == 0
    assert network_of(node).bitswap.client.duplicates == 0


async def test_kubo_pins_what_only_we_have_and_gives_it_to_a_third(
    node: Node, kubo: Kubo, own: Content, tmp_path: Path
) -> None:
    cid = str(await node.add(own.path))
    await kubo.connect(node)
    await kubo.ask("pin", cid)
    async with Node(tmp_path / "third", profile="test", online=True) as third:
        await kubo.connected_from(third)
        assert await read(third, cid) == own.data


async def test_two_sources_of_different_make_share_the_work(
    node: Node, kubo: Kubo, own: Content, tmp_path: Path
) -> None:
    cid = str(await node.add(own.path))
    await kubo.connect(node)
    await kubo.ask("pin", cid)
    async with Node(tmp_path / "third", profile="test", online=True) as third:
        await kubo.connected_from(third)
        await dial(third, address_of(node))
        assert await read(third, cid) == own.data
        client = network_of(third).bitswap.client
        assert client.unasked == 0
        assert client.duplicates <= 2


@pytest.mark.parametrize("we_dial", [True, False], ids=["we dial", "Helia dials"])
async def test_files_go_to_helia_and_come_from_it(
    node: Node, helia: Helia, own: Content, theirs: Content, *, we_dial: bool
) -> None:
    await (helia.connected_from(node) if we_dial else helia.connect(node))
    cid = await node.add(own.path)
    assert await helia.get_hash(str(cid)) == hashlib.sha256(own.data).hexdigest()
    assert await read(node, await helia.add(theirs.path)) == theirs.data
    assert network_of(node).bitswap.client.unasked == 0
