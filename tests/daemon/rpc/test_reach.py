"""`diag/reach`: whether others can get something now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import two_nodes
from zwerm.core.errors import NotFoundError
from zwerm.multiformats.cid import CID


async def test_without_a_network_nothing_is_reached(rpc: Rpc) -> None:
    cid = await rpc.add(b"kept to itself")
    found = await rpc.call("diag/reach", str(cid))
    assert (found["Cid"], found["Standing"], found["Here"], found["Addresses"]) == (str(cid), "offline", True, [])


@pytest.mark.slow
async def test_what_is_not_here_is_looked_for_nowhere(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = await bob.node.add(b"of bob")
        assert (await ann.call("diag/reach", str(cid)))["Standing"] == "missing"
        assert not ann.node.store.has(cid)
        with pytest.raises(NotFoundError):
            await ann.call("diag/reach", f"/ipfs/{CID.of(b'of nobody').to_v1()}/below")
        found = await bob.call("diag/reach", str(cid))
        assert (found["Here"], found["Peers"]) == (True, 1)
        assert all(each["Near"] and each["Address"].endswith(str(bob.node.identity)) for each in found["Addresses"])
