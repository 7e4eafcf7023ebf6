"""`zwerm turn` and `zwerm stun` as processes."""

import contextlib
import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.processes import resident
from benchmarks.turn_load import Client
from tests.cli.harness import Harness
from tests.webrtc.certificate import write_certificate


class Relay:
    """A `zwerm turn` that is ready."""

    def __init__(self, harness: Harness, *options: str) -> None:
        self.process = subprocess.Popen(
            harness.command("--json", "turn", "--listen", "127.0.0.1:0", *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=harness.environment(),
        )
        assert self.process.stdout is not None
        self.lines: list[str] = []
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if line == "TURN is ready\n":
                break
        self.server = json.loads(self.lines[0])["iceServers"][0]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        _, written = self.process.communicate(timeout=30)
        self.errors = [json.loads(line) for line in written.splitlines()]
        return self.process.returncode


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path / "here")


@pytest.fixture
def relay(harness: Harness) -> Iterator[Relay]:
    relay = Relay(harness, "--user", "alice:wonder")
    yield relay
    assert relay.stop() == 0


@pytest.mark.slow
def test_a_relay_prints_what_to_paste_and_tests_itself(relay: Relay) -> None:
    assert relay.server["username"] == "alice"
    assert relay.server["credential"] == "wonder"
    assert relay.server["urls"][1] == relay.server["urls"][0] + "?transport=tcp"
    assert relay.lines[1] == "Self-test passed: two clients met through the relay"


@pytest.mark.slow
def test_workers_and_numbers_and_a_new_certificate(harness: Harness, tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path, "127.0.0.1")
    relay = Relay(
        harness, "--workers", "2", "--metrics", "127.0.0.1:0", "--cert", str(certificate), "--key", str(key),
        "--external-ip", "127.0.0.1",
    )  # fmt: skip
    try:
        assert [url.split(":")[0] for url in relay.server["urls"]] == ["turn", "turn", "turns"]
        with urllib.request.urlopen(relay.lines[1].removeprefix("Metrics: "), timeout=20) as page:
            assert b"\nzwerm_turn_workers 2\n" in page.read()
        relay.process.send_signal(signal.SIGHUP)
    finally:
        assert relay.stop() == 0
    assert relay.errors[0]["message"] == "certificate read anew"
    assert relay.errors[-1]["message"] == "stopping"


@pytest.mark.slow
def test_stun_says_in_words_what_is_between(relay: Relay, harness: Harness) -> None:
    url = relay.server["urls"][0]
    said = harness.run("stun", url.replace("turn:", "stun:"))
    assert said.lines[0].startswith("You are not behind a NAT: the server sees your own address, 127.0.0.1:")
    assert said.lines[1] == "This server cannot tell how the way behaves: it has no second address (RFC 5780)."
    assert harness.run("stun", "--json", url).json["Mapping"] is None
    over_tcp = harness.run("stun", f"{url}?transport=tcp").lines
    assert over_tcp[0].startswith("You are not behind a NAT: the server sees your own address, 127.0.0.1:")
    assert over_tcp[1] == "What lies between treats UDP in ways that TCP cannot tell."


@pytest.mark.parametrize(
    "arguments",
    [
        ["stun"],
        ["stun", "example.org"],
        ["turn", "more"],
        ["turn", "--listen", "127.0.0.1:0", "--allow-peer", "127.1"],
        ["turn", "--listen", "127.0.0.1:0", "--user", "alice"],
        ["turn", "--listen", "127.0.0.1:0", "--cert", "no-such-file.pem"],
    ],
    ids=["no URL", "no scheme", "an argument", "a spelling", "no password", "no certificate"],
)
def test_what_cannot_be_is_one_line(harness: Harness, arguments: list[str]) -> None:
    result = harness.run(*arguments, status=None)
    assert result.status in (1, 2)
    assert result.err.count("\n") <= 2
    assert "Traceback" not in result.err


@pytest.mark.slow
def test_two_thousand_allocations_take_less_than_their_share_of_300_megabytes(harness: Harness) -> None:
    relay = Relay(harness, "--user", "alice:wonder", "--user-quota", "2000", "--no-self-test")
    try:
        before = resident(relay.process.pid)
        server = ("127.0.0.1", int(relay.server["urls"][0].rsplit(":", 1)[1]))
        with contextlib.ExitStack() as stack:
            for number in range(2_000):
                stack.enter_context(Client(server, None, f"127.1.{number // 250 + 1}.{number % 250 + 1}").socket)
            assert resident(relay.process.pid) - before < 2_000 * 30_000
    finally:
        assert relay.stop() == 0
