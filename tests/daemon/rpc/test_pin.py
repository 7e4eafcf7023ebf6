"""`pin/*`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.core.errors import NotFoundError
from zwerm.daemon.rpc.errors import CommandError


async def loose(rpc: Rpc, data: bytes) -> str:
    return await rpc.add(data, pin=False)


async def test_pins_of_each_kind_are_listed(rpc: Rpc) -> None:
    whole = await loose(rpc, bytes(600_000))
    one = await loose(rpc, b"one")
    assert await rpc.items("pin/add", whole, name="zeros") == [{"Pins": [whole]}]
    await rpc.items("pin/add", one, recursive=False)
    every = (await rpc.last("pin/ls", names=True))["Keys"]
    assert every[whole] == {"Type": "recursive", "Name": "zeros"}
    assert every[one] == {"Type": "direct", "Name": ""}
    assert sum(row["Type"] == "indirect" for row in every.values()) == 2
    assert set((await rpc.last("pin/ls", type="direct"))["Keys"]) == {one}
    assert set((await rpc.last("pin/ls", name="zero"))["Keys"]) == {whole}
    streamed = await rpc.items("pin/ls", stream=True, type="recursive")
    assert streamed == [{"Cid": whole, "Type": "recursive", "Name": ""}]


async def test_ls_says_what_keeps_a_block(rpc: Rpc) -> None:
    whole = await rpc.add(bytes(600_000))
    leaf = (await rpc.items("refs", whole))[0]["Ref"]
    assert (await rpc.last("pin/ls", leaf))["Keys"][leaf]["Type"] == f"indirect through {whole}"
    other = await loose(rpc, b"x")
    with pytest.raises(CommandError, match=f"path '{other}' is not pinned"):
        await rpc.items("pin/ls", other)
    with pytest.raises(CommandError, match="is not pinned"):
        await rpc.items("pin/ls", whole, type="direct")
    with pytest.raises(CommandError, match="invalid type 'some'"):
        await rpc.items("pin/ls", type="some")


async def test_progress_ends_with_the_pins(rpc: Rpc) -> None:
    whole = await loose(rpc, bytes(600_000))
    last = await rpc.last("pin/add", whole, progress=True)
    assert last["Pins"] == [whole]
    assert last["Progress"] >= 2


async def test_unpinning(rpc: Rpc) -> None:
    whole = await rpc.add(b"x")
    with pytest.raises(Exception, match="is pinned recursively"):
        await rpc.call("pin/rm", whole, recursive=False)
    assert await rpc.call("pin/rm", whole) == {"Pins": [whole]}
    with pytest.raises(NotFoundError, match="not pinned or pinned indirectly"):
        await rpc.call("pin/rm", whole)


async def test_updating_moves_the_name(rpc: Rpc) -> None:
    old = await rpc.add(b"old", pin_name="it")
    new = await loose(rpc, b"new")
    assert await rpc.call("pin/update", old, new) == {"Pins": [old, new]}
    assert (await rpc.last("pin/ls", names=True))["Keys"] == {new: {"Type": "recursive", "Name": "it"}}
    other = await loose(rpc, b"other")
    await rpc.call("pin/update", new, other, unpin=False)
    assert set((await rpc.last("pin/ls"))["Keys"]) == {new, other}


async def test_verifying_names_what_is_missing(rpc: Rpc) -> None:
    whole = await rpc.add(bytes(range(256)) * 3_000)
    assert await rpc.items("pin/verify") == []
    assert await rpc.items("pin/verify", verbose=True) == [{"Cid": whole, "Ok": True, "BadNodes": []}]
    leaf = (await rpc.items("refs", whole))[0]["Ref"]
    from zwerm.multiformats.cid import CID

    rpc.node.store.delete([CID.from_text(leaf)])
    (bad,) = await rpc.items("pin/verify")
    assert (bad["Ok"], bad["BadNodes"][0]["Cid"]) == (False, leaf)


async def test_names_have_a_limit(rpc: Rpc) -> None:
    whole = await loose(rpc, b"x")
    with pytest.raises(CommandError, match="pin name of 256 bytes"):
        await rpc.items("pin/add", whole, name="x" * 256)


async def test_pinning_what_is_not_here_fails(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="is not here"):
        await rpc.items("pin/add", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
