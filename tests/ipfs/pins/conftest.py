"""A store, its pins and its source; the store in memory and on disk where it makes a difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from zwerm.ipfs.blockstore import LocalSource, PackBlockstore
from zwerm.ipfs.database import Database
from zwerm.ipfs.pins import Pins


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PackBlockstore]:
    database = Database(tmp_path / "index.sqlite")
    store = PackBlockstore(tmp_path / "blocks", database, pack_size=20_000)
    yield store
    store.close()
    database.close()


@pytest.fixture
def source(store: PackBlockstore) -> LocalSource:
    return LocalSource(store)


@pytest.fixture
def pins(store: PackBlockstore) -> Pins:
    return Pins(store.database, store)
