"""One room, a cable, and no internet: two nodes find each other and share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.netlab.namespace import Namespace, wire
from tests.netlab.nodes import Home


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
        other.wait_for(one.peer_id)
        assert other.zwerm("cat", cid) == content
