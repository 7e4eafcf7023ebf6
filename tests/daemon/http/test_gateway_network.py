"""The gateway of a node that is on a network: it gives what others have, as it comes, and says what nobody gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.harness import Daemon
from zwerm.multiformats.cid import CID

BIG = os.urandom(6_000_000)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Daemon]]:
    """A node with content, and one that is connected with it."""
    folder: Path = tmp_path_factory.mktemp("network")
    giver = Daemon(folder / "giver").wait_ready()
    taker = Daemon(folder / "taker", overrides={"gateway.timeout": "1s", "routing.dht": "off"}).wait_ready()
    addresses = giver.rpc("swarm/addrs/local", id=True).json["Strings"]
    taker.rpc("swarm/connect", next(address for address in addresses if "/tcp/" in address))
    yield giver, taker
    for daemon in (taker, giver):
        assert daemon.stop() == 0, daemon.errors
        assert "Traceback" not in daemon.errors, daemon.errors


def test_a_small_file_of_another(pair: tuple[Daemon, Daemon]) -> None:
    giver, taker = pair
    cid = giver.add(b"from another node")
    assert taker.get(taker.gateway, f"/ipfs/{cid}").body == b"from another node"


def test_a_large_file_of_another_comes_whole_and_again_from_here(pair: tuple[Daemon, Daemon]) -> None:
    giver, taker = pair
    cid = giver.add(BIG)
    assert taker.get(taker.gateway, f"/ipfs/{cid}").body == BIG
    assert taker.get(taker.gateway, f"/ipfs/{cid}").body == BIG
    assert taker.rpc("bitswap/stat").json["DupBlksReceived"] == 0


def test_a_range_of_a_file_that_is_partly_here(pair: tuple[Daemon, Daemon]) -> None:
    giver, taker = pair
    content = BIG[::-1]
    cid = giver.add(content)
    first = taker.get(taker.gateway, f"/ipfs/{cid}", Range="bytes=0-99999")
    assert (first.status, first.body) == (206, content[:100_000])
    rest = taker.get(taker.gateway, f"/ipfs/{cid}", Range="bytes=50000-")
    assert (rest.status, rest.body) == (206, content[50_000:])


@pytest.mark.parametrize("form", ["raw", "car"])
def test_verifiable_forms_of_what_another_has(pair: tuple[Daemon, Daemon], form: str) -> None:
    giver, taker = pair
    cid = giver.add(f"in the form {form}".encode())
    own = giver.get(giver.gateway, f"/ipfs/{cid}?format={form}").body
    assert taker.get(taker.gateway, f"/ipfs/{cid}?format={form}").body == own


def test_what_nobody_has_is_a_gateway_timeout(pair: tuple[Daemon, Daemon]) -> None:
    _, taker = pair
    cid = CID.of(b"nobody has this")
    answer = taker.get(taker.gateway, f"/ipfs/{cid}")
    assert answer.status == 504
    assert b"was looked for 1 seconds" in answer.body


def test_a_node_that_knows_nobody_says_so_at_once(pair: tuple[Daemon, Daemon]) -> None:
    giver, taker = pair
    giver_id = giver.rpc("id").json["ID"]
    taker.rpc("swarm/disconnect", f"/p2p/{giver_id}")
    answer = taker.get(taker.gateway, f"/ipfs/{CID.of(b'nor this')}")
    assert answer.status == 504
    assert b"connected to nobody" in answer.body
