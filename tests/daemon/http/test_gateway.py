"""The gateway over real connections: files from the disk, ranges, slow and broken clients, content that breaks off."""

from __future__ import annotations

import hashlib
import os
import socket
import threading

import pytest

from tests.daemon.harness import PATIENCE, raw_request

MEBIBYTE = 1024 * 1024
BIG = os.urandom(5 * MEBIBYTE + 12_345)


@pytest.fixture(scope="module")
def big(daemon) -> str:
    return daemon.add(BIG)


@pytest.fixture(scope="module")
def wrapped(daemon) -> str:
    """The same bytes in leaves that are wrapped in dag-pb, so that they lie inside the blocks."""
    return daemon.rpc("add", files={"big": BIG}, raw_leaves=False, trickle=True).lines[-1]["Hash"]


def test_a_small_file_with_its_headers(daemon) -> None:
    cid = daemon.add(b"hello gateway")
    answer = daemon.get(daemon.gateway, f"/ipfs/{cid}?filename=a.txt")
    assert answer.body == b"hello gateway"
    assert answer.headers["etag"] == f'"{cid}"'
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    again = daemon.get(daemon.gateway, f"/ipfs/{cid}?filename=a.txt", If_None_Match=f'"{cid}"')
    assert (again.status, again.body) == (304, b"")


def test_a_repeated_request_gets_the_same_answer_and_a_different_one_its_own(daemon) -> None:
    cid = daemon.add(b"kept for a second")
    first, second = (daemon.get(daemon.gateway, f"/ipfs/{cid}") for _ in range(2))
    assert first == second
    assert daemon.get(daemon.gateway, f"/ipfs/{cid}", Range="bytes=0-3").body == b"kept"
    assert daemon.get(daemon.gateway, f"/ipfs/{cid}?download=true").headers["content-disposition"].startswith("attach")
    head = daemon.request("HEAD", daemon.gateway, f"/ipfs/{cid}")
    assert (head.body, head.headers["content-length"]) == (b"", "17")


@pytest.mark.parametrize("kind", ["big", "wrapped"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, len(BIG)),
        (0, 1),
        (262_143, 262_146),
        (100_000, 3 * MEBIBYTE),
        (1, len(BIG) - 1),
        (len(BIG) - 70_000, len(BIG)),
        (len(BIG) - 1, len(BIG)),
    ],
)
def test_ranges_of_a_large_file_come_from_the_disk(daemon, request, kind: str, start: int, end: int) -> None:
    cid = request.getfixturevalue(kind)
    answer = daemon.get(daemon.gateway, f"/ipfs/{cid}", Range=f"bytes={start}-{end - 1}")
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(BIG)}"
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(BIG[start:end]).digest()


def test_a_whole_large_file_and_head(daemon, big: str) -> None:
    assert daemon.get(daemon.gateway, f"/ipfs/{big}").body == BIG
    head = daemon.request("HEAD", daemon.gateway, f"/ipfs/{big}")
    assert head.headers["content-length"] == str(len(BIG))


def test_several_ranges_at_once(daemon, big: str) -> None:
    answer = daemon.get(daemon.gateway, f"/ipfs/{big}", Range="bytes=0-9,1000000-1000009")
    assert answer.status == 206
    assert BIG[:10] in answer.body
    assert BIG[1_000_000:1_000_010] in answer.body


def test_large_files_in_a_row_on_one_connection(daemon, big: str) -> None:
    connection = daemon.connection(daemon.gateway)
    for start in (0, 1000, 2 * MEBIBYTE):
        connection.request("GET", f"/ipfs/{big}", headers={"Range": f"bytes={start}-"})
        response = connection.getresponse()
        assert not response.will_close
        assert response.read() == BIG[start:]
    connection.close()


def test_a_slow_reader_gets_everything_and_keeps_nobody_waiting(daemon, big: str) -> None:
    host, _, port = daemon.gateway.rpartition(":")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(PATIENCE)
        slow.connect((host, int(port)))
        slow.sendall(f"GET /ipfs/{big} HTTP/1.1\r\nHost: {daemon.gateway}\r\nConnection: close\r\n\r\n".encode())
        answer = slow.recv(1000)
        assert daemon.get(daemon.gateway, f"/ipfs/{big}").body == BIG
        while chunk := slow.recv(65_536):
            answer += chunk
    assert answer.partition(b"\r\n\r\n")[2] == BIG


def test_clients_that_leave_are_forgotten(daemon, big: str) -> None:
    host, _, port = daemon.gateway.rpartition(":")
    for _ in range(20):
        with socket.create_connection((host, int(port)), PATIENCE) as leaving:
            leaving.sendall(f"GET /ipfs/{big} HTTP/1.1\r\nHost: {daemon.gateway}\r\n\r\n".encode())
            leaving.recv(100)
    numbers = daemon.get(daemon.api, "/metrics").body.decode()
    assert daemon.get(daemon.gateway, f"/ipfs/{big}", Range="bytes=0-0").body == BIG[:1]
    descriptors = next(line for line in numbers.splitlines() if line.startswith("process_open_fds"))
    assert float(descriptors.split()[1]) < 100


def test_many_readers_at_once_each_get_their_own_bytes(daemon, big: str) -> None:
    found: dict[int, bytes] = {}

    def read(start: int) -> None:
        found[start] = daemon.get(daemon.gateway, f"/ipfs/{big}", Range=f"bytes={start}-{start + MEBIBYTE - 1}").body

    readers = [threading.Thread(target=read, args=(start * 200_000,)) for start in range(16)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(PATIENCE)
    assert found == {start: BIG[start : start + MEBIBYTE] for start in found}
    assert len(found) == 16


def test_content_that_breaks_off_cuts_the_connection(start) -> None:
    daemon = start()
    cid = daemon.add(BIG, pin=False)
    leaves = [line["Ref"] for line in daemon.rpc("refs", cid).lines]
    assert daemon.rpc("block/rm", leaves[10]).status == 200
    answer = raw_request(daemon.gateway, f"GET /ipfs/{cid} HTTP/1.1\r\nHost: {daemon.gateway}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(BIG)}".encode() in head
    assert body == BIG[: len(body)]
    assert len(body) <= 10 * 262_144
    assert daemon.stop() == 0
    assert "broke off" in daemon.errors
    assert leaves[10] in daemon.errors


def test_every_byte_can_be_checked_on_the_way_out(start) -> None:
    daemon = start(overrides={"storage.verify": True})
    cid = daemon.add(BIG)
    assert daemon.get(daemon.gateway, f"/ipfs/{cid}").body == BIG


def test_pages_have_an_origin_of_their_own_on_localhost(daemon) -> None:
    cid = daemon.rpc("add", files={"index.html": b"<h1>mine</h1>"}, wrap_with_directory=True, cid_version=1).lines[-1][
        "Hash"
    ]
    port = daemon.gateway.rpartition(":")[2]
    moved = daemon.get(daemon.gateway, f"/ipfs/{cid}/", Host=f"localhost:{port}")
    assert moved.status == 301
    assert moved.headers["location"] == f"http://{cid}.ipfs.localhost:{port}/"
    shown = daemon.get(daemon.gateway, "/", Host=f"{cid}.ipfs.localhost:{port}")
    assert shown.body == b"<h1>mine</h1>"


def test_health_belongs_to_the_content_below_a_subdomain(daemon) -> None:
    cid = daemon.rpc("add", files={"health": b"well"}, wrap_with_directory=True, cid_version=1).lines[-1]["Hash"]
    port = daemon.gateway.rpartition(":")[2]
    assert daemon.get(daemon.gateway, "/health", Host=f"{cid}.ipfs.localhost:{port}").body == b"well"


def test_content_on_the_denylist_is_gone(start) -> None:
    daemon = start()
    cid, other = daemon.add(b"not to be shown"), daemon.add(b"to be shown")
    daemon.stop()
    daemon = start(overrides={"gateway.denylist": [cid]})
    assert daemon.get(daemon.gateway, f"/ipfs/{cid}").status == 410
    assert daemon.get(daemon.gateway, f"/ipfs/{other}").status == 200


def test_other_methods_are_refused(daemon, big: str) -> None:
    assert daemon.request("POST", daemon.gateway, f"/ipfs/{big}", b"x").status == 405
    assert daemon.request("OPTIONS", daemon.gateway, f"/ipfs/{big}").status == 204
    assert daemon.get(daemon.gateway, "/").status == 404
