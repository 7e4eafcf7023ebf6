"""The daemon's life: it starts whole or not at all, ends in time, and loses nothing that was acknowledged."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import time
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.daemon.harness import PATIENCE, multipart, raw_request

MEBIBYTE = 1024 * 1024


def test_it_says_where_it_is_and_answers(start) -> None:
    daemon = start()
    assert daemon.output[-1] == "Daemon is ready"
    assert str(daemon.path) in daemon.output[0]
    assert daemon.get(daemon.api, "/health").body == b"ok\n"
    assert daemon.get(daemon.web, "/health").status == 200
    host, _, port = daemon.api.rpartition(":")
    assert (daemon.path / "api").read_text() == f"/ip4/{host}/tcp/{port}\n"
    assert (daemon.path / "gateway").read_text() == f"http://{daemon.gateway}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_and_frees_the_repository(start, number: int) -> None:
    daemon = start()
    assert daemon.stop(number) == 0
    assert not (daemon.path / "api").exists()
    assert not (daemon.path / "gateway").exists()
    assert (daemon.path / "repo.lock").read_bytes() == b""
    start().stop()


def test_a_second_daemon_on_the_repository_is_told_who_has_it(start) -> None:
    first = start()
    message = start(ready=False).wait_failure()
    assert f"in use by process {first.process.pid} (zwerm up)" in message
    assert message.count("\n") == 1
    assert first.get(first.api, "/health").status == 200
    assert (first.path / "api").exists()


def test_taken_ports_are_all_named_before_anything_starts(start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        taken = {
            f"addresses.{name}": f"127.0.0.1:{port.getsockname()[1]}" for name, port in (("api", one), ("web", other))
        }
        message = start(ready=False, overrides=taken).wait_failure()
    for name, address in taken.items():
        assert f"{address} ({name.removeprefix('addresses.')})" in message
    assert "--port-offset" in message
    assert message.count("\n") == 1
    assert not (tmp_path / "repository" / "index.sqlite").exists()


def test_a_port_offset_moves_every_fixed_port(start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    daemon = start(overrides={"addresses.api": f"127.0.0.1:{free - 7}"}, port_offset=7)
    assert daemon.api == f"127.0.0.1:{free}"


def test_a_listener_can_be_left_out(start) -> None:
    daemon = start(overrides={"addresses.web": "", "addresses.gateway": ""})
    assert not [line for line in daemon.output if line.startswith(("Web app", "Gateway"))]
    assert daemon.rpc("version").status == 200


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: (path / "version").write_text("99\n"), "version 99"),
        (lambda path: (path / "config.toml").write_text("[log]\nlevel = 'loud'\n"), "log.level"),
        (lambda path: (path / "key").write_bytes(b"?"), "key is damaged"),
        (lambda path: (path / "index.sqlite").write_bytes(b"x" * 8192), "index.sqlite"),
    ],
    ids=["newer repository", "bad setting", "damaged key", "damaged database"],
)
def test_what_keeps_it_from_starting_is_one_line(start, prepare, message: str) -> None:
    daemon = start()
    daemon.stop()
    prepare(daemon.path)
    said = start(ready=False).wait_failure()
    assert message in said
    assert said.count("\n") == 1


def test_a_kubo_repository_is_refused(start, tmp_path: Path) -> None:
    path = tmp_path / "repository"
    path.mkdir()
    (path / "datastore_spec").write_text("{}")
    assert "repository of Kubo" in start(ready=False).wait_failure()
    assert [entry.name for entry in path.iterdir()] == ["datastore_spec"]


def test_a_read_only_directory_is_one_line(tmp_path: Path) -> None:
    import sys

    parent = tmp_path / "locked"
    parent.mkdir(mode=0o555)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/pytest"):
            folder.chmod(folder.stat().st_mode | stat.S_IROTH | stat.S_IXOTH)
    code = (
        "import os, sys\nfrom zwerm.node.repository import Repository\nfrom zwerm.daemon import process\n"
        "import zwerm.node.services, zwerm.daemon.listeners\n"
        "if os.geteuid() == 0:  # whom no mode keeps out\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(process.up(sys.argv[1], profile='test'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(parent / "repository")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert done.stderr.count("\n") == 1


def test_health_is_false_from_the_moment_it_stops_while_requests_go_on(start) -> None:
    daemon = start(overrides={"http.grace": "3s"})
    slow = daemon.connection(daemon.api)
    slow.putrequest("POST", "/api/v0/block/put")
    body, headers = multipart({"data": b"late but whole"})
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        slow.putheader(name, value)
    slow.endheaders(body[:40])
    daemon.rpc("version")  # by now the slow request is in progress
    waiting = daemon.connection(daemon.api)
    waiting.request("GET", "/health")
    assert waiting.getresponse().read() == b"ok\n"
    daemon.send()
    said = wait_until(lambda: health_or_closed(daemon), lambda found: found != (200, b"ok\n"))
    assert said in ((503, b"stopping\n"), None)
    slow.send(body[40:])
    answer = slow.getresponse()
    assert answer.status == 200
    assert "Key" in json.loads(answer.read())
    assert daemon.wait() == 0
    slow.close()
    waiting.close()


def health_or_closed(daemon) -> tuple[int, bytes] | None:
    try:
        found = daemon.get(daemon.api, "/health")
    except OSError:
        return None
    return found.status, found.body


def wait_until(look, good, limit: float = PATIENCE):
    give_up = time.monotonic() + limit
    while not good(found := look()):
        assert time.monotonic() < give_up, found
        threading.Event().wait(0.01)
    return found


def test_it_ends_within_five_seconds_under_load(start) -> None:
    daemon = start(overrides={"http.grace": "1s"})
    cid = daemon.add(os.urandom(8 * MEBIBYTE))
    stalled = [daemon.connection(daemon.gateway) for _ in range(8)]
    for connection in stalled:  # they ask for megabytes and do not read them
        connection.request("GET", f"/ipfs/{cid}")
    endless = [socket.create_connection(tuple(daemon.api.split(":"))) for _ in range(4)]
    for connection in endless:
        connection.sendall(
            b"POST /api/v0/add HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n5\r\n--x\r\n\r\n"
        )
    events = daemon.connection(daemon.web)
    events.request("GET", "/api/app/events", headers={"X-Zwerm-Token": daemon.token()})
    stream = events.getresponse()
    assert stream.status == 200
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 5
    for connection in (*stalled, *endless, stream, events):
        connection.close()


def test_a_second_signal_ends_it_at_once(start) -> None:
    daemon = start(overrides={"http.grace": "3s"})
    slow = daemon.connection(daemon.api)
    slow.putrequest("POST", "/api/v0/add")
    slow.putheader("Content-Type", "multipart/form-data; boundary=x")
    slow.putheader("Content-Length", "1000")
    slow.endheaders(b"--x\r\n")
    daemon.rpc("version")
    daemon.send(signal.SIGINT)
    wait_until(lambda: health_or_closed(daemon), lambda found: found != (200, b"ok\n"))
    assert daemon.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert "SIGINT again" in daemon.errors
    slow.close()
    start().stop()


def test_the_shutdown_command_stops_it(start) -> None:
    daemon = start()
    assert daemon.rpc("shutdown").status == 200
    assert daemon.wait() == 0


@pytest.mark.parametrize("moment", [0.0, 0.03, 0.1, 0.3])
def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_adding(start, moment: float) -> None:
    daemon = start()
    acknowledged: dict[str, bytes] = {}

    def add_until_killed() -> None:
        number = 0
        while True:
            number += 1
            data = number.to_bytes(4, "big") * 50_000
            try:
                acknowledged[daemon.add(data)] = data
                written = daemon.rpc(
                    "files/write", f"/{number}", files={"data": data[:100]}, create=True, truncate=True
                )
                if written.status == 200:
                    acknowledged[f"/{number}"] = data[:100]
            except (OSError, HTTPException, ValueError, IndexError, KeyError):
                return

    adding = threading.Thread(target=add_until_killed)
    adding.start()
    wait_until(lambda: len(acknowledged), lambda count: count > 4)
    threading.Event().wait(moment)
    daemon.process.kill()
    daemon.wait()
    adding.join(PATIENCE)

    again = start()
    for where, data in acknowledged.items():
        found = again.rpc("files/read", where) if where.startswith("/") else again.rpc("cat", where)
        assert found.body == data, where
    pins = again.rpc("pin/ls", type="recursive").json["Keys"]
    assert {where for where in acknowledged if not where.startswith("/")} <= set(pins)
    assert b"rror" not in again.rpc("repo/verify").body
    assert again.stop() == 0


def test_a_client_that_leaves_in_the_middle_of_an_upload_leaves_nothing(start) -> None:
    daemon = start()
    for _ in range(3):
        connection = socket.create_connection(tuple(daemon.api.split(":")))
        connection.sendall(
            b"POST /api/v0/add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
            b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + os.urandom(3 * MEBIBYTE)
        )
        connection.close()
    assert daemon.rpc("pin/ls").json["Keys"] == {}
    assert daemon.rpc("version").status == 200
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.errors


def test_a_full_quota_is_said_and_loses_nothing(start) -> None:
    daemon = start(overrides={"storage.max": "6MiB", "storage.collect_at": 0})
    kept = os.urandom(MEBIBYTE)
    cid = daemon.add(kept)
    refused = daemon.rpc("add", files={"big": os.urandom(20 * MEBIBYTE)})
    assert refused.status == 500
    assert "storage limit" in refused.json["Message"]
    by_page = daemon.app("PUT", "files/upload", os.urandom(20 * MEBIBYTE), path="/big")
    assert by_page.status == 507
    assert by_page.json["error"]["code"] == "quota"
    assert daemon.app("GET", "files", path="/").json["entries"] == []
    assert daemon.rpc("cat", cid).body == kept
    assert daemon.stop() == 0
    total = sum(file.stat().st_size for file in daemon.path.rglob("*") if file.is_file())
    assert total <= 6 * MEBIBYTE + 65_536


def test_requests_that_are_no_http_are_answered_400(start) -> None:
    daemon = start()
    assert raw_request(daemon.api, b"\x16\x03\x01 what is this\r\n\r\n")[8:13] == b" 400 "
    assert raw_request(daemon.gateway, b"GET / HTTP/1.1\r\nBad Header\r\n\r\n")[8:13] == b" 400 "
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.errors


def test_log_lines_can_be_json(start) -> None:
    daemon = start(overrides={"log.format": "json"})
    daemon.stop()
    lines = [json.loads(line) for line in daemon.errors.splitlines()]
    assert [line["message"] for line in lines] == ["stopping", "stopped"]
    assert {line["level"] for line in lines} == {"info"}


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(start, tmp_path: Path, monkeypatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        daemon = start()
        assert manager.recv(100) == b"READY=1"
        daemon.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_it_works_without_uvloop(start, monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "uvloop.py").write_text("raise ImportError('not installed')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))
    daemon = start()
    data = os.urandom(3 * MEBIBYTE)
    cid = daemon.add(data)
    assert daemon.get(daemon.gateway, f"/ipfs/{cid}").body == data
    assert daemon.rpc("cat", cid).body == data
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.errors
