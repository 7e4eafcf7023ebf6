"""Fixtures for the suite of aioipfs, whose archive ships the cases without them; loaded with `pytest -p`.

The daemon is started by the test that runs the suite, which names its port in the environment.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aioipfs
import pytest
import pytest_asyncio

PORT = int(os.environ["ZWERM_AIOIPFS_PORT"])


@pytest.fixture
def ipfsdaemon() -> tuple[str, int, None]:
    return os.environ["ZWERM_AIOIPFS_FOLDER"], PORT, None


@pytest_asyncio.fixture
async def iclient() -> AsyncIterator[Any]:
    client = aioipfs.AsyncIPFS(host="localhost", port=PORT)
    yield client
    await client.close()


@pytest.fixture
def testfile1(tmpdir: Any) -> Any:
    file = tmpdir.join("testfile1.txt")
    file.write("POIEKJDOOOPIDMWOPIMPOWE()=ds129084bjcy")  # the cases compare with these words
    return file


@pytest.fixture
def testfile2(tmpdir: Any) -> Any:
    file = tmpdir.join("testfile2.txt")
    file.write("0123456789" * 3)
    return file


def make(folder: Path, *names: str) -> Path:
    """Make empty files, and folders for names that end in `/`."""
    for name in names:
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()
    return folder


@pytest.fixture
def dir_hierarchy1(tmpdir: Any) -> str:
    return str(make(Path(str(tmpdir)), "a/b/.c/file0", "d/.e/f/.file3", "file1", ".file2"))


@pytest.fixture
def dir_hierarchy2(tmpdir: Any) -> Path:
    folder = make(Path(str(tmpdir)), "a/b/.c/", "d/.e/f/.file3", "file1", "README2.txt", ".file2")
    (folder / "README.txt").write_text("Hello")
    (folder / ".gitignore").write_text("README.txt\n.file2\na\na/**\nd/.e/*/*\nd/.e/f\n")
    return folder


@pytest.fixture
def smalltar(tmp_path: Path) -> tuple[Any, str]:
    path = tmp_path / "small.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(__file__)
    return archive, str(path)


@pytest.fixture
def datafiles(tmp_path: Path) -> Path:
    """A folder with an exported key, that of RFC 8032 section 7.1, test 1."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    (tmp_path / "ipns-key1").write_bytes(b"\x08\x01\x12\x40" + secret + public)
    return tmp_path
