"""@helia/verified-fetch with our gateway as the only place it can get blocks from; it verifies every one of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.daemon.harness import Daemon
from tests.peers.lines import LinePeer

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LARGE = os.urandom(3_000_000)
PAGE = b"<!doctype html><title>verified</title>"


class Fetch:
    """verified-fetch on one daemon, which holds a small site."""

    def __init__(self, daemon: Daemon, peer: LinePeer) -> None:
        self.daemon = daemon
        self._peer = peer
        files = {"index.html": PAGE, "large.bin": LARGE, "deep/er/één.txt": "één".encode()}
        for name, data in files.items():
            daemon.rpc("files/write", f"/site/{name}", files={"data": data}, create="true", parents="true")
        self.site = daemon.rpc("files/stat", "/site").json["Hash"]

    def __call__(self, resource: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        answer: dict[str, Any] = self._peer.ask([resource, headers])
        assert "failed" not in answer, answer["failed"]
        return answer["status"], base64.b64decode(answer["body"]), answer["headers"]


@pytest.fixture
def fetch(start: Callable[..., Daemon]) -> Iterator[Fetch]:
    daemon = start()
    with LinePeer.node("verified-fetch.mjs", f"http://{daemon.gateway}") as peer:
        yield Fetch(daemon, peer)


def test_files_come_whole_in_ranges_and_by_path(fetch: Fetch) -> None:
    status, body, headers = fetch(f"ipfs://{fetch.site}/large.bin")
    assert (status, body) == (200, LARGE)
    assert headers["x-ipfs-path"] == f"/ipfs/{fetch.site}/large.bin"
    status, body, headers = fetch(f"ipfs://{fetch.site}/large.bin", range="bytes=262140-262150")
    assert (status, body) == (206, LARGE[262_140:262_151])
    assert headers["content-range"] == f"bytes 262140-262150/{len(LARGE)}"
    assert fetch(f"ipfs://{fetch.site}/deep/er/één.txt")[:2] == (200, "één".encode())
    assert fetch(f"ipfs://{fetch.site}/")[:2] == (200, PAGE)


def test_structured_data_and_blocks_come_as_they_are_asked_for(fetch: Fetch) -> None:
    put = fetch.daemon.rpc("dag/put", files={"data": b'{"a":1,"b":[true,null]}'}, store_codec="dag-cbor")
    cid = put.json["Cid"]["/"]
    assert fetch(f"ipfs://{cid}", accept="application/vnd.ipld.dag-cbor")[1] == fetch.daemon.rpc("block/get", cid).body
    assert fetch(f"ipfs://{cid}", accept="application/vnd.ipld.raw")[1] == fetch.daemon.rpc("block/get", cid).body
    deep = fetch.daemon.rpc("files/stat", "/site/deep").json["Hash"]
    status, car, _ = fetch(f"ipfs://{deep}", accept="application/vnd.ipld.car")
    assert status == 200
    assert "één".encode() in car
    status, tar, _ = fetch(f"ipfs://{deep}", accept="application/x-tar")
    assert status == 200
    assert "één".encode() in tar


def test_a_sharded_directory_is_walked(fetch: Fetch) -> None:
    names = [f"{number:04}-{'long' * 30}" for number in range(2_100)]
    added = fetch.daemon.rpc(
        "add", files={name: name.encode() for name in names}, cid_version=1, wrap_with_directory=True
    )
    root = added.lines[-1]["Hash"]
    assert fetch(f"ipfs://{root}/{names[777]}")[:2] == (200, names[777].encode())


def test_a_path_that_leads_nowhere_is_not_found(fetch: Fetch) -> None:
    assert fetch(f"ipfs://{fetch.site}/nothing")[0] == 404
