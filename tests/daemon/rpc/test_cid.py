"""`cid/*`: the forms of an address."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import CommandError, UsageError

V0 = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
V1 = "bafybeiffndsajwhk3lwjewwdxqntmjm4b5wxaaanokonsggenkbw6slwk4"
RAW = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"


async def one(rpc: Rpc, text: str, **options: str) -> str:
    (item,) = await rpc.items("cid/format", text, **options)
    assert item["CidStr"] == text
    assert item["ErrorMsg"] == "", item["ErrorMsg"]
    return str(item["Formatted"])


async def test_addresses_are_converted(rpc: Rpc) -> None:
    assert await one(rpc, V0, v="1", b="base32") == V1
    assert (await one(rpc, V0, v="1")).startswith("zdj7W")  # the base it came in, as Kubo
    assert await one(rpc, V1, v="0") == V0
    assert await one(rpc, V0) == V0
    assert (await one(rpc, RAW, b="base36")).startswith("k2cw")
    assert (await one(rpc, V0, b="base16")).startswith("f01701220")
    assert (await one(rpc, V0, mc="dag-cbor", b="base32")).startswith("bafyrei")
    assert [item["Formatted"] for item in await rpc.items("cid/base32", V0, RAW)] == [V1, RAW]


async def test_formats_are_filled_in(rpc: Rpc) -> None:
    assert await one(rpc, RAW, f="%v %V %c %C %h %H %L %b %B %%") == "cidv1 1 raw 85 sha2-256 18 32 base32 b %"
    assert await one(rpc, V0, f="%P") == "cidv0-dag-pb-sha2-256-32"
    assert await one(rpc, V0, f="%s|%S") == f"{V0}|{V0}"
    assert await one(rpc, RAW, f="%S") == RAW[1:]
    digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert await one(rpc, RAW, f="%D", b="base16") == digest
    assert await one(rpc, RAW, f="%M", b="base16") == "1220" + digest


async def test_what_is_no_address_does_not_end_the_rest(rpc: Rpc) -> None:
    bad, good = await rpc.items("cid/format", "b", V0)
    assert "is not a CID" in bad["ErrorMsg"]
    assert good["Formatted"] == V0
    (impossible,) = await rpc.items("cid/format", RAW, v="0")
    assert "CIDv0" in impossible["ErrorMsg"]


@pytest.mark.parametrize("options", [{"f": "nothing"}, {"v": "2"}, {"mc": "x"}, {"b": "x"}, {"v": "0", "b": "base32"}])
async def test_impossible_options_are_refused(rpc: Rpc, options: dict[str, str]) -> None:
    with pytest.raises(CommandError):
        await rpc.items("cid/format", V0, **options)
    with pytest.raises(UsageError, match="%q in the format"):
        await rpc.items("cid/format", V0, f="%q")


async def test_inspecting_says_everything(rpc: Rpc) -> None:
    found = await rpc.call("cid/inspect", V0)
    assert (found["Version"], found["CidV0"], found["CidV1"]) == (0, V0, V1)
    assert found["Multihash"]["Name"] == "sha2-256"
    found = await rpc.call("cid/inspect", RAW)
    assert (found["Multibase"]["Name"], found["Multicodec"], found["CidV0"]) == (
        "base32",
        {"Code": 85, "Name": "raw"},
        "",
    )


async def test_the_tables_are_listed(rpc: Rpc) -> None:
    assert {"Code": ord("z"), "Name": "base58btc"} in await rpc.call("cid/bases")
    assert {"Code": 0x71, "Name": "dag-cbor"} in await rpc.call("cid/codecs")
    supported = await rpc.call("cid/codecs", supported=True)
    assert {"Code": 0x71, "Name": "dag-cbor"} in supported
    assert "libp2p-key" not in [row["Name"] for row in supported]
    assert {"Code": 0x12, "Name": "sha2-256"} in await rpc.call("cid/hashes")
