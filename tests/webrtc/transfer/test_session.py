"""Two file sessions joined by a queue in each direction: whole files, resumption, back pressure, and broken peers."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.webrtc.transfer import message as wire
from zwerm.webrtc.transfer.event import (
    ChunkArrived,
    Config,
    Event,
    FileAccepted,
    FileArrived,
    FileOffered,
    FileProgressed,
    FileStored,
    PeerBroken,
    Read,
    ReceivingEnded,
    SendingEnded,
)
from zwerm.webrtc.transfer.message import Reason
from zwerm.webrtc.transfer.session import TransferSession

SMALL = Config(chunk=10, window=40, progress_every=20)


def events(session: TransferSession) -> list[Event]:
    found = []
    while (event := session.next_event()) is not None:
        found.append(event)
    return found


def carry(source: TransferSession, target: TransferSession) -> None:
    while (message := source.next_message()) is not None:
        target.receive_message(message)


class Receiver:
    """Keeps files in memory, as a disk would."""

    def __init__(self, session: TransferSession) -> None:
        self.session = session
        self.content: dict[int, bytearray] = {}
        self.stored: list[int] = []

    def work(self) -> None:
        while (event := self.session.next_event()) is not None:
            match event:
                case FileOffered(number):
                    self.content.setdefault(number, bytearray())
                    self.session.accept(number, len(self.content[number]))
                case ChunkArrived(number, offset, data):
                    assert offset == len(self.content[number])
                    self.content[number] += data
                    self.session.wrote(number, len(data))
                case FileArrived(number):
                    self.session.stored(number)
                    self.stored.append(number)


def send_all(sender: TransferSession, receiver: Receiver, files: dict[int, bytes], *, reads: int = 10_000) -> None:
    """Carry until nothing moves, or after so many reads."""
    for _ in range(10_000):
        carry(sender, receiver.session)
        receiver.work()
        carry(receiver.session, sender)
        read = sender.next_read()
        if read is None or not reads:
            return
        reads -= 1
        sender.provide(read.id, files[read.id][read.offset : read.offset + read.size])
    raise AssertionError("it does not end")


@given(st.lists(st.integers(0, 300), max_size=8), st.integers(0, 1 << 30))
def test_files_of_every_size_arrive_whole_and_in_the_order_of_their_offers(sizes: list[int], seed: int) -> None:
    sender, receiver = TransferSession(SMALL), Receiver(TransferSession(SMALL))
    random = Random(seed)
    files = {}
    for size in sizes:
        content = random.randbytes(size)
        files[sender.offer("x", size, hashlib.sha256(content).digest())] = content
    send_all(sender, receiver, files)
    assert receiver.content == files
    assert sorted(receiver.stored) == sorted(files)
    assert {event.id for event in events(sender) if isinstance(event, FileStored)} == set(files)
    assert sender.next_read() is None


def test_a_file_goes_on_from_what_was_received_before() -> None:
    content = bytes(range(256))
    first, half = TransferSession(SMALL), Receiver(TransferSession(SMALL))
    files = {first.offer("x", 256, bytes(32)): content}
    send_all(first, half, files, reads=9)
    assert len(half.content[1]) == 90
    second, whole = TransferSession(SMALL), Receiver(TransferSession(SMALL))
    whole.content = half.content
    second.offer("x", 256, bytes(32))
    send_all(second, whole, files)
    assert whole.content == files
    assert next(event.offset for event in events(second) if isinstance(event, FileAccepted)) == 90


def test_nothing_is_sent_beyond_what_the_receiver_has_written() -> None:
    sender, receiver = TransferSession(SMALL), TransferSession(SMALL)
    sender.offer("x", 1_000, bytes(32))
    carry(sender, receiver)
    receiver.accept(1)
    carry(receiver, sender)
    sent = 0
    while (read := sender.next_read()) is not None:
        sender.provide(read.id, bytes(read.size))
        sent += read.size
    assert sent == SMALL.window
    carry(sender, receiver)
    receiver.wrote(1, 10)
    assert receiver.next_message() is None, "progress is told in steps"
    receiver.wrote(1, 10)
    carry(receiver, sender)
    assert FileProgressed(1, 20) in events(sender)
    assert sender.next_read() == Read(1, 40, 10)


def test_one_piece_is_read_at_a_time() -> None:
    sender, receiver = TransferSession(SMALL), TransferSession(SMALL)
    sender.offer("x", 100, bytes(32))
    carry(sender, receiver)
    receiver.accept(1)
    carry(receiver, sender)
    assert sender.next_read() == Read(1, 0, 10)
    assert sender.next_read() is None


def test_either_side_may_end_a_file_at_any_moment() -> None:
    sender, receiver = TransferSession(SMALL), TransferSession(SMALL)
    for _ in range(3):
        sender.offer("x", 100, bytes(32))
    carry(sender, receiver)
    receiver.refuse(1)
    receiver.accept(2)
    receiver.accept(3)
    carry(receiver, sender)
    for _ in range(2):
        read = sender.next_read()
        assert read is not None
        sender.provide(read.id, bytes(10))
    sender.cancel(2, Reason.CHANGED)
    receiver.refuse(3, Reason.DISK_FULL)
    carry(sender, receiver)
    carry(receiver, sender)
    assert [event for event in events(sender) if isinstance(event, SendingEnded)] == [
        SendingEnded(1, Reason.DECLINED),
        SendingEnded(3, Reason.DISK_FULL),
    ]
    assert ReceivingEnded(2, Reason.CHANGED) in events(receiver)
    sender.provide(3, bytes(10))
    sender.cancel(3)
    receiver.stored(2)
    receiver.wrote(3, 10)
    receiver.accept(2)
    receiver.refuse(2)
    assert (sender.next_message(), receiver.next_message(), sender.next_read()) == (None, None, None)


def test_chunks_that_were_on_their_way_when_a_file_was_refused_are_passed_over() -> None:
    receiver = TransferSession()
    receiver.receive_message(wire.Offer(7, 100, bytes(32), "x").serialize())
    receiver.accept(7)
    receiver.refuse(7)
    receiver.receive_message(wire.Chunk(7, 0, b"x").serialize())
    assert not any(isinstance(event, PeerBroken) for event in events(receiver))


def test_names_are_safe_when_they_are_told() -> None:
    receiver = TransferSession()
    receiver.receive_message(wire.Offer(1, 5, bytes(32), "../../.ssh/id\x00.txt").serialize())
    assert receiver.next_event() == FileOffered(1, "id.txt", 5, bytes(32))


def test_more_files_or_larger_ones_than_the_limits_are_refused() -> None:
    receiver = TransferSession(Config(max_files=2, max_size=100))
    for number in (1, 2, 3):
        receiver.receive_message(wire.Offer(number, 5, bytes(32), "x").serialize())
    assert wire.parse(receiver.next_message() or b"") == wire.Refuse(3, Reason.TOO_MANY)
    receiver.refuse(1)
    receiver.next_message()
    receiver.receive_message(wire.Offer(4, 101, bytes(32), "x").serialize())
    assert wire.parse(receiver.next_message() or b"") == wire.Refuse(4, Reason.TOO_LARGE)


def test_misuse_is_told_at_once() -> None:
    session = TransferSession(Config(max_files=1))
    with pytest.raises(LocalProtocolError):
        session.offer("x", wire.MAX_SIZE + 1, bytes(32))
    with pytest.raises(LocalProtocolError):
        session.offer("x", 1, bytes(20))
    session.offer("x", 1, bytes(32))
    with pytest.raises(ResourceLimitError):
        session.offer("x", 1, bytes(32))
    with pytest.raises(LocalProtocolError):
        session.provide(1, b"x")
    session.receive_message(wire.Offer(1, 10, bytes(32), "x").serialize())
    with pytest.raises(LocalProtocolError):
        session.accept(1, 11)
    session.accept(1, 3)
    with pytest.raises(LocalProtocolError):
        session.accept(1)


BROKEN = {
    "no message": [b"\xff"],
    "an offer twice": [wire.Offer(1, 5, bytes(32), "x").serialize()] * 2,
    "bytes that were not asked for": [wire.Offer(1, 5, bytes(32), "x").serialize(), wire.Chunk(1, 0, b"x").serialize()],
    "bytes of nothing": [wire.Chunk(9, 0, b"x").serialize()],
    "accepted what was not offered": [wire.Accept(9, 0).serialize()],
    "accepted twice": [wire.Accept(1, 0).serialize()] * 2,
    "accepted beyond the end": [wire.Accept(1, 101).serialize()],
    "wrote more than was sent": [wire.Accept(1, 0).serialize(), wire.Progress(1, 1).serialize()],
    "stored what was not sent": [wire.Accept(1, 0).serialize(), wire.Stored(1).serialize()],
}


@pytest.mark.parametrize("messages", BROKEN.values(), ids=BROKEN.keys())
def test_a_peer_that_breaks_the_rules_is_told_of_and_heard_no_more(messages: list[bytes]) -> None:
    session = TransferSession()
    session.offer("x", 100, bytes(32))
    for message in messages:
        session.receive_message(message)
    assert isinstance(events(session)[-1], PeerBroken)
    session.receive_message(wire.Offer(5, 5, bytes(32), "x").serialize())
    assert events(session) == []


@pytest.mark.parametrize("offset", [1, 90], ids=["a gap", "behind the end"])
def test_bytes_out_of_order_are_refused(offset: int) -> None:
    session = TransferSession(SMALL)
    session.receive_message(wire.Offer(1, 95, bytes(32), "x").serialize())
    session.accept(1)
    session.receive_message(wire.Chunk(1, offset, bytes(10)).serialize())
    assert isinstance(events(session)[-1], PeerBroken)


def test_a_sender_that_ignores_the_window_is_refused() -> None:
    session = TransferSession(SMALL)
    session.receive_message(wire.Offer(1, 1_000, bytes(32), "x").serialize())
    session.accept(1)
    for index in range(6):
        session.receive_message(wire.Chunk(1, index * 10, bytes(10)).serialize())
    assert not any(isinstance(event, PeerBroken) for event in events(session))
    session.receive_message(wire.Chunk(1, 60, bytes(10)).serialize())
    assert isinstance(events(session)[-1], PeerBroken)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_raise(messages: list[bytes]) -> None:
    session = TransferSession(SMALL)
    session.offer("x", 50, bytes(32))
    for message in messages:
        session.receive_message(message)
