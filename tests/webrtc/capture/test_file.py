"""Captures on disk: bounded, private, and harmless to connections whatever the disk does."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.webrtc.capture.reader import packets
from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.webrtc.capture.capture import MIN_SIZE
from zwerm.webrtc.capture.file import CaptureFile

US, THEM = ("192.0.2.1", 5_000), ("192.0.2.2", 6_000)


def test_what_was_captured_can_be_read_while_it_goes_on_and_after(tmp_path: Path) -> None:
    capture = CaptureFile(tmp_path / "call.pcapng", now=5.0, wall=1_700_000_005.0)
    tap = capture.tap()
    tap.received([b"one"], THEM, US, 6.0)
    capture.flush()
    (packet,) = packets(capture.path.read_bytes())
    assert packet.microseconds == 1_700_000_006_000_000
    tap.received([b"two"], THEM, US, 7.0)
    capture.close()
    capture.close()
    tap.received([b"too late"], THEM, US, 8.0)
    assert len(packets(capture.path.read_bytes())) == 2


def test_old_files_go_and_the_sum_stays_below_the_limit(tmp_path: Path) -> None:
    limit = 3 * MIN_SIZE
    capture = CaptureFile(tmp_path / "call.pcapng", now=0.0, wall=0.0, max_size=limit, files=3)
    tap = capture.tap()
    for _ in range(1_000):
        tap.received([bytes(1_200)], THEM, US, 0.0)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit
    capture.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["call.pcapng", "call.pcapng.1", "call.pcapng.2"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= limit
    assert all(packets(path.read_bytes()) for path in tmp_path.iterdir())


def test_nobody_else_may_read_it_even_where_the_file_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "call.pcapng"
    path.write_bytes(b"old")
    path.chmod(0o644)
    CaptureFile(path, now=0.0, wall=0.0).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.read_bytes().startswith(b"old")


def test_a_full_disk_ends_the_capture_and_nothing_else() -> None:
    capture = CaptureFile("/dev/full", now=0.0, wall=0.0)
    tap = capture.tap()
    for _ in range(200):
        tap.received([bytes(1_200)], THEM, US, 0.0)
    assert capture.failure == "No space left on device"
    tap.received([bytes(1_200)], THEM, US, 0.0)
    capture.close()


def test_a_full_disk_is_noticed_at_the_end_too() -> None:
    capture = CaptureFile("/dev/full", now=0.0, wall=0.0)
    capture.close()
    assert capture.failure == "No space left on device"


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"cannot write the capture .*No such file or directory"):
        CaptureFile(tmp_path / "missing" / "call.pcapng", now=0.0, wall=0.0)


@pytest.mark.parametrize(("size", "files"), [(MIN_SIZE, 2), (MIN_SIZE, 0), (1 << 30, 101)])
def test_limits_that_make_no_sense_are_refused(tmp_path: Path, size: int, files: int) -> None:
    with pytest.raises(LocalProtocolError, match="expected 131072 for each"):
        CaptureFile(tmp_path / "call.pcapng", now=0.0, wall=0.0, max_size=size, files=files)
    assert not (tmp_path / "call.pcapng").exists()
