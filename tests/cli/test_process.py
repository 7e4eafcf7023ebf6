"""How commands end, and who does their work: signals, pipes, locks, daemons that are gone, the name `ipfs`."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import IO

import pytest

from tests.cli.harness import Harness
from tests.daemon.harness import PATIENCE

BIG = os.urandom(4_000_000)


def begin(zwerm: Harness, *arguments: str, **streams: object) -> subprocess.Popen[bytes]:
    """Start a command and leave it running."""
    piped: dict[str, object] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        zwerm.command(*arguments),
        cwd=zwerm.folder,
        env=zwerm.environment(),
        **(piped | streams),  # type: ignore[call-overload]
    )


def wait_for_lock(zwerm: Harness, holder: int) -> None:
    """Return once a process holds the repository: it writes its number into the lock file."""
    lock = zwerm.repository / "repo.lock"
    moment = threading.Event()
    for _ in range(PATIENCE * 100):
        if lock.exists() and f"process {holder} " in lock.read_text():
            return
        moment.wait(0.01)
    raise AssertionError("the command did not open the repository")


INTERRUPTED = b"Error: interrupted; nothing is left half done\n"


@pytest.mark.parametrize("data", [b"", BIG], ids=["before", "between"])
def test_an_interrupted_command_ends_cleanly(local: Harness, data: bytes) -> None:
    process = begin(local, "add")
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()
    wait_for_lock(local, process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130  # though nobody has closed its input
    assert process.communicate() == (b"", INTERRUPTED)
    assert local.run("pin", "ls").out == ""
    local.run("repo", "verify")


def test_an_interrupted_command_ends_cleanly_with_a_daemon_too(served: Harness) -> None:
    process = begin(served, "files", "write", "--create", "/never")
    assert process.stdin is not None
    process.stdin.write(BIG)
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in (130, -signal.SIGINT), err
    assert b"Traceback" not in err
    assert "file does not exist" in served.fails("files", "stat", "/never")


def test_nobody_reading_is_no_error(zwerm: Harness) -> None:
    address = zwerm.add(BIG)
    process = begin(zwerm, "cat", address)
    assert process.stdout is not None
    assert process.stdout.read(10) == BIG[:10]
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE) == 141
    process.stderr.close()


def test_where_a_failure_came_from_is_shown_when_asked(local: Harness) -> None:
    done = subprocess.run(
        local.command("cat", "/nothing"),
        env=local.environment(ZWERM_DEBUG="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: /nothing: file does not exist\nTraceback")


def test_a_command_waits_for_another_one_on_the_same_repository(local: Harness) -> None:
    first = begin(local, "add", "-Q")
    wait_for_lock(local, first.pid)
    second = begin(local, "id", "-f", "<id>")
    out, _ = first.communicate(b"hello\n", timeout=PATIENCE)
    assert out.decode().strip() == "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
    out, err = second.communicate(timeout=PATIENCE)
    assert (second.returncode, err) == (0, b"")
    assert out.startswith(b"12D3KooW")


def test_a_daemon_that_was_killed_is_not_waited_for(local: Harness) -> None:
    daemon = local.start()
    address = local.add("kept")
    daemon.stop(signal.SIGKILL)
    assert (local.repository / "api").exists()
    assert local.run("cat", address).out == "kept"
    local.daemon = None


def test_a_daemon_can_be_named_or_left_out(served: Harness) -> None:
    assert served.daemon is not None
    host, port = served.daemon.api.split(":")
    for address in (served.daemon.api, f"/ip4/{host}/tcp/{port}", f"http://{served.daemon.api}"):
        assert served.run("--api", address, "version", "--json").json["Zwerm"]
    assert "no daemon answers at 127.0.0.1:1" in served.fails("--api", "127.0.0.1:1", "id")
    assert "is not an address" in served.fails("--api", "nonsense", "id")
    assert served.run("--api", "none", "cid", "bases").out


def test_a_daemon_with_a_secret_is_used_by_who_may_read_it(local: Harness) -> None:
    local.run("config", "api.token", "hunter2")
    daemon = local.start()
    assert local.run("id").json["ID"]
    assert "give its token with --api-auth" in local.fails("--api", daemon.api, "id")
    assert local.run("--api", daemon.api, "--api-auth", "hunter2", "id").json["ID"]
    assert local.run("--api", daemon.api, "id", environment={"ZWERM_TOKEN": "hunter2"}).json["ID"]
    local.stop()


def test_a_second_daemon_is_refused_and_commands_use_the_first(served: Harness) -> None:
    second = served.run("up", status=1)
    assert "is in use by process" in second.err
    assert served.run("doctor").out.count("runs, and answers at") == 1


def test_up_serves_until_it_is_told_to_stop(local: Harness) -> None:
    process = begin(local, "up", "--profile", "test", "--set", "log.level=warning", stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    lines = read_until(process.stdout, b"Daemon is ready\n")
    assert b"RPC API server listening on /ip4/127.0.0.1/tcp/" in lines
    assert local.run("shutdown").out == ""
    assert process.wait(PATIENCE) == 0
    process.communicate()
    assert "no daemon is running" in local.fails("shutdown")


def read_until(stream: IO[bytes], mark: bytes) -> bytes:
    seen = b""
    while mark not in seen:
        line = stream.readline()
        assert line, seen
        seen += line
    return seen


def test_ports_that_are_taken_are_named_together(local: Harness) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        local.run("config", "addresses.api", f"127.0.0.1:{port}")
        result = local.run("up", status=1)
        assert f"127.0.0.1:{port} (api) is in use by another program" in result.err
        checked = local.run("doctor", status=1)
        assert f"bad   port:         127.0.0.1:{port} for addresses.api" in checked.out
        assert "--port-offset" in checked.out


def test_under_the_name_ipfs_it_is_ipfs(tmp_path: Path) -> None:
    ipfs = Harness(tmp_path / "work", program="ipfs")
    ipfs.repository = tmp_path / "elsewhere"
    environment = {"IPFS_PATH": str(ipfs.repository), "ZWERM_PATH": str(tmp_path / "not-this-one")}
    assert ipfs.run("init", environment=environment).lines[0] == f"initialized repository at {ipfs.repository}"
    assert "is a repository already" in ipfs.run("init", environment=environment, status=1).err
    added = ipfs.run("add", data="hello\n", environment=environment).out
    assert added.split()[1] == "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN"
    assert ipfs.run("add", "-Q", "--cid-version=1", data="hello\n", environment=environment).out.startswith("bafkrei")
    assert ipfs.run("version", "-n", environment=environment).out.startswith("0.")
    assert ipfs.run("version", environment=environment).out.startswith("ipfs version 0.")
    assert json.loads(ipfs.run("config", "show", environment=environment).out)["Addresses"]["API"]
    assert ipfs.run("--help", environment=environment).out.startswith("ipfs: ")
    assert not (tmp_path / "not-this-one").exists()
    process = subprocess.Popen(
        ipfs.command("daemon", "--init", "--offline"), env=ipfs.environment(**environment), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    read_until(process.stdout, b"Daemon is ready\n")
    assert ipfs.run("cat", added.split()[1], environment=environment).out == "hello\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


def test_a_kubo_repository_is_recognised_and_left_alone(local: Harness) -> None:
    local.file("repository/config", json.dumps({"Identity": {"PeerID": "12D3KooW"}}))
    local.file("repository/datastore_spec", "{}")
    before = sorted(path.name for path in local.repository.iterdir())
    for arguments in (["add", "/etc/hostname"], ["up"], ["init"], ["config"]):
        result = local.run(*arguments, status=1)
        assert "is a repository of Kubo" in result.err
    assert "is Kubo's" in local.run("doctor", status=1).out
    assert sorted(path.name for path in local.repository.iterdir()) == before


def test_a_repository_of_a_later_release_is_refused(local: Harness) -> None:
    local.run("init")
    local.file("repository/version", "99")
    assert "update zwerm" in local.fails("id")
    assert "install a newer zwerm" in local.run("doctor", status=1).out


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(zwerm: Harness) -> None:
    ours, theirs = pty.openpty()
    process = begin(zwerm, "add", stderr=theirs)
    os.close(theirs)
    assert process.stdin is not None
    seen = b""
    while b"adding" not in seen:  # the bar comes once there has been something to wait for
        process.stdin.write(os.urandom(1_000_000))
        process.stdin.flush()
        seen += read_now(ours)
    process.stdin.close()
    assert process.stdout is not None
    added = process.stdout.read()
    process.stdout.close()
    assert process.wait(PATIENCE) == 0
    os.close(ours)
    assert added.startswith(b"added baf")
    assert zwerm.run("add", data=BIG).err == ""


def read_now(descriptor: int) -> bytes:
    """Return what is there to be read, perhaps nothing."""
    import select

    ready, _, _ = select.select([descriptor], [], [], 0.02)
    return os.read(descriptor, 65_536) if ready else b""


@pytest.mark.parametrize("command", [["doctor"], ["doctor", "--json"]])
def test_the_doctor_finds_nothing_wrong(zwerm: Harness, command: list[str]) -> None:
    zwerm.add("something")
    out = zwerm.run(*command).out
    assert "blocks, " in out
    assert "bad " not in out


def test_the_doctor_sees_what_is_wrong_with_files(local: Harness) -> None:
    assert "none at" in local.run("doctor").out
    local.run("init")
    (local.repository / "key").chmod(0o644)
    assert "chmod 600" in local.run("doctor", status=1).out
    (local.repository / "key").chmod(0o600)
    local.file("repository/config.toml", "[storage]\nmax = 'much'\n")
    assert "is not a size" in local.run("doctor", status=1).out


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("add file >&-", 1, "Error: Bad file descriptor\n"),
        ("add <&-", 1, "Error: Bad file descriptor\n"),
        ("--help >&-", 1, "Error: Bad file descriptor\n"),
        ("xyzzy >&-", 2, "Error: there is no command 'xyzzy' (see `zwerm --help`)\n"),
        ("xyzzy 2>&-", 2, ""),
        ("add file 0<&- 1>&- 2>&-", 1, ""),
    ],
)
def test_a_closed_descriptor_is_never_taken_for_a_file_of_the_repository(
    local: Harness, line: str, status: int, said: str
) -> None:
    """Without its number being taken again, what is printed would go into the index or a pack."""
    local.file("file", "x" * 100)
    local.run("init")
    program = shlex.quote(str(local.command()[0]))
    done = subprocess.run(
        ["bash", "-c", f"{program} {line}"], cwd=local.folder, env=local.environment(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.decode()) == (status, b"", said)
    assert local.run("repo", "verify").out == "verify complete, all blocks validated.\n"
