"""`name/*`, and `resolve` of names."""

from __future__ import annotations

import base64

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from tests.ipfs.ipns.vectors import vector
from zwerm.core.errors import NotFoundError, WireError
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.names import NameNotFound

ABSENT = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"


async def test_a_name_is_published_and_resolves_at_once(rpc: Rpc) -> None:
    address = await rpc.add(b"hello")
    published = await rpc.call("name/publish", address)
    own = rpc.node.identity.to_cid().encode("base36")
    assert published == {"Name": own, "Value": f"/ipfs/{address}"}
    for name in ((), (own,), (f"/ipns/{own}",), (str(rpc.node.identity),)):
        assert await rpc.call("name/resolve", *name) == {"Path": f"/ipfs/{address}"}
    assert await rpc.call("resolve", f"/ipns/{own}") == {"Path": f"/ipfs/{address}"}
    assert await rpc.data("cat", f"/ipns/{own}") == b"hello"


async def test_a_key_is_given_by_its_name_or_its_id_and_written_in_any_base(rpc: Rpc) -> None:
    address = await rpc.add(b"hello")
    made = await rpc.call("key/gen", "blog")
    for key in ("blog", made["Id"]):
        published = await rpc.call("name/publish", address, key=key, ipns_base="b58mh")
        assert published["Name"].startswith("12D3KooW")
    with pytest.raises(NotFoundError, match="no key named 'nobody'"):
        await rpc.call("name/publish", address, key="nobody")


async def test_a_name_of_a_name_is_followed_step_by_step_or_to_the_end(rpc: Rpc) -> None:
    address = await rpc.add(b"hello")
    first = (await rpc.call("name/publish", address, key="self"))["Name"]
    await rpc.call("key/gen", "second")
    second = (await rpc.call("name/publish", f"/ipns/{first}", key="second"))["Name"]
    assert await rpc.call("name/resolve", second) == {"Path": f"/ipfs/{address}"}
    assert await rpc.call("name/resolve", second, recursive=False) == {"Path": f"/ipns/{first}"}
    assert await rpc.call("resolve", f"/ipns/{second}") == {"Path": f"/ipfs/{address}"}
    assert await rpc.call("resolve", f"/ipns/{second}", recursive=False) == {"Path": f"/ipns/{first}"}


async def test_a_path_is_published_as_it_stands_and_followed_first(rpc: Rpc) -> None:
    await rpc.call("files/mkdir", "/site")
    published = await rpc.call("name/publish", "/site")
    assert published["Value"].startswith("/ipfs/bafy")
    with pytest.raises(NotFoundError):
        await rpc.call("name/publish", f"/ipfs/{ABSENT}/a")
    assert (await rpc.call("name/publish", f"/ipfs/{ABSENT}/a", resolve=False))["Value"] == f"/ipfs/{ABSENT}/a"
    await rpc.call("name/publish", "/ipns/nothing.example/a", resolve=False)
    assert await rpc.call("name/resolve", recursive=False) == {"Path": "/ipns/nothing.example/a"}
    with pytest.raises(NameNotFound):
        await rpc.call("name/resolve")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lifetime": "0s"}, "--lifetime is '0s'"),
        ({"lifetime": "9999999h"}, "--lifetime"),
        ({"ttl": "soon"}, "duration 'soon'"),
        ({"ipns_base": "base1"}, "base 'base1'"),
    ],
)
async def test_terms_that_cannot_be_are_refused(rpc: Rpc, options: dict[str, str], message: str) -> None:
    address = await rpc.add(b"hello")
    with pytest.raises(CommandError, match=message):
        await rpc.call("name/publish", address, **options)


async def test_what_is_no_path_or_name_is_refused(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="invalid path"):
        await rpc.call("name/publish", "/ipns/a b")
    with pytest.raises(CommandError, match="invalid name"):
        await rpc.call("name/resolve", "a b")
    with pytest.raises(NameNotFound):
        await rpc.call("name/resolve")


async def test_a_record_is_looked_into_and_verified(rpc: Rpc) -> None:
    case = vector("v1-v2")
    text = case.name.to_cid().encode("base36")
    shown = await rpc.call("name/inspect", body=upload(case.encoded), verify=text)
    assert shown["Entry"] == {
        "Value": "/ipfs/bafkqaddwgevxmmraojswg33smq",
        "ValidityType": 0,
        "Validity": "2123-08-14T12:17:03.694052000Z",
        "Sequence": 0,
        "TTL": 1_800_000_000_000,
        "PublicKey": "",
    }
    assert shown["SignatureType"] == "V1+V2"
    assert shown["PbSize"] == len(case.encoded)
    assert bytes.fromhex(shown["HexDump"]) == case.encoded
    assert shown["Validation"] == {"Valid": True, "Reason": "", "Name": text}
    other = str(rpc.node.identity)
    shown = await rpc.call("name/inspect", body=upload(vector("v2").encoded), verify=other, dump=False)
    assert shown["SignatureType"] == "V2"
    assert shown["HexDump"] == ""
    assert not shown["Validation"]["Valid"]
    assert "wrong signature" in shown["Validation"]["Reason"]


async def test_a_record_that_carries_its_key_is_verified_by_itself(rpc: Rpc) -> None:
    shown = await rpc.call("name/inspect", body=upload(vector("rsa of Kubo").encoded))
    assert shown["Validation"]["Valid"]
    assert base64.b64decode(shown["Entry"]["PublicKey"])
    assert "Validation" not in await rpc.call("name/inspect", body=upload(vector("v2").encoded))
    ended = Record.create(PrivateKey.generate(KeyType.RSA), "/ipfs/a", sequence=0, validity=1, ttl=0)
    shown = await rpc.call("name/inspect", body=upload(ended.encoded))
    assert "ended at 1970" in shown["Validation"]["Reason"]
    assert PeerId.from_text(shown["Validation"]["Name"])


async def test_what_is_no_record_is_refused(rpc: Rpc) -> None:
    with pytest.raises(WireError):
        await rpc.call("name/inspect", body=upload(b"junk"))
    with pytest.raises(UsageError):
        await rpc.call("name/inspect", body=upload())
