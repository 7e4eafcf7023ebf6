"""`zwerm connect --paste` in two processes: only what people would carry passes between them."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Harness
from tests.cli.shell import Side
from tests.webrtc.capture.reader import packets
from zwerm.webrtc.paste.code import Code
from zwerm.webrtc.paste.text import write


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Callable[..., Side]]:
    """Start shells; whatever still runs at the end is ended."""
    sides: list[Side] = []

    def start(name: str, *options: str | Path, json_output: bool = True) -> Side:
        sides.append(Side(Harness(tmp_path / name), *options, json_output=json_output))
        return sides[-1]

    yield start
    for one in sides:
        if one.process.poll() is None:
            one.kill()


def paste(left: Side, right: Side) -> None:
    """Carry both codes, as two people would at the same time."""
    codes = left.code(), right.code()
    left.type(codes[1])
    right.type(codes[0])
    for one in (left, right):
        one.told("state", State="connected")


def test_two_shells_talk_until_one_leaves(side: Callable[..., Side]) -> None:
    left, right = side("left"), side("right")
    paste(left, right)
    assert left.told("hello")["Program"].startswith("zwerm ")
    left.type("hallo daar 🐦", "//slash")
    right.type("dag")
    assert right.told("text")["Text"] == "hallo daar 🐦"
    assert right.told("text")["Text"] == "/slash"
    assert left.told("text")["Text"] == "dag"
    left.type("/quit")
    right.told("left")
    assert (left.end(), right.end()) == (0, 0)


def test_what_passes_can_be_captured(side: Callable[..., Side], tmp_path: Path) -> None:
    capture = tmp_path / "call.pcapng"
    left, right = side("left", "--capture", capture), side("right")
    paste(left, right)
    left.type("what nobody else should read")
    right.told("text")
    left.type("/quit")
    right.told("left")
    assert (left.end(), right.end()) == (0, 0)
    assert {packet.interface for packet in packets(capture.read_bytes())} == {0, 1}
    assert b"what nobody else should read" in capture.read_bytes()
    assert b"CLIENT_RANDOM" not in capture.read_bytes()


def test_keys_are_captured_into_a_file_or_not_at_all(tmp_path: Path) -> None:
    refused = Harness(tmp_path / "alone").run("connect", "--paste", "--capture-keys", status=2)
    assert "--capture-keys without --capture FILE" in refused.err


def test_files_are_sent_with_progress_and_keep_what_is_there(side: Callable[..., Side], tmp_path: Path) -> None:
    photo, letter = tmp_path / "photo.bin", tmp_path / "brief.txt"
    photo.write_bytes(os.urandom(3_000_000))
    letter.write_text("Lieve Bram,\n")
    into = tmp_path / "into"
    into.mkdir()
    (into / "brief.txt").write_text("another letter\n")
    left, right = side("left", "--send", photo, "--send", letter), side("right", "--into", into)
    paste(left, right)
    left.told("file", Name="photo.bin", State="moving")
    assert left.told("file", Name="photo.bin", State="done")["Moved"] == 3_000_000
    assert right.told("file", Name="photo.bin", State="done")["Path"] == str(into / "photo.bin")
    assert (left.end(), right.end()) == (0, 0)
    assert (into / "photo.bin").read_bytes() == photo.read_bytes()
    assert (into / "brief.txt").read_text() == "another letter\n"
    assert (into / "brief (2).txt").read_text() == "Lieve Bram,\n"
    assert sorted(path.name for path in into.iterdir()) == ["brief (2).txt", "brief.txt", "photo.bin"]


def test_a_terminal_sees_a_bar_while_a_file_goes(side: Callable[..., Side], tmp_path: Path) -> None:
    film = tmp_path / "film.bin"
    with film.open("wb") as file:
        file.truncate(60_000_000)
    into = tmp_path / "into"
    into.mkdir()
    harness, right = Harness(tmp_path / "left"), side("right", "--into", into)
    ours, theirs = pty.openpty()
    command = harness.command("connect", "--paste", "--send", film)
    streams = {"stdin": subprocess.PIPE, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(command, cwd=harness.folder, env=harness.environment(), **streams) as left:
        os.close(theirs)
        try:
            seen = read_until(ours, b"Paste theirs here")
            lines = seen.decode().replace("\r", "").split("Your code; give it to the other person:")[1].split()
            assert left.stdin is not None
            left.stdin.write(f"{right.code()}\n".encode())
            left.stdin.flush()
            right.type("".join(lines[: lines.index("Paste")]))
            right.told("file", State="moving")
            while (
                b"film.bin \x1b" not in seen or b"MB" not in seen
            ):  # the bar comes once there is something to wait for
                right.process.send_signal(signal.SIGSTOP)
                seen += read_now(ours)
                right.process.send_signal(signal.SIGCONT)
                seen += read_now(ours)
                assert left.poll() is None, seen[-2_000:]
            while left.poll() is None:  # it leaves when all is sent
                read_now(ours)
        finally:
            left.kill()
            os.close(ours)
    assert (left.returncode, right.end()) == (0, 0)
    assert (into / "film.bin").stat().st_size == 60_000_000


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        try:
            seen += os.read(descriptor, 65_536)
        except OSError:
            raise AssertionError(f"it ended before {wanted!r}: {seen!r}") from None
    return seen


def read_now(descriptor: int) -> bytes:
    """What comes within a moment, perhaps nothing."""
    ready, _, _ = select.select([descriptor], [], [], 0.1)
    try:
        return os.read(descriptor, 65_536) if ready else b""
    except OSError:
        return b""  # nobody is there any more


def test_a_person_is_asked_and_may_decline(side: Callable[..., Side], tmp_path: Path) -> None:
    letter = tmp_path / "brief.txt"
    letter.write_text("x" * 100)
    left, right = side("left"), side("right")
    paste(left, right)
    left.type(f"/send {letter}", f"/send '{letter}'")
    right.told("file", Number=2, State="offered")
    right.type("/stop 1", "/accept 2")
    assert left.told("file", Number=1, State="ended")["Reason"] == "declined"
    assert right.told("file", Number=2, State="done")["Path"] == "brief.txt"
    assert (tmp_path / "right" / "brief.txt").read_text() == "x" * 100
    right.type("/quit")
    assert (right.end(), left.end()) == (0, 0)


def test_a_file_goes_on_after_the_receiver_was_killed(side: Callable[..., Side], tmp_path: Path) -> None:
    film, into = tmp_path / "film.bin", tmp_path / "into"
    film.write_bytes(os.urandom(48_000_000))
    left, right = side("left"), side("right", "--into", into)
    paste(left, right)
    left.type(f"/send {film}")
    first = left.told("file", State="moving")
    while first["Moved"] < 1_000_000:
        first = left.told("file", State="moving")
    right.kill()
    assert [path.suffix for path in into.iterdir()] == [".part"]
    again = side("again", "--into", into)
    left.type("/new")
    paste(left, again)
    assert again.told("file", State="moving")["Moved"] >= 1_000_000
    assert left.told("file", State="done")["Moved"] == 48_000_000
    assert (into / "film.bin").read_bytes() == film.read_bytes()
    left.type("/quit")
    assert (left.end(), again.end()) == (0, 0)


def test_a_wrapped_and_quoted_code_is_read_and_wrong_ones_are_told_in_a_line(side: Callable[..., Side]) -> None:
    left, right = side("left"), side("right")
    codes = left.code(), right.code()
    left.type(codes[0])
    assert "your own code" in left.told("error")["Message"]
    left.type("hello?")
    assert "not a code" in left.told("error")["Message"]
    left.type(codes[1][:70], "")
    assert "characters are missing" in left.told("error")["Message"]
    swapped = "a" if codes[1][40] != "a" else "b"
    left.type(codes[1][:40] + swapped + codes[1][41:])
    assert "changed on the way" in left.told("error")["Message"]
    left.type("zwerm9" + codes[1][6:])
    assert "Update zwerm here" in left.told("error")["Message"]
    left.type(f'> "{codes[1][:50]}', f"> {codes[1][50:100]} ", f'> {codes[1][100:]}"')
    right.type(codes[0])
    left.told("state", State="connected")
    left.type("/quit")
    assert (left.end(), right.end()) == (0, 0)


def test_without_anybody_to_paste_a_broken_connection_is_the_end(side: Callable[..., Side], tmp_path: Path) -> None:
    left, right = side("left"), side("right", "--into", tmp_path / "into")
    paste(left, right)
    assert right.process.stdin is not None
    right.process.stdin.close()
    left.type("/new")
    right.told("state", State="lost")
    assert right.end() == 1


def test_a_shell_whose_output_nobody_reads_ends(tmp_path: Path) -> None:
    harness = Harness(tmp_path / "work")
    command = harness.command("--json", "connect", "--paste")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=harness.environment(), cwd=harness.folder
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"/new\n")
        process.stdin.flush()
        assert process.wait(60) == 141


def test_control_c_leaves_cleanly_and_the_other_side_hears_it(side: Callable[..., Side]) -> None:
    left, right = side("left"), side("right")
    paste(left, right)
    left.process.send_signal(signal.SIGINT)
    assert left.end() == 130
    right.told("left")
    assert right.end() == 0


def test_a_person_reads_plain_lines(side: Callable[..., Side]) -> None:
    left, right = side("left", "--qr", json_output=False), side("right")
    code = left.line(lambda line: line.startswith("zwerm1"))
    while not (line := left.line(lambda _: True)).startswith("Paste"):
        code += line if line.isalnum() else ""
    assert any("▀" in line for line in left.seen), "no QR code"
    left.type(right.code())
    right.type(code)
    left.line(lambda line: line.startswith("Connected"))
    right.told("state", State="connected")
    right.type("een \x1b[31mrode\x1b[0m regel")
    assert left.line(lambda line: line.startswith("< ")) == r"< een \x1b[31mrode\x1b[0m regel"
    left.type("/files", "/help")
    left.line(lambda line: line.startswith("/send PATH"))
    left.type("/quit")
    assert (left.end(), right.end()) == (0, 0)


def test_lines_without_a_connection_are_not_lost_silently(side: Callable[..., Side]) -> None:
    left = side("left")
    nobody = write(Code("abcd", "x" * 24, bytes(32), ()))
    left.code()
    left.type(nobody)
    left.told("state", State="connecting")
    left.type("is anybody there")
    assert "was not sent" in left.told("error")["Message"]
    left.type("/quit")
    assert left.end() == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["connect"], "--paste"),
        (["connect", "--paste", "photo.jpg"], "--send"),
        (["connect", "--paste", "--send", "nothing-there"], "nothing-there"),
        (["connect", "--paste", "--send", "."], "not a file"),
    ],
    ids=["no way", "a stray name", "no such file", "a folder"],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, arguments: list[str], told: str) -> None:
    result = Harness(tmp_path / "work").run(*arguments, status=None)
    assert result.status in (1, 2)
    assert told in result.err.splitlines()[-1]
