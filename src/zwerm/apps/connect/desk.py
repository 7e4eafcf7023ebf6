"""The files of a conversation, both ways, across its links: what a person sees of them, and the disk behind.

A desk outlives links. `attach` begins the file protocol on a new one and offers again what was not over; `detach` ends
it. The disk works in threads, one piece after the other in each direction.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from zwerm.apps.connect.incoming import DamagedFile, IncomingFile
from zwerm.apps.connect.link import send
from zwerm.apps.connect.outgoing import OutgoingFile, SourceChanged
from zwerm.core.disk_failure import NO_SPACE
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc import RTCDataChannel
from zwerm.webrtc.transfer import event as news
from zwerm.webrtc.transfer.message import Reason
from zwerm.webrtc.transfer.session import TransferSession

HIGH: Final = 1 << 20  # bytes in the channel's buffer at which reading stops
LOW: Final = 1 << 18  # bytes at which it goes on
MAX_ENTRIES: Final = 1_000  # files that are remembered; the oldest that are over are forgotten


class Way(enum.Enum):
    """Which way a file goes."""

    OUT = "out"
    IN = "in"


class FileState(enum.Enum):
    """How a file stands, for a person."""

    OFFERED = "offered"  # whoever is asked has not answered
    MOVING = "moving"
    WAITING = "waiting"  # for the next link
    DONE = "done"
    ENDED = "ended"  # not whole; `reason` says why


@dataclasses.dataclass(slots=True)
class FileEntry:
    """A line in the list of files. `number` is for people, and stays across links."""

    number: int
    way: Way
    name: str
    size: int
    sha256: bytes
    state: FileState = FileState.OFFERED
    moved: int = 0  # bytes that are safe at the receiver
    reason: Reason = Reason.UNKNOWN
    path: Path | None = None  # of ours, or where the received one is
    source: OutgoingFile | None = None
    target: IncomingFile | None = None
    is_wanted: bool = False  # incoming: accepted once, so it goes on by itself
    id: int = 0  # on the present link

    @property
    def is_over(self) -> bool:
        return self.state in (FileState.DONE, FileState.ENDED)


class Desk:
    """See the module. `tell` is called with each entry that changed."""

    def __init__(self, folder: Path, *, accepts_all: bool, tell: Callable[[FileEntry], None]) -> None:
        self.entries: list[FileEntry] = []
        self._folder = folder
        self._accepts_all = accepts_all
        self._tell = tell
        self._session: TransferSession | None = None
        self._channel: RTCDataChannel | None = None
        self._last_number = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._work: asyncio.Queue[Callable[[], Coroutine[Any, Any, None]]] = asyncio.Queue()
        self._may_send = asyncio.Event()

    def attach(self, channel: RTCDataChannel) -> None:
        """Begin on a new link whose channel is open."""
        self._session, self._channel, self._work = TransferSession(), channel, asyncio.Queue()
        channel.bufferedAmountLowThreshold = LOW
        channel.on("bufferedamountlow", self._may_send.set)
        channel.on("message", self._receive)
        self._tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._work_all())]
        for entry in self.entries:
            if entry.way is Way.OUT and not entry.is_over:
                self._offer(entry)
        self._drain()

    async def detach(self) -> None:
        """The link is gone; what was moving waits for the next one. Twice is harmless."""
        self._session = self._channel = None
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for entry in self.entries:
            if entry.target is not None:
                await asyncio.to_thread(entry.target.close)
                entry.target = None
            if not entry.is_over and (entry.way is Way.OUT or entry.is_wanted):
                self._set(entry, FileState.WAITING)
            elif not entry.is_over:
                self._end(entry, Reason.STOPPED)  # nobody answered; it is offered anew by itself

    async def send(self, path: Path) -> FileEntry:
        """Offer a file of ours, now or on the next link.

        Raises:
            LocalProtocolError: it is no file.
            OSError: it cannot be read.
        """
        source = await asyncio.to_thread(OutgoingFile.hash, path)
        entry = self._add(FileEntry(0, Way.OUT, source.name, source.size, source.sha256, path=path, source=source))
        if self._session is None:
            entry.state = FileState.WAITING
        else:
            self._offer(entry)
        self._tell(entry)
        self._drain()
        return entry

    def accept(self, number: int) -> None:
        """Take a file that is offered.

        Raises:
            LocalProtocolError: there is no such offer.
        """
        entry = self._incoming_offer(number)
        entry.is_wanted = True
        self._work.put_nowait(lambda: self._open(entry))

    def decline(self, number: int) -> None:
        """Do not take a file that is offered, or stop any other that is not over.

        Raises:
            LocalProtocolError: there is no such file.
        """
        entry = next((one for one in self.entries if one.number == number and not one.is_over), None)
        if entry is None:
            raise LocalProtocolError(f"there is no file {number} that could be stopped")
        reason = Reason.DECLINED if entry.state is FileState.OFFERED and entry.way is Way.IN else Reason.STOPPED
        if self._session is not None:
            if entry.way is Way.OUT:
                self._session.cancel(entry.id, reason)
            else:
                self._session.refuse(entry.id, reason)
        self._end(entry, reason)
        self._drain()

    @property
    def is_all_over(self) -> bool:
        return all(entry.is_over for entry in self.entries)

    # Sending.

    def _offer(self, entry: FileEntry) -> None:
        if self._session is not None:
            entry.id = self._session.offer(entry.name, entry.size, entry.sha256)
            self._set(entry, FileState.OFFERED)

    async def _send_all(self) -> None:
        """Read and send for as long as there is a link, and the channel has room."""
        while (session := self._session) is not None and (channel := self._channel) is not None:
            self._may_send.clear()
            read = session.next_read() if channel.bufferedAmount < HIGH else None
            if read is None:
                await self._may_send.wait()
                continue
            entry = self._by_id(Way.OUT, read.id)
            if entry is None or entry.source is None:
                session.cancel(read.id)
                continue
            try:
                data = await asyncio.to_thread(entry.source.read, read.offset, read.size)
            except (OSError, SourceChanged) as error:
                reason = Reason.CHANGED if isinstance(error, SourceChanged) else Reason.CANNOT_READ
                session.cancel(read.id, reason)
                self._end(entry, reason)
            else:
                session.provide(read.id, data)
            self._drain()

    # Receiving.

    def _receive(self, data: str | bytes) -> None:
        if self._session is not None and isinstance(data, bytes):
            self._session.receive_message(data)
            self._drain()

    async def _work_all(self) -> None:
        """Do what concerns the disk, in order."""
        while True:
            work = await self._work.get()
            await work()
            self._drain()

    async def _open(self, entry: FileEntry) -> None:
        if entry.is_over or self._session is None:
            return
        target = IncomingFile(self._folder, entry.name, entry.size, entry.sha256)
        try:
            entry.moved = await asyncio.to_thread(target.open)
        except OSError as error:
            self._refuse(entry, _reason_of(error))
            return
        entry.target = target
        self._session.accept(entry.id, entry.moved)
        self._set(entry, FileState.MOVING)

    async def _write(self, entry: FileEntry, data: bytes) -> None:
        if entry.target is None or self._session is None:
            return
        try:
            await asyncio.to_thread(entry.target.write, data)
        except OSError as error:
            self._refuse(entry, _reason_of(error))
            return
        entry.moved += len(data)
        self._session.wrote(entry.id, len(data))
        self._tell(entry)

    async def _finish(self, entry: FileEntry) -> None:
        if entry.target is None or self._session is None:
            return
        try:
            entry.path = await asyncio.to_thread(entry.target.finish)
        except DamagedFile:
            self._refuse(entry, Reason.DAMAGED)
            return
        except OSError as error:
            self._refuse(entry, _reason_of(error))
            return
        entry.target = None
        self._session.stored(entry.id)
        self._set(entry, FileState.DONE)

    def _refuse(self, entry: FileEntry, reason: Reason) -> None:
        if self._session is not None:
            self._session.refuse(entry.id, reason)
        self._end(entry, reason)

    # What the session tells.

    def _drain(self) -> None:
        """Carry out what the session has to say."""
        session, channel = self._session, self._channel
        if session is None or channel is None:
            return
        while (event := session.next_event()) is not None:
            self._take(event)
        while (message := session.next_message()) is not None and send(channel, message):
            continue
        self._may_send.set()

    def _take(self, event: news.Event) -> None:
        match event:
            case news.FileOffered():
                self._take_offer(event)
            case news.ChunkArrived(number, _, data):
                self._for(Way.IN, number, lambda entry: self._later(lambda: self._write(entry, data)))
            case news.FileArrived(number):
                self._for(Way.IN, number, lambda entry: self._later(lambda: self._finish(entry)))
            case news.FileAccepted(number, offset):
                self._for(Way.OUT, number, lambda entry: self._moved(entry, offset))
            case news.FileProgressed(number, received):
                self._for(Way.OUT, number, lambda entry: self._moved(entry, received))
            case news.FileStored(number):
                self._for(Way.OUT, number, lambda entry: self._set(entry, FileState.DONE))
            case news.SendingEnded(number, reason):
                self._for(Way.OUT, number, lambda entry: self._end(entry, reason))
            case news.ReceivingEnded(number, reason):
                self._for(Way.IN, number, lambda entry: self._end(entry, reason))
            case news.PeerBroken():
                for entry in self.entries:
                    if not entry.is_over:
                        self._end(entry, Reason.UNKNOWN)

    def _take_offer(self, offer: news.FileOffered) -> None:
        known = next((one for one in self.entries if one.state is FileState.WAITING and _is_same(one, offer)), None)
        entry = known or self._add(FileEntry(0, Way.IN, offer.name, offer.size, offer.sha256))
        entry.id = offer.id
        self._set(entry, FileState.OFFERED)
        if entry.is_wanted or self._accepts_all:
            self.accept(entry.number)

    def _add(self, entry: FileEntry) -> FileEntry:
        self._last_number += 1
        entry.number = self._last_number
        self.entries.append(entry)
        if len(self.entries) > MAX_ENTRIES:
            oldest = next((index for index, one in enumerate(self.entries) if one.is_over), None)
            if oldest is not None:
                del self.entries[oldest]
        return entry

    def _incoming_offer(self, number: int) -> FileEntry:
        for entry in self.entries:
            if entry.number == number and entry.way is Way.IN and entry.state is FileState.OFFERED:
                return entry
        raise LocalProtocolError(f"there is no offer {number}")

    def _by_id(self, way: Way, number: int) -> FileEntry | None:
        return next(
            (one for one in self.entries if one.way is way and one.id == number and not one.is_over),
            None,
        )

    def _for(self, way: Way, number: int, do: Callable[[FileEntry], None]) -> None:
        entry = self._by_id(way, number)
        if entry is not None:
            do(entry)

    def _later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work.put_nowait(work)

    def _moved(self, entry: FileEntry, moved: int) -> None:
        entry.moved = moved
        self._set(entry, FileState.MOVING)

    def _set(self, entry: FileEntry, state: FileState) -> None:
        entry.state = state
        self._tell(entry)

    def _end(self, entry: FileEntry, reason: Reason) -> None:
        """A part that is there stays, and is continued when the file is offered again."""
        entry.reason = reason
        if entry.target is not None:
            self._later(functools.partial(asyncio.to_thread, entry.target.close))
            entry.target = None
        self._set(entry, FileState.ENDED)


def _is_same(entry: FileEntry, offer: news.FileOffered) -> bool:
    return entry.way is Way.IN and (entry.sha256, entry.size) == (offer.sha256, offer.size)


def _reason_of(error: OSError) -> Reason:
    return Reason.DISK_FULL if error.errno in NO_SPACE else Reason.CANNOT_WRITE
