"""`name/get` and `name/put`, and `routing/get` of one's own name."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from tests.daemon.rpc.networked import two_nodes
from tests.node.test_network_routing import contacts, until
from zwerm.daemon.rpc.errors import CommandError, UsageError
from zwerm.ipfs.ipns.record import Record


async def test_ones_own_record_is_got_without_anybody(rpc: Rpc) -> None:
    address = await rpc.add(b"hello")
    name = (await rpc.call("name/publish", address))["Name"]
    encoded = await rpc.data("name/get", name)
    assert Record.parse(encoded).value.decode() == f"/ipfs/{address}"
    assert await rpc.data("name/get", f"/ipns/{name}") == encoded
    (found,) = await rpc.items("routing/get", f"/ipns/{name}")
    assert (found["Type"], base64.b64decode(found["Extra"])) == (5, encoded)


async def test_a_name_that_nobody_published_has_no_record(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="no record of"):
        await rpc.data("name/get", str(rpc.node.identity))
    with pytest.raises(UsageError, match="invalid IPNS name"):
        await rpc.data("name/get", "example.org")


async def test_a_record_is_kept_only_where_it_belongs_and_never_an_older_for_a_newer(rpc: Rpc) -> None:
    first, second = await rpc.add(b"first"), await rpc.add(b"second")
    name = (await rpc.call("name/publish", first))["Name"]
    old = await rpc.data("name/get", name)
    await rpc.call("name/publish", second)
    new = await rpc.data("name/get", name)
    with pytest.raises(CommandError, match="has sequence 1 >= new record sequence 0"):
        await rpc.call("name/put", name, body=upload(old), allow_offline=True)
    await rpc.call("name/put", name, body=upload(old), allow_offline=True, force=True)
    assert await rpc.data("name/get", name) == new
    answer = await rpc.call("name/put", name, body=upload(new), allow_offline=True)
    assert answer == {"Name": name, "Value": f"/ipfs/{second}"}
    other = (await rpc.call("key/gen", "other"))["Id"]
    with pytest.raises(CommandError, match="record validation failed"):
        await rpc.call("name/put", other, body=upload(new), allow_offline=True)
    with pytest.raises(CommandError, match="record validation failed"):
        await rpc.call("name/put", name, body=upload(b"no record"), allow_offline=True)
    with pytest.raises(CommandError, match="online mode"):
        await rpc.call("name/put", name, body=upload(new))


@pytest.mark.slow
async def test_somebody_elses_record_is_passed_on(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        await until(lambda: contacts(ann.node) and contacts(bob.node))
        address = await ann.add(b"hello")
        name = (await ann.call("name/publish", address, allow_offline=True))["Name"]
        record = await ann.data("name/get", name)
        assert (await bob.call("name/put", name, body=upload(record)))["Name"] == name
        assert await bob.data("name/get", name) == record
        assert await bob.call("name/resolve", name) == {"Path": f"/ipfs/{address}"}
