"""`refs`, `refs/local`, `resolve`."""

from __future__ import annotations

import json

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, upload
from zwerm.daemon.rpc.errors import UsageError


@pytest.fixture
async def tree(rpc: Rpc) -> dict[str, str]:
    """root: a -> leaf, s -> s/b -> leaf, s/c."""
    body = Upload([("root/a", b"leaf"), ("root/s/b", b"leaf"), ("root/s/c", b"other")])
    return {item["Name"]: item["Hash"] for item in await rpc.items("add", body=body)}


async def refs(rpc: Rpc, *paths: str, **options: object) -> list[str]:
    return [item["Ref"] for item in await rpc.items("refs", *paths, **options)]


async def test_direct_links_by_default(rpc: Rpc, tree: dict[str, str]) -> None:
    assert await refs(rpc, tree["root"]) == [tree["root/a"], tree["root/s"]]


async def test_recursively_in_order_and_each_once(rpc: Rpc, tree: dict[str, str]) -> None:
    leaf, s, other = tree["root/a"], tree["root/s"], tree["root/s/c"]
    assert await refs(rpc, tree["root"], recursive=True) == [leaf, s, leaf, other]
    assert await refs(rpc, tree["root"], recursive=True, unique=True) == [leaf, s, other]
    assert await refs(rpc, tree["root"], recursive=True, max_depth=1) == [leaf, s]
    assert await refs(rpc, tree["root"], tree["root"], unique=True) == [leaf, s]


async def test_links_are_written_as_asked(rpc: Rpc, tree: dict[str, str]) -> None:
    root, leaf, s = tree["root"], tree["root/a"], tree["root/s"]
    assert await refs(rpc, root, edges=True) == [f"{root} -> {leaf}", f"{root} -> {s}"]
    assert await refs(rpc, root, format="<linkname>:<dst>") == [f"a:{leaf}", f"s:{s}"]
    with pytest.raises(UsageError, match="cannot be given together"):
        await refs(rpc, root, edges=True, format="<src>")


async def test_what_is_not_here_is_told_and_the_rest_goes_on(rpc: Rpc, tree: dict[str, str]) -> None:
    await rpc.call("pin/rm", tree["root"])
    await rpc.items("block/rm", tree["root/s"])
    items = await rpc.items("refs", tree["root"], tree["root/s"], recursive=True)
    assert [item["Ref"] for item in items] == [tree["root/a"], tree["root/s"], "", ""]
    assert all("is not here" in item["Err"] for item in items[2:])


async def test_links_of_any_codec(rpc: Rpc, tree: dict[str, str]) -> None:
    value = json.dumps([{"/": tree["root"]}, {"/": tree["root/a"]}]).encode()
    (put,) = await rpc.items("dag/put", body=upload(value))
    assert await refs(rpc, put["Cid"]["/"]) == [tree["root"], tree["root/a"]]


async def test_local_refs_are_raw_addresses(rpc: Rpc, tree: dict[str, str]) -> None:
    local = [item["Ref"] for item in await rpc.items("refs/local")]
    assert tree["root/a"] in local
    assert all(ref.startswith("bafk") for ref in local)


async def test_resolving(rpc: Rpc, tree: dict[str, str]) -> None:
    assert await rpc.call("resolve", f"/ipfs/{tree['root']}/s/c") == {"Path": f"/ipfs/{tree['root/s/c']}"}
    (put,) = await rpc.items("dag/put", body=upload(b'{"a": {"b": 1}}'))
    address = put["Cid"]["/"]
    assert await rpc.call("resolve", f"/ipfs/{address}/a/b") == {"Path": f"/ipfs/{address}/a/b"}
    await rpc.call("files/cp", f"/ipfs/{tree['root']}", "/site")
    assert await rpc.call("resolve", "/site/s") == {"Path": f"/ipfs/{tree['root/s']}"}
    with pytest.raises(Exception, match="nothing is published under /ipns/example"):
        await rpc.call("resolve", "/ipns/example.org")
