"""`routing`, `dht query`, `provide stat`: in Kubo's forms, between nodes on the loopback."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from tests.node.test_network_routing import connect, contacts, until, ways_of
from zwerm.core.errors import ZwermError
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.node.node import Node

pytestmark = pytest.mark.slow


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Rpc, Rpc]]:
    async with (
        Node(tmp_path / "alice", profile="test", online=True) as alice,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        await connect(alice, bob)
        await until(lambda: contacts(alice) and contacts(bob))
        yield Rpc(alice), Rpc(bob)


async def items(rpc: Rpc, path: str, *arguments: str, **options: Any) -> list[Any]:
    return [item async for item in await rpc.call(path, *arguments, **options)]


async def test_what_is_provided_is_found(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    cid = await alice.node.add(b"provided by alice", pin=False)
    (told,) = await items(alice, "routing/provide", str(cid), recursive=True)
    assert told == {"Extra": "MSBzZXJ2ZXJz", "ID": str(alice.node.identity), "Responses": None, "Type": 5}
    (found,) = await items(bob, "routing/findprovs", str(cid), num_providers=1)
    assert (found["Type"], found["ID"], found["Extra"]) == (4, "", "")
    assert [peer["ID"] for peer in found["Responses"]] == [str(alice.node.identity)]


async def test_what_is_provided_once_is_found_and_on_no_list(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    cid = await alice.node.add(b"told once", pin=False)
    ways = ways_of(alice.node)
    assert ways.providing is not None
    ways.providing.remove([cid.multihash])
    assert await items(alice, "provide/once", str(cid), recursive=True) == [{"Queued": str(cid)}]
    (found,) = await items(bob, "routing/findprovs", str(cid), num_providers=1)
    assert [peer["ID"] for peer in found["Responses"]] == [str(alice.node.identity)]
    assert not ways.providing.is_kept(cid.multihash)
    with pytest.raises(CommandError, match="not found locally"):
        await items(alice, "provide/once", "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4")


async def test_what_is_not_here_is_not_provided(pair: tuple[Rpc, Rpc]) -> None:
    alice, _ = pair
    with pytest.raises(CommandError, match="is not here"):
        await items(alice, "routing/provide", "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4")


async def test_a_peer_is_found_and_one_that_nobody_knows_is_not(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    (found,) = await items(alice, "routing/findpeer", str(bob.node.identity))
    assert (found["Type"], found["Responses"][0]["ID"]) == (2, str(bob.node.identity))
    assert found["Responses"][0]["Addrs"]
    nobody = PeerId.of(PrivateKey.generate().public)
    with pytest.raises(CommandError, match="was not found"):
        await items(alice, "routing/findpeer", str(nobody))


async def test_a_record_is_put_and_got(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    key = PrivateKey.generate(KeyType.ECDSA).public
    name = f"/pk/{PeerId.of(key)}"
    (told,) = await items(alice, "routing/put", name, body=upload(key.serialize()))
    assert (told["Type"], base64.b64decode(told["Extra"])) == (5, b"lan dht")
    (found,) = await items(bob, "routing/get", name)
    assert (found["Type"], base64.b64decode(found["Extra"])) == (5, key.serialize())


async def test_bad_records_and_keys_are_refused(pair: tuple[Rpc, Rpc]) -> None:
    alice, _ = pair
    name = f"/pk/{alice.node.identity}"
    with pytest.raises(CommandError, match="not a valid record"):
        await items(alice, "routing/put", name, body=upload(b"nonsense"))
    with pytest.raises(CommandError, match="no record of"):
        await items(alice, "routing/get", f"/pk/{PeerId.of(PrivateKey.generate(KeyType.RSA).public)}")
    for key in ("x", "/ipns", "/ipns/x", "/other/x"):
        with pytest.raises(UsageError, match=r"key '"):
            await items(alice, "routing/get", key)


async def test_the_servers_near_an_id_are_told(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    (found,) = await items(alice, "dht/query", str(alice.node.identity))
    assert found == {"Extra": "", "ID": str(bob.node.identity), "Responses": None, "Type": 2}


async def test_tables_are_shown(pair: tuple[Rpc, Rpc]) -> None:
    alice, bob = pair
    (wan, lan) = await items(alice, "stats/dht")
    assert (wan["Name"], wan["Buckets"], lan["Name"]) == ("wan", [], "lan")
    (peer,) = [peer for bucket in lan["Buckets"] for peer in bucket["Peers"]]
    assert (peer["ID"], peer["Connected"]) == (str(bob.node.identity), True)
    assert lan["IsServer"]
    with pytest.raises(UsageError, match="expected wan or lan"):
        await items(alice, "stats/dht", "man")


@pytest.mark.parametrize("path", ["provide/stat", "stats/provide", "stats/reprovide"])
async def test_what_is_told_is_counted(pair: tuple[Rpc, Rpc], path: str) -> None:
    alice, _ = pair
    await alice.node.add(b"something")
    await until(lambda: ways_of(alice.node).providing.statistics().records_sent)
    told = await alice.call(path)
    assert told["Keys"] >= 1
    assert told["RecordsSent"] >= 1


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("routing/findprovs", ["bafkqaaa"]),
        ("routing/findpeer", ["12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"]),
        ("dht/query", ["12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"]),
        ("stats/dht", []),
    ],
)
async def test_offline_it_says_so(rpc: Rpc, path: str, arguments: list[str]) -> None:
    with pytest.raises(ZwermError, match="online mode"):
        await items(rpc, path, *arguments)


async def test_a_node_that_keeps_out_says_which_setting_it_is(tmp_path: Path) -> None:
    async with Node(tmp_path, profile="test", online=True, overrides={"routing.dht": "off"}) as node:
        rpc = Rpc(node)
        with pytest.raises(CommandError, match=r"routing\.dht is off"):
            await items(rpc, "routing/findprovs", "bafkqaaa")
        with pytest.raises(CommandError, match=r"routing\.dht is off"):
            await rpc.call("provide/stat")
    async with Node(tmp_path, profile="test", online=True, overrides={"provide.strategy": "none"}) as node:
        with pytest.raises(CommandError, match=r"provide\.strategy"):
            await Rpc(node).call("provide/stat")
        with pytest.raises(CommandError, match=r"provide\.strategy"):
            await items(Rpc(node), "routing/provide", "bafkqaaa")
