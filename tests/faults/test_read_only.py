"""A disk that turns read-only under a running node: reading goes on, every write says why, and it is over by itself."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import Answer, Daemon
from tests.faults.refused_writes import SYNCS, RefusedWrites

READ_ONLY = "the file system is read-only; mount it for writing and try again"

WRITES: dict[str, Callable[[Daemon], Answer]] = {
    "add": lambda daemon: daemon.rpc("add", files={"file": os.urandom(5_000)}),
    "make a folder": lambda daemon: daemon.rpc("files/mkdir", f"/{os.urandom(4).hex()}"),
    "write a file": lambda daemon: daemon.rpc("files/write", "/new", files={"data": os.urandom(5)}, create=True),
    "put a block": lambda daemon: daemon.rpc("block/put", files={"data": os.urandom(50)}),
}


@pytest.fixture
def served(local: Harness) -> Iterator[Harness]:
    """A repository of this test's own, and a node on it."""
    local.start()
    yield local
    local.stop()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_is_refused_with_its_reason_and_works_again_once_the_disk_does(
    served: Harness, write: Callable[[Daemon], Answer]
) -> None:
    daemon = served.daemon
    assert daemon is not None
    content = os.urandom(300_000)
    kept = daemon.add(content)
    with RefusedWrites(daemon.process.pid, served.repository):
        for _ in range(2):
            refused = write(daemon)
            assert (refused.status, refused.json["Message"].endswith(READ_ONLY)) == (500, True), refused.body
        assert daemon.rpc("cat", kept).body == content
        assert daemon.get(daemon.gateway, f"/ipfs/{kept}").body == content
    assert write(daemon).status == 200
    served.stop()
    assert "all blocks validated" in served.run("repo", "verify").out


def test_health_and_the_web_app_say_so_and_the_command_line_too(served: Harness) -> None:
    daemon = served.daemon
    assert daemon is not None
    with RefusedWrites(daemon.process.pid, served.repository):
        failing = daemon.app("PUT", "files/upload", b"more", path="/more")
        assert (failing.status, failing.json["error"]["code"]) == (507, "read-only")
        assert READ_ONLY in served.fails("add", data=b"more than that")
        health = daemon.get(daemon.api, "/health")
        assert (health.status, READ_ONLY in health.body.decode()) == (503, True)
    assert daemon.app("PUT", "files/upload", b"more", path="/more").status == 201
    assert daemon.get(daemon.api, "/health").body == b"ok\n"


def test_after_a_sync_that_failed_nothing_is_taken_until_a_new_start_which_finds_all_that_was_promised(
    served: Harness,
) -> None:
    """Nobody knows what of the page cache such a disk has kept."""
    daemon = served.daemon
    assert daemon is not None
    content = os.urandom(300_000)
    kept = daemon.add(content)
    with RefusedWrites(daemon.process.pid, served.repository, calls=SYNCS, number=errno.EIO):
        assert daemon.rpc("add", files={"file": b"lost"}).status == 500
    for _ in range(3):
        refused = daemon.rpc("add", files={"file": b"lost too"}).json["Message"]
        assert refused.endswith("nothing new is taken until the node is started again")
    assert daemon.rpc("cat", kept).body == content
    served.stop()
    assert served.start().rpc("cat", kept).body == content
    assert served.daemon is not None
    assert served.daemon.rpc("cat", served.daemon.add(b"lost too")).body == b"lost too"
    served.stop()
    assert "all blocks validated" in served.run("repo", "verify").out
