"""Both directions of files over one link, as a machine. It reads no disk, opens no channel and keeps no time.

Sending: `offer`; after `FileAccepted` the owner asks `next_read` whenever the channel has room, reads, and gives the
bytes to `provide`. Receiving: `FileOffered` is answered by `accept` or `refuse`; each `ChunkArrived` is written and
reported by `wrote`; after `FileArrived` the whole is verified and `stored` says so.

A link that breaks takes its session along. On the next one the sender offers what was not over again, and the receiver,
who knows it by its hash, accepts from where it stood.
"""

from __future__ import annotations

import dataclasses
from collections import deque

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
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
from zwerm.webrtc.transfer.names import safe_name


@dataclasses.dataclass(slots=True)
class _Outgoing:
    size: int
    sent: int = -1  # bytes, what the receiver had included; -1: not accepted yet
    received: int = 0  # bytes that the receiver wrote
    is_reading: bool = False  # a `Read` is out


@dataclasses.dataclass(slots=True)
class _Incoming:
    size: int
    arrived: int = -1  # bytes; -1: not accepted yet
    written: int = 0
    reported: int = 0


class TransferSession:
    """See the module."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self._outgoing: dict[int, _Outgoing] = {}
        self._incoming: dict[int, _Incoming] = {}
        self._over: deque[int] = deque(maxlen=self.config.max_files)  # incoming that we ended: chunks are on their way
        self._last_id = 0
        self._messages: deque[bytes] = deque()
        self._events: deque[Event] = deque()
        self._is_broken = False

    # Sending.

    def offer(self, name: str, size: int, sha256: bytes) -> int:
        """Offer a file; return its number.

        Raises:
            ResourceLimitError: so many are offered already.
            LocalProtocolError: it is larger than the protocol can say.
        """
        if len(self._outgoing) >= self.config.max_files:
            raise ResourceLimitError(f"{len(self._outgoing)} files are offered, which is the limit")
        if not 0 <= size <= wire.MAX_SIZE or len(sha256) != wire.HASH_SIZE or len(name.encode()) > wire.MAX_NAME:
            raise LocalProtocolError(f"a file of {size} bytes with a name of {len(name)} characters cannot be offered")
        self._last_id += 1
        self._outgoing[self._last_id] = _Outgoing(size)
        self._say(wire.Offer(self._last_id, size, sha256, name))
        return self._last_id

    def next_read(self) -> Read | None:
        """What to read next, the file that was offered first; None while everything waits for the other side."""
        for number, file in self._outgoing.items():
            if file.is_reading or file.sent < 0 or file.sent == file.size:
                continue
            room = self.config.window - (file.sent - file.received)
            if room <= 0:
                continue
            file.is_reading = True
            return Read(number, file.sent, min(self.config.chunk, file.size - file.sent, room))
        return None

    def provide(self, number: int, data: bytes) -> None:
        """Send what a `Read` asked for. For a file that ended meanwhile it does nothing.

        Raises:
            LocalProtocolError: nothing was asked for, or it is not that many bytes.
        """
        file = self._outgoing.get(number)
        if file is None:
            return
        if not file.is_reading or not 0 < len(data) <= min(self.config.chunk, file.size - file.sent):
            raise LocalProtocolError(f"{len(data)} bytes of file {number}, which nobody asked for")
        self._say(wire.Chunk(number, file.sent, data))
        file.sent += len(data)
        file.is_reading = False

    def cancel(self, number: int, reason: Reason = Reason.STOPPED) -> None:
        """Give up one of ours. One that is over is no error."""
        if self._outgoing.pop(number, None) is not None:
            self._say(wire.Cancel(number, reason))

    # Receiving.

    def accept(self, number: int, offset: int = 0) -> None:
        """Take a file that was offered; what lies before `offset` is there. One that is over is no error.

        Raises:
            LocalProtocolError: it was accepted before, or the offset lies outside of it.
        """
        file = self._incoming.get(number)
        if file is None:
            return
        if file.arrived >= 0 or not 0 <= offset <= file.size:
            raise LocalProtocolError(f"file {number} cannot be accepted from {offset}")
        file.arrived = file.written = file.reported = offset
        self._say(wire.Accept(number, offset))
        if offset == file.size:
            self._events.append(FileArrived(number))

    def wrote(self, number: int, size: int) -> None:
        """So many bytes more are on the disk."""
        file = self._incoming.get(number)
        if file is None:
            return
        file.written += size
        if file.written - file.reported >= self.config.progress_every or file.written == file.size:
            file.reported = file.written
            self._say(wire.Progress(number, file.written))

    def stored(self, number: int) -> None:
        """The file is verified and has its name."""
        if self._incoming.pop(number, None) is not None:
            self._say(wire.Stored(number))

    def refuse(self, number: int, reason: Reason = Reason.DECLINED) -> None:
        """Do not take a file, or no more of it. One that is over is no error."""
        if self._incoming.pop(number, None) is not None:
            self._over.append(number)
            self._say(wire.Refuse(number, reason))

    # The machine.

    def receive_message(self, data: bytes) -> None:
        """Take one untrusted message of the channel, in order. Nothing here has a deadline."""
        if self._is_broken:
            return
        try:
            self._take(wire.parse(data))
        except WireError as error:
            self._is_broken = True
            self._events.append(PeerBroken(str(error)))

    def next_message(self) -> bytes | None:
        return self._messages.popleft() if self._messages else None

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # What the other side says.

    def _take(self, message: wire.Message) -> None:
        match message:
            case wire.Chunk():
                self._take_chunk(message)
            case wire.Offer():
                self._take_offer(message)
            case wire.Cancel(number, reason):
                if self._incoming.pop(number, None) is not None:
                    self._events.append(ReceivingEnded(number, reason))
            case _:
                self._take_answer(message)

    def _take_offer(self, offer: wire.Offer) -> None:
        if offer.id in self._incoming:
            raise WireError(f"file {offer.id} offered twice")
        if len(self._incoming) >= self.config.max_files:
            self._over.append(offer.id)
            self._say(wire.Refuse(offer.id, Reason.TOO_MANY))
        elif offer.size > self.config.max_size:
            self._over.append(offer.id)
            self._say(wire.Refuse(offer.id, Reason.TOO_LARGE))
        else:
            self._incoming[offer.id] = _Incoming(offer.size)
            self._events.append(FileOffered(offer.id, safe_name(offer.name), offer.size, offer.sha256))

    def _take_chunk(self, chunk: wire.Chunk) -> None:
        file = self._incoming.get(chunk.id)
        if file is None:
            if chunk.id not in self._over:
                raise WireError(f"bytes of file {chunk.id}, which was not offered")
            return
        end = chunk.offset + len(chunk.data)
        if file.arrived < 0 or chunk.offset != file.arrived or end > file.size:
            raise WireError(f"bytes {chunk.offset} to {end} of file {chunk.id}, expected {file.arrived} of {file.size}")
        if end - file.written > self.config.window + self.config.progress_every:
            raise WireError(f"{end - file.written} bytes of file {chunk.id} ahead of what is written")
        file.arrived = end
        self._events.append(ChunkArrived(chunk.id, chunk.offset, chunk.data))
        if end == file.size:
            self._events.append(FileArrived(chunk.id))

    def _take_answer(self, message: wire.Accept | wire.Progress | wire.Stored | wire.Refuse) -> None:
        file = self._outgoing.get(message.id)
        if file is None:
            if not 0 < message.id <= self._last_id:
                raise WireError(f"an answer to file {message.id}, which was not offered")
            return  # over for us, which the other side did not know yet
        match message:
            case wire.Accept(number, offset):
                if file.sent >= 0 or offset > file.size:
                    raise WireError(f"file {number} accepted from {offset} of {file.size}, or twice")
                file.sent = file.received = offset
                self._events.append(FileAccepted(number, offset))
            case wire.Progress(number, received):
                if not file.received <= received <= file.sent:
                    raise WireError(f"{received} bytes of file {number} written, {file.sent} were sent")
                file.received = received
                self._events.append(FileProgressed(number, received))
            case wire.Stored(number):
                if file.sent != file.size:
                    raise WireError(f"file {number} stored, of which {file.sent} of {file.size} bytes were sent")
                del self._outgoing[number]
                self._events.append(FileStored(number))
            case wire.Refuse(number, reason):
                del self._outgoing[number]
                self._events.append(SendingEnded(number, reason))

    def _say(self, message: wire.Message) -> None:
        self._messages.append(message.serialize())
