"""One room, a cable, and no internet: two nodes find each other and share."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.daemon.harness import Daemon
from tests.netlab.namespace import Namespace, wire

PATIENCE = "60s"  # of a command, on a machine that has much to do


class Home:
    """A namespace with a node in it, which is told nothing of anybody else."""

    def __init__(self, path: Path, network: Namespace) -> None:
        self.path = path
        self.network = network
        self.daemon = Daemon(path, inside=["nsenter", f"--net={network.path}"], profile="lan")

    def zwerm(self, *arguments: str, data: bytes = b"") -> bytes:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWERM_")}
        command = [sys.executable, "-m", "zwerm", "--repo", str(self.path), "--timeout", PATIENCE, *arguments]
        done = self.network.call(
            lambda: subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def wait_for(self, peer: str) -> None:
        """Wait until the node is connected to `peer`; a test that waits for what never comes fails by its limit."""
        while f"/p2p/{peer}" not in self.zwerm("swarm", "peers").decode():
            time.sleep(0.05)  # there is nothing to wait for but the list


@contextlib.contextmanager
def homes(path: Path) -> Iterator[tuple[Home, Home]]:
    with Namespace() as left, Namespace() as right:
        wire(left, "eth0", right, "eth0")
        for network, host in ((left, "192.0.2.1"), (right, "192.0.2.2")):
            network.ip("link set eth0 up", f"addr add {host}/24 dev eth0")
        left.wait_for("192.0.2.1")
        right.wait_for("192.0.2.2")
        one, other = Home(path / "one", left), Home(path / "other", right)
        try:
            one.daemon.wait_ready()
            other.daemon.wait_ready()
            yield one, other
        finally:
            one.daemon.stop()
            other.daemon.stop()


def test_two_nodes_on_a_cable_find_each_other_and_share_without_an_internet(tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    with homes(tmp_path) as (one, other):
        cid = one.zwerm("add", "-Q", data=content).decode().strip()
        other.wait_for(one.zwerm("id", "--format", "<id>").decode().strip())
        assert other.zwerm("cat", cid) == content
