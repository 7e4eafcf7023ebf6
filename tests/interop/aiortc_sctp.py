"""aiortc's SCTP without its DTLS: its packets come and go through queues, and ours are carried to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiortc import RTCDataChannel, RTCSctpCapabilities, RTCSctpTransport

from zwerm.core.random import SYSTEM
from zwerm.webrtc.datachannel.channel import ChannelEvent
from zwerm.webrtc.datachannel.channels import DataChannels
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.events import Event

LIMIT = 20.0  # seconds for anything


class FakeDtls:
    """What RTCSctpTransport asks of a DTLS transport."""

    state = "connected"

    def __init__(self, role: str, send: Callable[[bytes], None]) -> None:
        self._role = role
        self._send = send
        self.receiver: RTCSctpTransport | None = None

    def _register_data_receiver(self, receiver: RTCSctpTransport) -> None:
        self.receiver = receiver

    def _unregister_data_receiver(self, receiver: RTCSctpTransport) -> None:
        self.receiver = None

    async def _send_data(self, data: bytes) -> None:
        self._send(data)


class Meeting:
    """Ours and theirs in one loop; the tests look at `events` after `wait_until`."""

    def __init__(self, *, theirs_is_server: bool = True, channels: bool = False, **options: object) -> None:
        """With `channels`, ours are data channels over the association, and `told` is what they tell."""
        self.loop = asyncio.get_running_loop()
        self.told: list[ChannelEvent] = []
        self._has_channels = channels
        self.ours = Association(Config(**options), random=SYSTEM, now=self.loop.time())  # type: ignore[arg-type]
        self.channels_of_ours = DataChannels(self.ours, is_dtls_client=theirs_is_server)
        self.dtls = FakeDtls("server" if theirs_is_server else "client", self._arrived)
        self.theirs = RTCSctpTransport(self.dtls)  # type: ignore[arg-type]
        self.channels: list[RTCDataChannel] = []
        self.theirs.on("datachannel", self.channels.append)
        self.events: list[Event] = []
        self.dropped = 0
        self.is_lost: Callable[[bytes], bool] = lambda packet: False  # of ours
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._carrier = asyncio.create_task(self._carry())

    @property
    def _machine(self) -> Association | DataChannels:
        return self.channels_of_ours if self._has_channels else self.ours

    async def start(self, *, we_begin: bool) -> None:
        await self.theirs.start(RTCSctpCapabilities(maxMessageSize=1_048_576), 5_000)
        if we_begin:
            self.ours.connect(self.loop.time())
        self.pump()

    async def stop(self) -> None:
        await self.theirs.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._carrier.cancel()
        await asyncio.gather(self._carrier, return_exceptions=True)

    def pump(self) -> None:
        """Carry out what ours has to say."""
        while packets := self.ours.next_transmits():
            for packet in packets:
                if self.is_lost(packet):
                    self.dropped += 1
                else:
                    self._inbox.put_nowait(packet)
        if self._has_channels:
            self.told += self.channels_of_ours.next_events()
        else:
            self.events += self.ours.next_events()
        self._changed.set()
        if self._timer is not None:
            self._timer.cancel()
        due = self.ours.next_timeout()
        self._timer = None if due is None else self.loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._machine.handle_timeout(self.loop.time())
        self.pump()

    def _arrived(self, packet: bytes) -> None:
        self._machine.receive_datagram(packet, DTLS, self.loop.time())
        self.pump()

    async def _carry(self) -> None:
        while True:
            packet = await self._inbox.get()
            if self.dtls.receiver is not None:
                await self.dtls.receiver._handle_data(packet)
                self._changed.set()

    async def wait_until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()
