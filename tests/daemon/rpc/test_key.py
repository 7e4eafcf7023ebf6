"""`key/*`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from zwerm.core.errors import LocalProtocolError, NotFoundError, ZwermError
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.daemon.rpc.registry import find


async def test_keys_are_made_listed_renamed_and_removed(rpc: Rpc) -> None:
    made = await rpc.call("key/gen", "blog")
    assert made["Id"].startswith("k51qzi5uqu5d")
    listed = (await rpc.call("key/list"))["Keys"]
    assert [row["Name"] for row in listed] == ["self", "blog"]
    renamed = await rpc.call("key/rename", "blog", "journal")
    assert renamed == {"Was": "blog", "Now": "journal", "Id": made["Id"], "Overwrite": False}
    assert await rpc.call("key/rm", "journal") == {"Keys": [{"Name": "journal", "Id": made["Id"]}]}
    with pytest.raises(NotFoundError):
        await rpc.call("key/rm", "journal")


@pytest.mark.parametrize(("kind", "start"), [("rsa", "k2k4r8"), ("secp256k1", "k"), ("Ed25519", "k51")])
async def test_keys_are_of_any_type(rpc: Rpc, kind: str, start: str) -> None:
    assert (await rpc.call("key/gen", "x", type=kind))["Id"].startswith(start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"type": "dsa"}, "key type 'dsa', expected"),
        ({"type": "rsa", "size": 1024}, "key size 1024"),
        ({"ipns_base": "base1"}, "base 'base1' of peer IDs"),
    ],
)
async def test_other_keys_are_refused(rpc: Rpc, options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        await rpc.call("key/gen", "x", **options)


async def test_names_are_taken_once(rpc: Rpc) -> None:
    await rpc.call("key/gen", "a")
    await rpc.call("key/gen", "b")
    with pytest.raises(LocalProtocolError, match="exists already"):
        await rpc.call("key/rename", "a", "b")
    assert (await rpc.call("key/rename", "a", "b", force=True))["Overwrite"] is True
    with pytest.raises(LocalProtocolError, match="node's own key"):
        await rpc.call("key/gen", "self")


async def test_removing_several_checks_all_of_them_first(rpc: Rpc) -> None:
    await rpc.call("key/gen", "a")
    with pytest.raises(NotFoundError):
        await rpc.call("key/rm", "a", "nothing")
    assert len((await rpc.call("key/list"))["Keys"]) == 2


@pytest.mark.parametrize("form", ["libp2p-protobuf-cleartext", "pem-pkcs8-cleartext"])
async def test_an_exported_key_comes_back(rpc: Rpc, form: str) -> None:
    made = await rpc.call("key/gen", "a")
    secret = await rpc.data("key/export", "a", format=form)
    assert (await rpc.call("key/import", "b", body=upload(secret), format=form))["Id"] == made["Id"]
    with pytest.raises(CommandError, match=f"that is no key in the form {form}"):
        await rpc.call("key/import", "c", body=upload(b"no key"), format=form)


async def test_import_takes_known_formats_only(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="key format 'der'"):
        await rpc.call("key/import", "a", body=upload(b""), format="der")


def test_secrets_do_not_leave_over_http() -> None:
    assert find("key/export").local_only
    assert find("key/rotate").local_only


async def test_rotating_keeps_the_old_key_under_a_name(rpc: Rpc) -> None:
    before = (await rpc.call("id"))["ID"]
    now = (await rpc.call("key/rotate", oldkey="old"))["ID"]
    assert now != before
    assert (await rpc.call("id"))["ID"] == now
    rows = {row["Name"]: row["Id"] for row in (await rpc.call("key/list", ipns_base="b58mh"))["Keys"]}
    assert rows["old"] == before
    assert (await rpc.call("key/ls"))["Keys"] == (await rpc.call("key/list"))["Keys"]


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "--oldkey is missing"), ({"oldkey": "self"}, "is the node's own key"), ({"oldkey": "a", "type": "x"}, "'x'")],
)
async def test_a_rotation_that_cannot_be_changes_nothing(rpc: Rpc, options: dict[str, str], message: str) -> None:
    before = await rpc.call("id")
    with pytest.raises(ZwermError, match=message):
        await rpc.call("key/rotate", **options)
    assert await rpc.call("id") == before
    assert len((await rpc.call("key/list"))["Keys"]) == 1


async def test_signatures_are_checked_by_name_or_by_anybodys_id(rpc: Rpc) -> None:
    made = await rpc.call("key/gen", "a")
    signed = await rpc.call("key/sign", body=upload(b"letter"), key="a")
    assert signed["Key"]["Name"] == "a"
    for key in ("a", made["Id"]):
        options = {"key": key, "signature": signed["Signature"]}
        assert (await rpc.call("key/verify", body=upload(b"letter"), **options))["SignatureValid"] is True
        assert (await rpc.call("key/verify", body=upload(b"other"), **options))["SignatureValid"] is False
    own = await rpc.call("key/sign", body=upload(b"letter"))
    assert own["Key"] == {"Name": "self", "Id": (await rpc.call("key/list"))["Keys"][0]["Id"]}
    with pytest.raises(UsageError, match="--signature is missing"):
        await rpc.call("key/verify", body=upload(b"letter"))
    with pytest.raises(NotFoundError, match="no key named 'nobody'"):
        await rpc.call("key/verify", body=upload(b"letter"), key="nobody", signature=own["Signature"])
