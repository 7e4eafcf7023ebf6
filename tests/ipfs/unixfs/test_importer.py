"""The importer: reports, batches, and streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.unixfs.blocks import Blocks, run
from tests.ipfs.unixfs.trees import tree
from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.unixfs.builder import NoStore
from zwerm.ipfs.unixfs.entry import Entry, Kind
from zwerm.ipfs.unixfs.errors import ImportFailed
from zwerm.ipfs.unixfs.hashers import Hashers
from zwerm.ipfs.unixfs.importer import Importer


def test_progress_counts_every_byte_and_file(folder: Path) -> None:
    (folder / "large").write_bytes(bytes(5_000_000))
    for number in range(200):
        (folder / "inner" / f"{number}").write_bytes(b"12")
    reports: list[tuple[int, int]] = []
    with Hashers() as hashers:
        Importer(NoStore(), hashers=hashers, progress=lambda *report: reports.append(report)).add_path(folder)
    assert reports[-1] == (5_000_000 + 400 + 8, 205)
    assert len(reports) >= 5
    assert sorted(reports) == reports


def test_every_entry_is_reported_with_its_path(folder: Path) -> None:
    found: dict[str, Entry] = {}
    root = Importer(NoStore(), on_entry=found.__setitem__).add_path(folder)
    assert sorted(found) == ["", "dangling", "empty", "file", "inner", "inner/deep", "inner/deep/file", "link"]
    assert found[""] == root
    assert found["link"].kind is Kind.SYMLINK
    assert found["inner/deep/file"].size == 4


class Stop(Exception):
    """Thrown by a caller who changed their mind."""


def test_an_exception_from_a_callback_ends_the_work(folder: Path) -> None:
    def stop(*_: object) -> None:
        raise Stop

    with pytest.raises(Stop):
        Importer(NoStore(), on_entry=stop).add_path(folder)
    with pytest.raises(Stop):
        Importer(NoStore(), progress=stop).add_path(folder)
    with pytest.raises(Stop):
        Importer(NoStore(), progress=stop).add_file([b"x"])


class Quota:
    """A store that is full."""

    def put(self, blocks: object) -> None:
        raise ResourceLimitError("storage.max is reached")


def test_a_full_store_says_so_itself(folder: Path) -> None:
    with pytest.raises(ResourceLimitError, match=r"storage\.max"):
        Importer(Quota()).add_path(folder)


def test_blocks_of_small_files_are_put_in_batches(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / str(number)).write_bytes(str(number).encode())
    blocks = Blocks()
    Importer(blocks).add_path(tmp_path)
    assert len(blocks.data) == 601
    assert blocks.puts == 3


def test_an_importer_is_used_again_after_a_failure(folder: Path) -> None:
    blocks = Blocks()
    importer = Importer(blocks)
    with pytest.raises(ImportFailed):
        importer.add_path(folder / "missing")
    entry = importer.add_path(folder / "file")
    assert list(blocks.data) == [entry.cid]


def pieces() -> Iterator[bytes]:
    yield b"from "
    yield b"a stream"


def test_a_stream_becomes_a_file() -> None:
    blocks = Blocks()
    entry = Importer(blocks).add_file(pieces(), mode=0o600)
    assert run(tree(blocks, entry.cid)) == b"from a stream"
    assert entry.mode == 0o600
