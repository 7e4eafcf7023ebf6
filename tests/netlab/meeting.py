"""Two connections that live in two namespaces and meet, with signaling between their loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.netlab.namespace import Resident
from zwerm.webrtc import RTCConfiguration, RTCDataChannel, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription

CONNECTED = ("connected", "completed")


class Selected(NamedTuple):
    """The pair that data goes over, as one side sees it."""

    local: str  # type of the candidate
    remote: str
    protocol: str
    family: int

    @property
    def is_relayed(self) -> bool:
        return "relay" in (self.local, self.remote)


class Party:
    """One connection. Everything of it runs on its resident's loop; `open` makes it there."""

    def __init__(self, resident: Resident, connection: RTCPeerConnection) -> None:
        self.resident = resident
        self.connection = connection
        self.other: Party
        self.states: list[str] = []
        self.wants_negotiation = 0
        self.received: asyncio.Queue[Any] = asyncio.Queue()
        self.channel: RTCDataChannel | None = None
        self._changed = asyncio.Event()
        self._early: list[RTCIceCandidate | None] | None = []
        self._adding: set[asyncio.Task[None]] = set()
        connection.on("icecandidate", self._signal)
        connection.on("iceconnectionstatechange", self._note)
        connection.on("connectionstatechange", self._changed.set)
        connection.on("datachannel", self._take)

    @classmethod
    async def open(cls, resident: Resident, configuration: RTCConfiguration) -> Party:
        return cls(resident, RTCPeerConnection(configuration))

    # Signaling.

    def _signal(self, candidate: RTCIceCandidate | None) -> None:
        self.other.resident.loop.call_soon_threadsafe(self.other.add, candidate)

    def add(self, candidate: RTCIceCandidate | None) -> None:
        """A candidate of the other side; one that overtakes the description waits for it."""
        if self._early is not None:
            self._early.append(candidate)
            return
        if self.connection.connectionState == "closed":
            return
        task = asyncio.ensure_future(self.connection.addIceCandidate(candidate))
        self._adding.add(task)
        task.add_done_callback(self._adding.discard)

    def expect_description(self) -> None:
        """Keep candidates until the other side's next description is here."""
        if self._early is None:
            self._early = []

    def _described(self) -> None:
        early, self._early = self._early or [], None
        for candidate in early:
            self.add(candidate)

    async def offer(self, label: str | None = None) -> RTCSessionDescription:
        if label is not None:
            self._take(self.connection.createDataChannel(label))
        await self.connection.setLocalDescription()
        assert self.connection.localDescription is not None
        return self.connection.localDescription

    async def answer(self, offer: RTCSessionDescription) -> RTCSessionDescription:
        await self.connection.setRemoteDescription(offer)
        await self.connection.setLocalDescription()
        self._described()
        assert self.connection.localDescription is not None
        return self.connection.localDescription

    async def accept(self, answer: RTCSessionDescription) -> None:
        await self.connection.setRemoteDescription(answer)
        self._described()

    # What happens.

    def _note(self) -> None:
        self.states.append(self.connection.iceConnectionState)
        self._changed.set()

    def _take(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        channel.on("message", self.received.put_nowait)
        channel.on("open", self._changed.set)
        self._changed.set()

    async def until(self, is_true: Callable[[], object]) -> None:
        """Wait until something is true, looking at every change of state."""
        while not is_true():
            self._changed.clear()
            await self._changed.wait()

    async def wait_open(self) -> bool:
        """Wait for the channel; False when the connection fails instead."""
        await self.until(
            lambda: (
                self.connection.iceConnectionState == "failed"
                or (self.channel is not None and self.channel.readyState == "open")
            )
        )
        return self.channel is not None and self.channel.readyState == "open"

    async def send(self, message: str | bytes) -> None:
        assert self.channel is not None
        self.channel.send(message)

    async def receive(self) -> Any:
        return await self.received.get()

    async def selected(self) -> Selected:
        pair = self.connection._bundle.agent.selected_pair
        assert pair is not None
        family = 6 if ":" in pair.local_address[0] else 4
        return Selected(str(pair.local.type), str(pair.remote.type), pair.local.transport.lower(), family)

    async def settled(self) -> Selected:
        """The pair that they stay with: a direct one at once, a relayed one when all others were tried."""
        while (  # noqa: ASYNC110 - there is nothing to wait for but the pair
            pair := await self.selected()
        ).is_relayed and self.connection.iceConnectionState != "completed":
            await asyncio.sleep(0.02)
        return pair

    async def close(self) -> None:
        await self.connection.close()
        for task in list(self._adding):
            await asyncio.gather(task, return_exceptions=True)


async def call(caller: Party, callee: Party, label: str | None = None) -> None:
    """Carry an offer there and its answer back."""
    caller.other, callee.other = callee, caller
    caller.expect_description()
    callee.expect_description()
    offer = await caller.resident.do(caller.offer(label))
    answer = await callee.resident.do(callee.answer(offer))
    await caller.resident.do(caller.accept(answer))


async def talk(left: Party, right: Party, message: str = "hello") -> None:
    """One message each way."""
    for source, target in ((left, right), (right, left)):
        await source.resident.do(source.send(message))
        assert await target.resident.do(target.receive()) == message
