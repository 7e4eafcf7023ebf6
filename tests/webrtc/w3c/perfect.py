"""Perfect negotiation (WebRTC 1.0 section 10.7), over a channel that delays each message as its seed says."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc import RTCIceCandidate, RTCPeerConnection, RTCSessionDescription


class Wire:
    """One direction of a signaling channel: in order, each message after so many turns of the loop."""

    def __init__(self, random: Random, slowest: int) -> None:
        self.receiver: Negotiator | None = None
        self._random = random
        self._slowest = slowest
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._task = asyncio.create_task(self._carry())
        self.in_flight = 0

    def send(self, message: Any) -> None:
        self.in_flight += 1
        self._queue.put_nowait(message)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _carry(self) -> None:
        while True:
            message = await self._queue.get()
            for _ in range(self._random.randrange(self._slowest)):
                await asyncio.sleep(0)
            assert self.receiver is not None
            try:
                await self.receiver.take(message)
            finally:
                self.in_flight -= 1


class Negotiator:
    """What every program does with a connection; one of the two is polite."""

    def __init__(self, connection: RTCPeerConnection, wire: Wire, *, is_polite: bool) -> None:
        self.connection = connection
        self.offers = 0
        self.ignored = 0
        self.failures: list[BaseException] = []
        self._wire = wire
        self._is_polite = is_polite
        self._is_making_offer = False
        self._ignores_offer = False
        connection.onicecandidate = lambda event: wire.send(event.candidate)
        connection.onnegotiationneeded = self._offer

    async def take(self, message: RTCSessionDescription | RTCIceCandidate | None) -> None:
        """What the other side signaled."""
        try:
            await self._take(message)
        except Exception as error:  # noqa: BLE001 - the test says what is none
            self.failures.append(error)

    async def _take(self, message: RTCSessionDescription | RTCIceCandidate | None) -> None:
        connection = self.connection
        if not isinstance(message, RTCSessionDescription):
            try:
                await connection.addIceCandidate(message)
            except LocalProtocolError:
                if not self._ignores_offer:
                    raise
            return
        collides = self._is_making_offer or connection.signalingState != "stable"
        self._ignores_offer = not self._is_polite and message.type == "offer" and collides
        if self._ignores_offer:
            self.ignored += 1
            return
        await connection.setRemoteDescription(message)
        if message.type == "offer":
            await connection.setLocalDescription()
            self._wire.send(connection.localDescription)

    async def _offer(self, _: object) -> None:
        try:
            self._is_making_offer = True
            self.offers += 1
            await self.connection.setLocalDescription()
            self._wire.send(self.connection.localDescription)
        except Exception as error:  # noqa: BLE001 - the test says what is none
            self.failures.append(error)
        finally:
            self._is_making_offer = False
