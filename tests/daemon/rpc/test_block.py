"""`block/*`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc, Upload, upload
from zwerm.daemon.rpc.errors import CommandError

RAW = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"  # of b"hello world", by every implementation


async def put(rpc: Rpc, data: bytes, **options: object) -> str:
    (item,) = await rpc.items("block/put", body=upload(data), **options)
    assert item["Size"] == len(data)
    return str(item["Key"])


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ({}, RAW),
        ({"cid_codec": "dag-cbor"}, "bafyrei"),
        ({"cid_codec": "dag-pb"}, "bafybei"),
        ({"format": "v0"}, "Qm"),
        ({"format": "protobuf"}, "bafybei"),
        ({"format": "cbor"}, "bafyrei"),
        ({"mhtype": "sha2-512"}, "bafkrg"),
        ({"mhtype": "sha2-256", "mhlen": 20}, "bafkrefx"),
        ({"mhtype": "identity"}, "bafkqac3imvwgy3zao5xxe3de"),
    ],
)
async def test_a_block_is_named_as_asked(rpc: Rpc, options: dict[str, object], start: str) -> None:
    address = await put(rpc, b"hello world", **options)
    assert address.startswith(start[:6])
    assert await rpc.data("block/get", address) == b"hello world"
    assert await rpc.call("block/stat", address) == {"Key": address, "Size": 11}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cid_codec": "nonsense"}, "codec 'nonsense' is not known"),
        ({"mhtype": "md5"}, "hash function 'md5' is not known"),
        ({"mhlen": 5}, "hash length 5, expected 20 to 32"),
        ({"format": "v0", "cid_codec": "dag-cbor"}, "give one of them"),
        ({"format": "v0", "mhtype": "sha2-512"}, "CIDv0"),
    ],
)
async def test_other_names_are_refused(rpc: Rpc, options: dict[str, object], message: str) -> None:
    with pytest.raises(Exception, match=message):
        await put(rpc, b"hello world", **options)


async def test_each_part_is_a_block_and_folders_are_refused(rpc: Rpc) -> None:
    assert len(await rpc.items("block/put", body=upload(b"1", b"2"))) == 2
    with pytest.raises(CommandError, match="is a folder"):
        await rpc.items("block/put", body=Upload([("d/", b"")]))
    with pytest.raises(Exception, match="more than 2097152 bytes"):
        await put(rpc, bytes(2 * 1024 * 1024 + 1))


async def test_pinned_blocks_stay(rpc: Rpc) -> None:
    address = await put(rpc, b"kept", pin=True)
    (item,) = await rpc.items("block/rm", address)
    assert item == {"Hash": address, "Error": "pinned: recursive"}


async def test_removing_goes_on_after_a_failure(rpc: Rpc) -> None:
    address = await put(rpc, b"loose")
    items = await rpc.items("block/rm", RAW, address)
    assert items == [{"Hash": RAW, "Error": f"block {RAW} is not here"}, {"Hash": address}]
    assert await rpc.items("block/rm", RAW, force=True) == [{"Hash": RAW}]
    assert await rpc.items("block/rm", RAW, force=True, quiet=True) == []


async def test_a_block_that_is_not_here_is_named(rpc: Rpc) -> None:
    for command in ("block/get", "block/stat"):
        with pytest.raises(Exception, match=f"block {RAW} is not here"):
            await rpc.call(command, RAW)
