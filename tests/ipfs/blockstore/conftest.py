"""A repository's database and store in a folder of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zwerm.ipfs.blockstore import PackBlockstore
from zwerm.ipfs.database import Database

OpenStore = Callable[..., PackBlockstore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[OpenStore]:
    """Open the store of the test's folder, with a database of its own; once more after the last one was closed."""
    opened: list[PackBlockstore] = []

    def open_one(**options: Any) -> PackBlockstore:
        close_all()
        database = Database(tmp_path / "index.sqlite")
        try:
            opened.append(PackBlockstore(tmp_path / "blocks", database, **options))
        except BaseException:
            database.close()
            raise
        return opened[-1]

    def close_all() -> None:
        while opened:
            store = opened.pop()
            try:
                store.close()
            finally:
                store.database.close()

    yield open_one
    close_all()


@pytest.fixture
def store(open_store: OpenStore) -> PackBlockstore:
    return open_store()
