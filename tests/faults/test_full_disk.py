"""A disk without room: it is said in one line, costs nothing that was acknowledged, and is over when there is room."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import PATIENCE, Answer, Daemon, multipart
from tests.faults.small_disk import SmallDisk

MEBIBYTE = 1024 * 1024
FULL = "the disk is full; make room and try again"
SLACK = 512 * 1024  # bytes that the index and its log may have grown by


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def zwerm(tmp_path: Path, disk: SmallDisk) -> Iterator[Harness]:
    """Commands whose repository lies on a small disk, and their files elsewhere."""
    harness = disk.harness(tmp_path / "work")
    yield harness
    harness.stop()


def test_with_no_room_at_all_everything_can_be_read_and_room_can_be_made(zwerm: Harness, disk: SmallDisk) -> None:
    small = os.urandom(300_000)
    kept, gone = zwerm.add(small), zwerm.add(os.urandom(6 * MEBIBYTE))
    disk.fill()

    assert zwerm.run("cat", kept).raw == small
    for command in (["ls", kept], ["pin", "ls"], ["repo", "stat"]):
        assert zwerm.run(*command).out
    assert zwerm.fails("add", data=b"more").endswith(FULL)
    failure = zwerm.fails("key", "gen", "more")
    assert failure.startswith("cannot write key file ")
    assert failure.endswith(FULL)

    zwerm.run("config", "history.policy", "last 1")
    zwerm.run("pin", "rm", gone)
    assert "removed" in zwerm.run("repo", "gc").err
    assert disk.free > 5 * MEBIBYTE
    zwerm.add(os.urandom(4 * MEBIBYTE))
    zwerm.run("repo", "verify")


def add(daemon: Daemon, data: bytes) -> Answer:
    return daemon.rpc("add", files={"file": data})


def write(daemon: Daemon, data: bytes) -> Answer:
    return daemon.rpc("files/write", "/new", files={"data": data}, create=True)


def upload(daemon: Daemon, data: bytes) -> Answer:
    return daemon.app("PUT", "files/upload", data, path="/new")


def import_car(daemon: Daemon, data: bytes) -> Answer:
    return daemon.rpc("dag/import", files={"file": data})


def test_what_does_not_fit_is_refused_whoever_sends_it_and_the_node_goes_on(
    zwerm: Harness, disk: SmallDisk, tmp_path: Path
) -> None:
    large = os.urandom(30 * MEBIBYTE)
    elsewhere = Harness(tmp_path / "elsewhere")
    archive = elsewhere.run("dag", "export", elsewhere.add(large)).raw
    daemon = zwerm.start()
    for number, (send, data) in enumerate(
        ((add, large), (write, large), (upload, large), (import_car, archive), (add, large))
    ):
        before = disk.free
        answer = send(daemon, data)
        if send is upload:
            assert (answer.status, answer.json["error"]["code"]) == (507, "disk-full")
            assert answer.json["error"]["do"] == "Make room on the disk and try again."
        elif answer.status == 200:  # it had begun to tell what it does
            assert send is add
            assert FULL in answer.headers.get("x-stream-error", "") + str(answer.body)
        else:
            assert answer.status == 500
            assert FULL in answer.json["Message"]
        small = os.urandom(100_000)
        assert daemon.rpc("cat", daemon.add(small)).body == small
        assert disk.free > before - SLACK, number  # what did not fit takes no room
    assert daemon.get(daemon.api, "/health").status == 200
    assert daemon.rpc("files/ls", "/").json["Entries"] in (None, [])
    assert "Traceback" not in daemon.errors
    zwerm.run("repo", "verify")


def test_a_node_whose_disk_others_fill_reads_on_makes_room_and_adds_when_there_is_some(
    zwerm: Harness, disk: SmallDisk
) -> None:
    zwerm.run("init")
    large = os.urandom(6 * MEBIBYTE)
    unused = zwerm.add(os.urandom(5 * MEBIBYTE))
    kept = zwerm.add(large)  # behind it in the same pack, so that it has to be moved out of the way
    daemon = zwerm.start()
    disk.fill()
    for send in (add, write):
        answer = send(daemon, b"more")
        assert (answer.status, answer.json["Message"].endswith(FULL)) == (500, True)
    assert daemon.app("PUT", "files/upload", b"more", path="/more").status == 507
    assert FULL in daemon.rpc("pin/add", kept, name="other").json["Message"]
    assert daemon.get(daemon.gateway, f"/ipfs/{kept}").body == large
    disk.make_room()
    assert daemon.rpc("cat", daemon.add(b"more")).body == b"more"
    disk.fill()
    assert daemon.rpc("pin/rm", unused).status == 200
    assert daemon.rpc("repo/gc").status == 200
    assert disk.free > 4 * MEBIBYTE
    assert daemon.rpc("cat", daemon.add(os.urandom(3 * MEBIBYTE))).status == 200
    assert daemon.get(daemon.gateway, f"/ipfs/{kept}").body == large
    assert "Traceback" not in daemon.errors
    zwerm.run("repo", "verify")


def test_a_node_killed_on_a_full_disk_opens_on_it_again(zwerm: Harness, disk: SmallDisk) -> None:
    large = os.urandom(3 * MEBIBYTE)
    kept = zwerm.add(large)
    daemon = zwerm.start()
    disk.fill(2 * MEBIBYTE)
    body, headers = multipart({"file": os.urandom(8 * MEBIBYTE)})
    sending = daemon.connection(daemon.api)
    sending.putrequest("POST", "/api/v0/add")
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        sending.putheader(name, value)
    sending.endheaders(body[:1_900_000])
    daemon.rpc("version")
    daemon.stop(signal.SIGKILL)
    sending.close()
    if disk.free:
        disk.fill()
    again = zwerm.start()
    assert again.rpc("cat", kept).body == large
    assert FULL in again.rpc("add", files={"file": b"more"}).json["Message"]
    disk.make_room()
    assert again.rpc("cat", again.add(b"more")).body == b"more"
    zwerm.stop()
    zwerm.run("repo", "verify")


def test_a_disk_that_becomes_read_only_is_read_on(zwerm: Harness, disk: SmallDisk) -> None:
    large = os.urandom(3 * MEBIBYTE)
    kept = zwerm.add(large)
    disk.remount("ro")
    assert "read-only" in zwerm.fails("add", data=b"more")
    disk.remount("rw")
    assert zwerm.run("cat", zwerm.add(b"more")).raw == b"more"
    assert zwerm.run("cat", kept).raw == large


def test_an_endless_input_meets_the_end_of_the_disk_in_one_line(zwerm: Harness, disk: SmallDisk) -> None:
    zwerm.run("init")
    before = disk.free
    endless = subprocess.Popen(["cat", "/dev/urandom"], stdout=subprocess.PIPE)
    done = subprocess.run(
        zwerm.command("add"), stdin=endless.stdout, env=zwerm.environment(), capture_output=True, text=True, check=False
    )
    assert endless.stdout is not None
    endless.stdout.close()
    assert endless.wait(PATIENCE) == -signal.SIGPIPE
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f"{FULL}\n")
    assert disk.free > before - SLACK
    assert zwerm.run("cat", zwerm.add(b"more")).raw == b"more"


def test_output_that_takes_nothing_is_an_error_and_no_crash(local: Harness) -> None:
    address = local.add(os.urandom(100_000))
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            local.command("cat", address),
            env=local.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, f"Error: cannot write the output: {FULL}\n")
