"""`dag/get`, `dag/put`, `dag/resolve`, `dag/stat`."""

from __future__ import annotations

import json

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, upload
from zwerm.daemon.rpc.errors import CommandError


async def put(rpc: Rpc, value: object, **options: object) -> str:
    (item,) = await rpc.items("dag/put", body=upload(json.dumps(value).encode()), **options)
    return str(item["Cid"]["/"])


async def test_values_come_back_in_any_codec(rpc: Rpc) -> None:
    value = {"a": [1, True, None, "x"], "b": {"/": {"bytes": "AQI"}}}
    address = await put(rpc, value)
    assert address.startswith("bafyrei")
    assert json.loads(await rpc.data("dag/get", address)) == value
    assert json.loads(await rpc.data("dag/get", f"{address}/a/3")) == "x"
    assert (await rpc.data("dag/get", address, output_codec="dag-cbor")).startswith(b"\xa2aa\x84\x01\xf5\xf6ax")
    assert (await put(rpc, value, store_codec="dag-json")).startswith("baguqee")


async def test_links_are_followed(rpc: Rpc) -> None:
    inner = await put(rpc, {"name": "inner"})
    outer = await put(rpc, {"to": {"/": inner}}, pin=True)
    assert json.loads(await rpc.data("dag/get", f"/ipfs/{outer}/to/name")) == "inner"
    assert await rpc.call("dag/resolve", f"{outer}/to/name") == {"Cid": {"/": inner}, "RemPath": "name"}
    assert await rpc.call("dag/resolve", f"{outer}/to") == {"Cid": {"/": inner}, "RemPath": ""}
    assert set((await rpc.last("pin/ls"))["Keys"]) == {inner, outer}


async def test_dag_pb_is_written_from_its_map(rpc: Rpc) -> None:
    address = await put(rpc, {"Data": {"/": {"bytes": "CAE"}}, "Links": []}, store_codec="dag-pb")
    assert address == "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"  # the empty folder
    with pytest.raises(Exception, match="dag-pb node"):
        await put(rpc, {"Other": 1}, store_codec="dag-pb")


async def test_bad_input_and_unknown_codecs_are_refused(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="codec 'x' is not known"):
        await put(rpc, {}, store_codec="x")
    with pytest.raises(Exception, match="JSON"):
        await rpc.items("dag/put", body=upload(b"{"))
    with pytest.raises(CommandError, match="is a folder"):
        await rpc.items("dag/put", body=Upload([("d/", b"")]))


async def test_stat_counts_each_block_once(rpc: Rpc) -> None:
    leaf = await put(rpc, "x")
    one = await put(rpc, [{"/": leaf}, {"/": leaf}])
    two = await put(rpc, {"l": {"/": leaf}})
    found = await rpc.last("dag/stat", one, two)
    assert [row["NumBlocks"] for row in found["DagStats"]] == [2, 2]
    assert found["UniqueBlocks"] == 3
    assert found["SharedSize"] == 2
    assert found["Ratio"] == pytest.approx((found["TotalSize"] + 2) / found["TotalSize"])


async def test_stat_reports_on_the_way(rpc: Rpc) -> None:
    address = await rpc.add(bytes(10_000_000), chunker="size-1000000")
    many = await rpc.add(b"".join(bytes([index]) * 1_000_000 for index in range(10)), chunker="size-1000000")
    assert len(await rpc.items("dag/stat", address, many)) > 1
    assert len(await rpc.items("dag/stat", address, many, progress=False)) == 1
