"""The suite that aioipfs 0.7.1 ships, against a real daemon.

Its fixtures are not in the archive; ours stand in `aioipfs_fixtures.py`. Every case that is left out stands below with
its reason; anything else that fails, fails here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.harness import Daemon

SUITES = Path(__file__).resolve().parent.parent / "peers/suites"
SUITE = SUITES / "aioipfs-0.7.1"

# Case, and why.
EXCLUDED = {
    "test_constructor_apiurl": "asks on ::1 too, and addresses.api is one address; `localhost` need not have IPv6",
    "test_swarm_resources": "asks for the resource manager of Go's libp2p",
    "test_routing": "wants a line of a search that found nobody, in a node that knows nobody",
    "test_name_inspect": "gets the node's own record from a DHT that has other nodes in it",
    "test_p2p": "Kubo's experiment, off by default",
    "test_p2p_dial": "Kubo's experiment, off by default",
    "test_filestore": "there is no filestore: the repository keeps its own copy",
    "test_auth": "users and rights per command are Kubo's own; here one token rules all",
    "test_keys": "asks for RSA keys of 4,096 bits",
    "test_config": "sets a percentage of 150",
    "test_timeout": "sleeps seconds, and asks the daemon nothing",
    "test_pin_remote": "the suite skips it",
    "test_object": "the suite skips it for Kubo 0.28 and later",
}
LEAST = 30  # cases that have to pass, so that a suite that collects nothing is no pass


@pytest.mark.interop
@pytest.mark.slow
def test_its_suite_passes(start: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = start(overrides={"addresses.api": "localhost:0"})
    left_out = "|".join(f"{name}(?![a-z_0-9])" for name in EXCLUDED)
    collected = run_pytest(daemon, tmp_path, "--collect-only", "-q")
    cases = [line for line in collected.stdout.splitlines() if "::" in line]
    unknown = [name for name in EXCLUDED if not any(re.search(f"::{name}(\\[|$)", case) for case in cases)]
    assert unknown == [], collected.stdout + collected.stderr
    wanted = [case for case in cases if not re.search(f"::({left_out})", case)]
    result = run_pytest(daemon, tmp_path, "-q", "-rfEs", *wanted)
    assert result.returncode == 0, result.stdout[-8000:]
    counts = dict(reversed(found) for found in re.findall(r"(\d+) (passed|skipped|failed|xfailed)", result.stdout))
    refused = int(counts.get("skipped", 0))  # cases that skip their rest once the client refused what is no message
    assert refused == result.stdout.count("for invalid message type"), result.stdout
    assert int(counts["passed"]) + refused == len(wanted) >= LEAST, result.stdout


def run_pytest(daemon: Daemon, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite's pytest in its folder, with our fixtures in reach and the daemon named."""
    options = [
        "-p",
        "aioipfs_fixtures",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "--rootdir",
        str(SUITE),
        "--confcutdir",
        str(SUITE),
    ]
    more = {
        "ZWERM_AIOIPFS_PORT": daemon.api.rpartition(":")[2],
        "ZWERM_AIOIPFS_FOLDER": str(folder),
        "PYTHONPATH": str(Path(__file__).parent),
    }
    command = [str(SUITES / "aioipfs-venv/bin/python"), "-m", "pytest", "-c", os.devnull, *options, *arguments]
    return subprocess.run(command, cwd=SUITE, env=os.environ | more, capture_output=True, text=True, check=False)
