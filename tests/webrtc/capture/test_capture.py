"""A capture is whole, bounded, and has no key that was not asked for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webrtc.capture.reader import blocks, packets
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Transmit
from zwerm.webrtc.capture.capture import MAX_HELD, MAX_SECRETS, MIN_SIZE, Capture, Write

US, THEM = ("192.0.2.1", 5_000), ("192.0.2.2", 6_000)
LINE = b"CLIENT_RANDOM 00 11\n"
SECRETS = 10


class Disk:
    """Keeps files as a disk would."""

    def __init__(self, *, max_size: int = MIN_SIZE, has_keys: bool = False) -> None:
        self.files: list[bytes] = []
        self.capture = Capture(self._write, clock_offset=1_000.0, max_size=max_size, has_keys=has_keys)

    def _write(self, write: Write) -> None:
        if write.begins_file:
            self.files.append(b"")
        self.files[-1] += write.data

    def kinds(self, file: int = 0) -> list[int]:
        return [block.kind for block in blocks(self.files[file])]


def test_what_passes_is_written_with_its_time_and_direction() -> None:
    disk = Disk()
    tap = disk.capture.tap()
    tap.sent(Transmit(b"aabbc", THEM, 2, US), 1.0)
    tap.received([b"one", b"two"], THEM, US, 2.5)
    tap.sctp([b"plain"], US, THEM, 3.0, is_sent=True)
    found = packets(disk.files[0])
    assert [packet.data[28:] for packet in found[:5]] == [b"aa", b"bb", b"c", b"one", b"two"]
    assert [packet.direction for packet in found] == [2, 2, 2, 1, 1, 2]
    assert [packet.interface for packet in found] == [0, 0, 0, 0, 0, 1]
    assert [packet.microseconds for packet in found][2:4] == [1_001_000_000, 1_002_500_000]
    assert found[5].data[20:] == b"plain"


def test_an_address_that_nobody_told_is_unspecified() -> None:
    disk = Disk()
    tap = disk.capture.tap()
    tap.received([b""], ("2001:db8::1", 1), None, 0.0)
    tap.received([b""], THEM, None, 0.0)
    first, second = packets(disk.files[0])
    assert first.data[24:40] == bytes(16)
    assert second.data[16:20] == bytes(4)


def test_an_answer_comes_to_where_the_question_left_from() -> None:
    disk = Disk()
    tap = disk.capture.tap()
    tap.sent(Transmit(b"?", THEM, None, US), 0.0)
    tap.received([b"!"], THEM, None, 0.0)
    question, answer = packets(disk.files[0])
    assert question.data[12:16] == answer.data[16:20] == bytes([192, 0, 2, 1])


def test_without_being_asked_for_keys_are_forgotten() -> None:
    disk = Disk()
    tap = disk.capture.tap()
    assert not tap.wants_keys
    tap.sent(Transmit(b"x", THEM, None, US), 0.0)
    tap.keys(LINE)
    tap.flush()
    assert disk.kinds() == [0x0A0D0D0A, 1, 1, 6]
    assert b"CLIENT_RANDOM" not in disk.files[0]


def test_keys_stand_before_the_packets_that_they_open() -> None:
    disk = Disk(has_keys=True)
    first, second = disk.capture.tap(), disk.capture.tap()
    first.sent(Transmit(b"hello", THEM, None, US), 0.0)
    first.received([b"answer"], THEM, US, 0.1)
    assert disk.kinds() == [0x0A0D0D0A, 1, 1]
    first.keys(LINE)
    assert disk.kinds() == [0x0A0D0D0A, 1, 1, SECRETS, 6, 6]
    first.sent(Transmit(b"more", THEM, None, US), 0.2)
    assert [packet.data[28:] for packet in packets(disk.files[0])] == [b"hello", b"answer", b"more"]
    second.sent(Transmit(b"of another connection", THEM, None, US), 0.3)
    assert len(packets(disk.files[0])) == 3
    second.flush()
    assert len(packets(disk.files[0])) == 4


def test_a_handshake_that_never_ends_is_not_held_back_for_ever() -> None:
    disk = Disk(max_size=16 * MIN_SIZE, has_keys=True)
    tap = disk.capture.tap()
    for _ in range(MAX_HELD // 1_000):
        tap.received([bytes(1_000)], THEM, US, 0.0)
    assert len(packets(disk.files[0])) > 200


def test_a_full_file_makes_way_for_one_that_can_be_read_alone() -> None:
    disk = Disk(has_keys=True)
    tap = disk.capture.tap()
    tap.keys(LINE)
    for number in range(300):
        tap.received([number.to_bytes(2, "big") + bytes(998)], THEM, US, 0.0)
    assert len(disk.files) == 3
    assert max(map(len, disk.files)) <= MIN_SIZE
    assert all(disk.kinds(file)[:4] == [0x0A0D0D0A, 1, 1, SECRETS] for file in range(3))
    numbers = [int.from_bytes(packet.data[28:30], "big") for file in disk.files for packet in packets(file)]
    assert numbers == list(range(300))


def test_a_new_file_repeats_the_keys_of_a_bounded_number_of_connections() -> None:
    disk = Disk(has_keys=True)
    for _ in range(MAX_SECRETS + 10):
        disk.capture.tap().keys(LINE)
    tap = disk.capture.tap()
    tap.flush()
    for _ in range(3):
        tap.received([bytes(60_000)], THEM, US, 0.0)
    assert disk.kinds(1).count(SECRETS) == MAX_SECRETS


def test_the_largest_datagram_fits_into_the_smallest_file() -> None:
    disk = Disk()
    disk.capture.tap().received([bytes(65_507)], THEM, US, 0.0)
    assert len(packets(disk.files[0])) == 1
    assert disk.capture.dropped == 0


def test_files_too_small_for_a_datagram_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="131071 bytes, expected at least 131072"):
        Disk(max_size=MIN_SIZE - 1)


@given(st.lists(st.tuples(st.integers(0, 65_507), st.booleans()), max_size=40), st.booleans())
@settings(max_examples=50)
def test_no_file_is_ever_larger_than_it_may_be(sizes: list[tuple[int, bool]], has_keys: bool) -> None:
    disk = Disk(has_keys=has_keys)
    tap = disk.capture.tap()
    for size, is_key in sizes:
        if is_key:
            tap.keys(bytes(size % 500))
        else:
            tap.received([bytes(size)], THEM, US, 0.0)
    tap.flush()
    assert max(map(len, disk.files)) <= MIN_SIZE
    assert sum(len(packets(file)) for file in disk.files) == sum(not is_key for _, is_key in sizes)
