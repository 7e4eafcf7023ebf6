"""Captures of a node: one at a time, few on the disk, told when the disk takes no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError, NotFoundError, StorageError
from zwerm.identity.keys import PrivateKey
from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
from zwerm.node.captures import FOLDER, MAX_KEPT, Captures


@pytest.fixture
async def captures(tmp_path: Path) -> Captures:
    return Captures(WebRtcDirectTransport(PrivateKey.generate()), tmp_path)


async def test_one_runs_at_a_time(captures: Captures) -> None:
    name = await captures.start(has_keys=False)
    with pytest.raises(LocalProtocolError, match=name):
        await captures.start(has_keys=False)
    await captures.stop()
    await captures.stop()
    assert captures.running is None
    assert [one.name for one in await captures.kept()] == [name]


async def test_the_oldest_goes_when_there_are_many(captures: Captures, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    names = [f"20260101-00000{number}.pcapng" for number in range(MAX_KEPT)]
    for name in names:
        (tmp_path / FOLDER / name).write_bytes(b"")
    newest = await captures.start(has_keys=True)
    await captures.stop()
    assert [one.name for one in await captures.kept()] == [newest, *names[:0:-1]]


async def test_files_are_for_their_owner_alone(captures: Captures, tmp_path: Path) -> None:
    path = tmp_path / FOLDER / await captures.start(has_keys=True)
    await captures.stop()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_deleting_the_one_that_runs_ends_it(captures: Captures) -> None:
    name = await captures.start(has_keys=False)
    await captures.remove(name)
    assert captures.running is None
    with pytest.raises(NotFoundError):
        await captures.read(name)


@pytest.mark.parametrize("name", ["../key", "20260101-000000.pcapng", "", "20260101-000000.pcapng/../../key"])
async def test_there_is_nothing_by_another_name(captures: Captures, tmp_path: Path, name: str) -> None:
    (tmp_path / "key").write_bytes(b"secret")
    with pytest.raises(NotFoundError):
        await captures.read(name)


async def test_a_folder_that_cannot_be_written_is_told(captures: Captures, tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_bytes(b"in the way")
    with pytest.raises(StorageError):
        await captures.start(has_keys=False)
    assert captures.running is None
