"""Pins that could not be had: remembered over restarts, and made when somebody gives the content."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.daemon.rpc.caller import Rpc
from tests.daemon.rpc.networked import address_of
from zwerm.core.errors import ResourceLimitError
from zwerm.core.random import seeded
from zwerm.daemon.rpc.errors import CommandError
from zwerm.multiformats.cid import CID
from zwerm.node import wanted
from zwerm.node.node import Node
from zwerm.node.wanted import Wanted

CONTENT = seeded("wanted").randbytes(700_000)


async def test_a_pin_that_was_asked_for_offline_is_made_after_a_restart_when_somebody_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanted, "_SETTLE", 0.1)
    async with Node(tmp_path / "bob", profile="test", online=True) as bob:
        cid = await bob.add(CONTENT)
        async with Node(tmp_path / "ann", profile="test") as ann:
            with pytest.raises(CommandError, match="it stays wanted, and is pinned when somebody gives it"):
                await Rpc(ann).items("pin/add", str(cid), name="thesis")
        async with Node(tmp_path / "ann", profile="test", online=True) as ann:
            rpc = Rpc(ann)
            (row,) = (await rpc.call("pin/wanted"))["Wanted"]
            assert (row["Cid"], row["Type"], row["Name"]) == (str(cid), "recursive", "thesis")
            await rpc.call("swarm/connect", address_of(bob))
            async with asyncio.timeout(20):
                while (await rpc.call("pin/wanted"))["Wanted"]:  # noqa: ASYNC110 -- it is told nobody
                    await asyncio.sleep(0.05)
            pin = await asyncio.to_thread(ann.pins.find, cid)
            assert pin is not None
            assert pin.name == "thesis"
            assert b"".join([part async for part in ann.cat(cid)]) == CONTENT


async def test_a_wanted_pin_is_taken_back_by_unpinning(tmp_path: Path) -> None:
    cid = str(CID.of(b"nowhere"))
    async with Node(tmp_path, profile="test") as node:
        rpc = Rpc(node)
        with pytest.raises(CommandError, match="stays wanted"):
            await rpc.items("pin/add", cid)
        assert await rpc.call("pin/rm", cid) == {"Pins": [cid]}
        assert await rpc.call("pin/wanted") == {"Wanted": []}


async def test_who_gives_up_waiting_wants_it_no_longer(tmp_path: Path) -> None:
    async with (
        Node(tmp_path / "ann", profile="test", online=True) as ann,
        Node(tmp_path / "bob", profile="test", online=True) as bob,
    ):
        rpc = Rpc(ann)
        await rpc.call("swarm/connect", address_of(bob))
        asking = asyncio.create_task(rpc.items("pin/add", str(CID.of(b"nowhere"))))
        async with asyncio.timeout(10):
            while not (await rpc.call("pin/wanted"))["Wanted"]:  # noqa: ASYNC110 -- it is told nobody
                await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        assert await rpc.call("pin/wanted") == {"Wanted": []}


async def test_only_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted, "MOST", 2)
    async with Node(tmp_path, profile="test") as node:
        pins = Wanted(node.database)
        for number in range(2):
            pins.add(CID.of(b"%d" % number), recursive=True)
        with pytest.raises(ResourceLimitError, match="3 wanted pins, the limit is 2"):
            pins.add(CID.of(b"2"), recursive=False)
        pins.add(CID.of(b"1"), recursive=False, name="again")
        assert [(pin.recursive, pin.name) for pin in pins.list()] == [(True, ""), (False, "again")]
        assert not pins.remove(CID.of(b"2"))
