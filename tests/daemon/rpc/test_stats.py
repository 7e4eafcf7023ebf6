"""`stats/bw`; `stats/repo` is tested with `repo/stat`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import two_nodes
from zwerm.daemon.rpc.errors import CommandError, UsageError

NOTHING = {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}


async def test_nothing_goes_over_a_network_that_is_not_there(rpc: Rpc) -> None:
    assert await rpc.items("stats/bw") == [NOTHING]


async def test_polling_goes_on(rpc: Rpc) -> None:
    items = await rpc.call("stats/bw", poll=True, interval="1ms")
    assert [await anext(items) for _ in range(3)] == [NOTHING] * 3
    await items.aclose()
    with pytest.raises(UsageError):
        await rpc.items("stats/bw", interval="soon")


async def test_the_figures_of_the_repository_are_those_of_repo_stat(rpc: Rpc) -> None:
    """But for sizes on the disk and the room there, which change by themselves."""
    await rpc.add(b"something")
    found, expected = await rpc.call("stats/repo"), await rpc.call("repo/stat")
    assert found.keys() == expected.keys()
    for name in ("NumObjects", "RepoPath", "Version"):
        assert found[name] == expected[name]
    assert (await rpc.call("stats/repo", size_only=True)).keys() == found.keys()


async def test_what_went_over_the_network_is_counted_in_all_by_peer_and_by_protocol(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        await bob.items("ping", str(ann.node.identity), count=1)
        (total,) = await bob.items("stats/bw")
        assert total["TotalIn"] >= 32
        assert total["TotalOut"] >= 32
        (of_peer,) = await bob.items("stats/bw", peer=str(ann.node.identity))
        assert 32 <= of_peer["TotalIn"] <= total["TotalIn"]
        (of_ping,) = await bob.items("stats/bw", proto="/ipfs/ping/1.0.0")
        assert (of_ping["TotalIn"], of_ping["TotalOut"]) == (32, 32)
        assert await bob.items("stats/bw", proto="/nobody/speaks/this") == [NOTHING]
        with pytest.raises(CommandError, match="both"):
            await bob.items("stats/bw", peer=str(ann.node.identity), proto="/ipfs/ping/1.0.0")
