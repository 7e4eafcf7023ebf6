"""Nodes as they are run, each a process in a network of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.daemon.harness import Daemon
from tests.netlab.namespace import Namespace

PATIENCE = "60s"  # of a command, on a machine that has much to do


class Home:
    """A namespace with a node in it, which is told nothing of anybody else."""

    def __init__(self, path: Path, network: Namespace, *, profile: str = "lan", **arguments: Any) -> None:
        self.path = path
        self.network = network
        self._arguments = {"profile": profile, **arguments}
        self.start()

    def start(self) -> None:
        """Run the node; also again, once its daemon was stopped."""
        self.daemon = Daemon(self.path, inside=["nsenter", f"--net={self.network.path}"], **self._arguments)

    def zwerm(self, *arguments: str, data: bytes = b"", patience: str = PATIENCE) -> bytes:
        """Run a command of the node; what it printed."""
        done = self.run(*arguments, data=data, patience=patience)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def run(self, *arguments: str, data: bytes = b"", patience: str = PATIENCE) -> subprocess.CompletedProcess[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZWERM_")}
        command = [sys.executable, "-m", "zwerm", "--repo", str(self.path), "--timeout", patience, *arguments]
        return self.network.call(
            lambda: subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
        )

    @property
    def peer_id(self) -> str:
        return self.zwerm("id", "--format", "<id>").decode().strip()

    def wait_for(self, peer: str) -> None:
        """Wait until the node is connected to `peer`; a test that waits for what never comes fails by its limit."""
        while f"/p2p/{peer}" not in self.zwerm("swarm", "peers").decode():
            time.sleep(0.05)  # there is nothing to wait for but the list
