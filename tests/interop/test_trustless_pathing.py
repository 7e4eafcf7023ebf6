"""The published cases of trustless pathing (npm `@ipld/specs`): a path, a scope, and the blocks that prove it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import pytest

from tests.peers.lines import PEERS
from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.car.importer import import_car
from zwerm.ipfs.car.scope import DagScope, select
from zwerm.ipfs.gateway.ranges import EntityBytes
from zwerm.ipfs.ipld.path import ContentPath

pytestmark = [pytest.mark.interop]

FIXTURES = PEERS / "node_modules" / "@ipld" / "specs" / "transport" / "trustless-pathing" / "fixtures"

# The cases end a range of "0:-96748" before that byte, the trustless gateway specification with it ("the byte positions
# specified are inclusive"): one block more.
INCLUSIVE = {"0:-1889756", "0:-96748", "256144:-96748"}


class Case(NamedTuple):
    name: str
    query: str
    cids: list[str]


def cases(path: Path) -> list[Case]:
    hunks = dict(re.findall(r"\[testmark\]:# \((.*?)\)\n```\n(.*?)```", path.read_text(), re.DOTALL))
    return [
        Case(
            name.removeprefix("test/").removesuffix("/query"),
            text.strip(),
            [
                line.split("|")[0].strip()
                for line in hunks[name.removesuffix("query") + "execution"].strip().splitlines()
            ],
        )
        for name, text in hunks.items()
        if name.endswith("/query")
    ]


CASES = cases(FIXTURES / "unixfs_20m_variety.md")


@pytest.fixture(scope="module")
def source() -> LocalSource:
    store = MemoryBlockstore()
    imported = import_car(store, [(FIXTURES / "unixfs_20m_variety.car").read_bytes()])
    assert imported.blocks == 1_103
    return LocalSource(store)


def test_all_cases_were_found() -> None:
    assert len(CASES) == 67


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_the_blocks_of_a_path_come_in_order(source: LocalSource, case: Case) -> None:
    path, _, query = case.query.partition("?")
    parameters = {name: values[0] for name, values in parse_qs(query).items()}
    entity = EntityBytes.parse(parameters["entity-bytes"]) if "entity-bytes" in parameters else None
    steps = select(
        source,
        ContentPath.from_text(path),
        scope=DagScope(parameters["dag-scope"]),
        entity=entity,
        repeats=parameters.get("dups") == "y",
    )
    found = [str(cid) async for cid, _ in steps]
    if parameters.get("entity-bytes") in INCLUSIVE:
        assert len(found) == len(case.cids) + 1
        found.pop()
    assert found == case.cids
