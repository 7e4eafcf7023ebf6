"""A file session takes any messages without raising, and asks for no bytes outside of its own file."""

from zwerm.webrtc.transfer import message as wire
from zwerm.webrtc.transfer.event import ChunkArrived, Config, FileArrived, FileOffered
from zwerm.webrtc.transfer.names import safe_name
from zwerm.webrtc.transfer.session import TransferSession

SEEDS = [
    b"\0\x3c" + wire.Offer(1, 5, bytes(32), "../x").serialize() + b"\0\x12" + wire.Chunk(1, 0, b"hello").serialize(),
    b"\0\x0d" + wire.Accept(1, 10).serialize() + b"\0\x0d" + wire.Progress(1, 10).serialize(),
    b"\0\x06" + wire.Refuse(1, wire.Reason.DECLINED).serialize() + b"\0\x05" + wire.Stored(1).serialize(),
    b"\0\x06" + wire.Cancel(1, wire.Reason.CHANGED).serialize(),
]


def fuzz(data: bytes) -> None:
    session = TransferSession(Config(chunk=8, window=16, progress_every=4, max_files=4))
    session.offer("ours", 64, bytes(32))
    while len(data) > 2:
        size = int.from_bytes(data[:2], "big")
        session.receive_message(data[2 : 2 + size])
        data = data[2 + size :]
        while (event := session.next_event()) is not None:
            match event:
                case FileOffered(number, name, file_size):
                    assert name == safe_name(name)
                    session.accept(number, file_size // 2)
                case ChunkArrived(number, _, content):
                    session.wrote(number, len(content))
                case FileArrived(number):
                    session.stored(number)
        while (read := session.next_read()) is not None:
            assert 0 <= read.offset < read.offset + read.size <= 64
            session.provide(read.id, bytes(read.size))
        while session.next_message() is not None:
            continue
