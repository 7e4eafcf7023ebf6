"""The other side is killed, or the link cut for good, in the middle of a transfer: it is said, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.netlab.far import LEAF, blocks_of
from tests.netlab.link import HOSTS, Impairment, Link
from tests.netlab.nodes import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("far-links")]

SLOW = Impairment(rate=4e6, delay=0.01)
SIZE = 16 * LEAF  # 8 seconds of it
TRANSPORTS = {"tcp": "tcp/4001", "ws": "tcp/4002/ws", "webrtc-direct": "udp/4001/webrtc-direct"}


def start(folder: Path, link: Link, number: int, transport: str) -> Home:
    address = f"/ip4/{HOSTS[number]}/{TRANSPORTS[transport]}"
    link.sides[number].wait_for(HOSTS[number])
    return Home(folder / str(number), link.sides[number], profile="test", overrides={"addresses.swarm": [address]})


def meet(taker: Home, giver: Home) -> None:
    known = json.loads(giver.zwerm("id", "--json"))["Addresses"]
    taker.zwerm("swarm", "connect", known[0])


def received(node: Home) -> int:
    return int(json.loads(node.zwerm("bitswap", "stat", "--json"))["BlocksReceived"])


class Fetching:
    """A `cat` that runs beside the test."""

    def __init__(self, node: Home, cid: str) -> None:
        self.done: CompletedProcess[bytes] | None = None
        self._thread = threading.Thread(target=self._run, args=(node, cid))
        self._thread.start()

    def _run(self, node: Home, cid: str) -> None:
        self.done = node.run("cat", cid, patience="200s")

    def wait(self) -> CompletedProcess[bytes]:
        self._thread.join()
        assert self.done is not None
        return self.done


@pytest.mark.parametrize("transport", ["tcp", pytest.param("ws", marks=pytest.mark.full), "webrtc-direct"])
def test_a_peer_that_is_killed_is_said_and_what_it_gave_is_not_fetched_again(tmp_path: Path, transport: str) -> None:
    data = os.urandom(SIZE)
    with Link(SLOW) as link:
        giver, taker = (start(tmp_path, link, number, transport) for number in (0, 1))
        try:
            giver.daemon.wait_ready()
            taker.daemon.wait_ready()
            cid = giver.zwerm("add", "-Q", data=data).decode().strip()
            meet(taker, giver)
            fetching = Fetching(taker, cid)
            while received(taker) < 4:
                time.sleep(0.05)  # there is nothing to wait for but the count
            giver.daemon.stop(signal.SIGKILL)
            done = fetching.wait()
            assert done.returncode != 0
            assert b"gave no more of it" in done.stderr
            giver.start()
            giver.daemon.wait_ready()
            meet(taker, giver)
            assert taker.zwerm("cat", cid) == data
            counts = json.loads(taker.zwerm("bitswap", "stat", "--json"))
            assert counts["BlocksReceived"] == blocks_of(SIZE)
            assert counts["DupBlksReceived"] == 0
        finally:
            giver.daemon.stop()
            taker.daemon.stop()


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("transport", list(TRANSPORTS))
def test_a_link_that_is_cut_for_good_ends_the_fetch_with_a_reason(tmp_path: Path, transport: str) -> None:
    with Link(SLOW) as link:
        giver, taker = (start(tmp_path, link, number, transport) for number in (0, 1))
        try:
            giver.daemon.wait_ready()
            taker.daemon.wait_ready()
            cid = giver.zwerm("add", "-Q", data=os.urandom(SIZE)).decode().strip()
            meet(taker, giver)
            fetching = Fetching(taker, cid)
            while received(taker) < 4:
                time.sleep(0.05)  # there is nothing to wait for but the count
            link.is_cut = True
            done = fetching.wait()
            assert done.returncode != 0
            assert b"gave no more of it" in done.stderr
        finally:
            giver.daemon.stop()
            taker.daemon.stop()
