"""The pack store does what every blockstore does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.check_blockstore import CHECKS, Check, name_of
from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "index.sqlite")
    yield database
    database.close()


@pytest.mark.parametrize("pack_size", [None, 4_096], ids=["large packs", "small packs"])
@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_conformance(check: Check, pack_size: int | None, database: Database, tmp_path: Path) -> None:
    store = PackBlockstore(tmp_path / "blocks", database, pack_size=pack_size)
    check(store)
    store.close()
