"""The functional suite that py-ipfs-http-client 0.7.0 ships, against a real daemon.

That client insists on a Kubo below 0.8 and its suite on the CIDs of that time, so the daemon is told both. Every case
that is left out stands below with its reason; anything else that fails, fails here.
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
SUITE = SUITES / "ipfshttpclient-0.7.0"

# Test file and case, or a whole file, and why.
EXCLUDED = {
    "test_bitswap.py::test_wantlist": "gives the peer as an argument; in Kubo it is the option --peer",
    "test_pubsub.py": "sends topics bare; since Kubo 0.11 they are multibase",
    "test_object.py": "Kubo removed the object commands in 0.33",
    "test_block.py::test_put": "expects CIDv0; since Kubo 0.13 `block put` gives CIDv1",
    "test_block.py::test_stat": "goes on from test_put",
    "test_block.py::test_get": "goes on from test_put",
    "test_files.py::test_add_nocopy_without_raw_leaves": "--nocopy is refused: the repository keeps its own copy",
    "test_files.py::test_add_nocopy_with_relative_path": "--nocopy is refused: the repository keeps its own copy",
    "test_files.py::test_nocopy_with_raw_leaves_file": "--nocopy is refused; the suite expects failure too",
    "test_files.py::test_nocopy_with_default_raw_leaves_file": "--nocopy is refused; the suite expects failure too",
    "test_miscellaneous.py::test_id": "expects ProtocolVersion, which Kubo dropped from `id` in 0.19",
    "test_miscellaneous.py::test_daemon_stop": "the suite skips it unless it started the daemon",
    "test_repo.py::test_gc": "expects CIDv0; since Kubo 0.12 the collector names blocks by raw CIDv1",
    "test_unstable.py::test_log_ls_level": "Kubo's own loggers",
    "test_unstable.py::test_log_tail": "Kubo's own log stream",
    "test_unstable.py::test_refs_local_1": "expects CIDv0; since Kubo 0.12 `refs local` names blocks by raw CIDv1",
    "test_unstable.py::test_refs_local_2": "expects CIDv0; since Kubo 0.12 `refs local` names blocks by raw CIDv1",
}
LEAST = 45  # cases that have to pass, so that a suite that collects nothing is no pass


@pytest.mark.interop
@pytest.mark.slow
def test_its_functional_suite_passes(start: Callable[..., Daemon]) -> None:
    daemon = start(overrides={"api.version": "0.7.0", "import.profile": "unixfs-v0-2015"})
    host, port = daemon.api.removeprefix("http://").rstrip("/").split(":")
    command = [str(SUITES / "ipfshttpclient-venv/bin/python"), "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider"]
    for name in EXCLUDED:
        file, separator, case = name.partition("::")
        command.append(f"--deselect=test/functional/{file}{separator}{case}")
    result = subprocess.run(
        [*command, "-W", "ignore", "--rootdir", str(SUITE), "test/functional"],
        cwd=SUITE,
        env=os.environ | {"PY_IPFS_HTTP_CLIENT_DEFAULT_ADDR": f"/ip4/{host}/tcp/{port}", "PYTHONPATH": str(SUITE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-8000:]
    counts = dict(reversed(found) for found in re.findall(r"(\d+) (passed|skipped|failed|xfailed)", result.stdout))
    assert int(counts["passed"]) >= LEAST, result.stdout
    assert "skipped" not in counts, result.stdout
