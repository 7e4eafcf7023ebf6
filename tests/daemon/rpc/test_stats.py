"""`stats/bw`; `stats/repo` is tested with `repo/stat`."""

from __future__ import annotations

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm.daemon.rpc.errors import UsageError

NOTHING = {"TotalIn": 0, "TotalOut": 0, "RateIn": 0.0, "RateOut": 0.0}


async def test_nothing_goes_over_the_network_yet(rpc: Rpc) -> None:
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
