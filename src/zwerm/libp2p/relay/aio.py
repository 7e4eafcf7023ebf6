"""A relay for others: it answers the hop protocol and carries the bytes of circuits (libp2p specs, circuit-v2.md).

Off unless started: a relay gives its bandwidth away. Nothing of what it carries can it read; the two ends secure the
circuit as they would a connection of TCP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError
from zwerm.core.machine import Instant
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.complaints import Complaints
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.host import Host, HostEvent, PeerDisconnected
from zwerm.libp2p.relay.message import (
    HOP,
    MAX_MESSAGE,
    STOP,
    HopMessage,
    HopType,
    Reservation,
    Status,
    StopMessage,
    StopType,
)
from zwerm.libp2p.relay.slots import RelayLimits, Slots
from zwerm.libp2p.relay.voucher import Voucher
from zwerm.libp2p.stream import MuxedStream, Stream
from zwerm.multiformats.multiaddr import Multiaddr

HANDSHAKE_TIME: Final = 15.0  # seconds for a request, and for the target's answer
_CHUNK: Final = 65_536
_LOG: Final = logging.getLogger("zwerm.libp2p")


class _LimitReached(ResourceLimitError):
    """A circuit carried what it may."""


class RelayServer:
    """The relay of one host."""

    def __init__(
        self,
        host: Host,
        limits: RelayLimits | None = None,
        *,
        clock: Callable[[], Instant] | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Make the relay; it answers from `start` on. `wall_clock` gives seconds since 1970, to tell peers."""
        self._host = host
        self._limits = limits or RelayLimits()
        self._clock = clock or asyncio.get_running_loop().time
        self._wall_clock = wall_clock
        self._slots = Slots(self._limits)
        self._complaints = Complaints()
        self._unsubscribe: Callable[[], object] | None = None
        self.carried = 0  # bytes, of all circuits in both directions

    @property
    def reservations(self) -> int:
        return self._slots.reservations

    @property
    def circuits(self) -> int:
        return self._slots.circuits

    def start(self) -> None:
        self._host.handle(HOP, self._answer)
        self._unsubscribe = self._host.subscribe(self._hear)

    def stop(self) -> None:
        """Answer nothing more; circuits that run go on to their limits."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
            self._host.unhandle(HOP)

    def _hear(self, event: HostEvent) -> None:
        if isinstance(event, PeerDisconnected):
            self._slots.release(event.peer)
            self._complaints.forget(event.peer)
            self._host.unprotect(event.peer, "relay")

    async def _answer(self, stream: Stream) -> None:
        try:
            async with asyncio.timeout(HANDSHAKE_TIME):
                data = await read_message(stream, MAX_MESSAGE)
            if data is None:
                return
            message = HopMessage.parse(data)
        except WireError as error:
            await self._refuse(stream, Status.MALFORMED_MESSAGE, str(error))
            return
        if message.type is HopType.RESERVE:
            await self._reserve(stream)
        elif message.type is HopType.CONNECT and message.peer is not None:
            await self._connect(stream, message.peer)
        else:
            wrong = Status.UNEXPECTED_MESSAGE if message.type is HopType.STATUS else Status.MALFORMED_MESSAGE
            await self._refuse(stream, wrong)

    async def _reserve(self, stream: Stream) -> None:
        connection = stream.connection
        peer = connection.remote_peer
        if connection.is_limited or "p2p-circuit" in connection.remote_address.names:
            await self._refuse(stream, Status.PERMISSION_DENIED)
            return
        status = self._slots.reserve(peer, _ip(connection.remote_address), self._clock())
        if status is not Status.OK:
            await self._refuse(stream, status)
            return
        self._host.protect(peer, "relay")
        expire = int(self._wall_clock() + self._limits.reservation_time)
        voucher = Voucher(self._host.peer_id, peer, expire).seal(self._host.key)
        reservation = Reservation(expire, self._addresses(), voucher)
        answer = HopMessage(HopType.STATUS, reservation=reservation, limit=self._limits.circuit, status=Status.OK)
        await write_message(stream, answer.serialize())

    def _addresses(self) -> tuple[Multiaddr, ...]:
        own = Multiaddr.from_text(f"/p2p/{self._host.peer_id}")
        direct = [address for address in self._host.addresses if "p2p-circuit" not in address.names]
        return tuple(address.encapsulate(own) for address in direct)

    async def _connect(self, stream: Stream, target: PeerId) -> None:
        source = stream.connection.remote_peer
        if stream.connection.is_limited:
            await self._refuse(stream, Status.PERMISSION_DENIED)
            return
        status = self._slots.open_circuit(source, target, self._clock())
        if status is not Status.OK:
            await self._refuse(stream, status)
            return
        try:
            onward = await self._reach(source, target)
            if onward is None:
                await self._refuse(stream, Status.CONNECTION_FAILED)
                return
            try:
                answer = HopMessage(HopType.STATUS, limit=self._limits.circuit, status=Status.OK)
                await write_message(stream, answer.serialize())
                await self._carry(stream, onward)
            except BaseException:
                onward.reset()
                raise
        finally:
            self._slots.close_circuit(source, target)

    async def _reach(self, source: PeerId, target: PeerId) -> Stream | None:
        """Ask `target` whether it takes the circuit; None when it does not."""
        direct = [connection for connection in self._host.connections_to(target) if not connection.is_limited]
        if not direct:
            return None
        try:
            async with asyncio.timeout(HANDSHAKE_TIME):
                onward = await direct[0].open_stream([STOP])
                try:
                    request = StopMessage(StopType.CONNECT, peer=source, limit=self._limits.circuit)
                    await write_message(onward, request.serialize())
                    data = await read_message(onward, MAX_MESSAGE)
                    answer = StopMessage.parse(data) if data is not None else None
                except BaseException:
                    onward.reset()
                    raise
        except (TransportError, RemoteProtocolError, ResourceLimitError, TimeoutError) as error:
            _LOG.info("no circuit of %s to %s: %s", source, target, str(error) or "no answer in time")
            return None
        if answer is None or answer.type is not StopType.STATUS or answer.status is not Status.OK:
            onward.reset()
            return None
        return onward

    async def _carry(self, near: Stream, far: Stream) -> None:
        """Copy both ways until both directions have ended, or a limit is reached: then both streams are reset."""
        try:
            async with asyncio.timeout(self._limits.circuit_time or None), asyncio.TaskGroup() as copies:
                copies.create_task(self._copy(near, far))
                copies.create_task(self._copy(far, near))
        except TimeoutError:
            near.reset()
            far.reset()
            self._cut(near, f"it ran for {self._limits.circuit_time:g} s, its limit")
        except BaseExceptionGroup as group:
            near.reset()
            far.reset()
            if (reached := group.subgroup(_LimitReached)) is not None:
                self._cut(near, str(reached.exceptions[0]))
            if unexpected := group.split((TransportError, ResourceLimitError))[1]:
                raise unexpected from None

    async def _refuse(self, stream: Stream, status: Status, reason: str = "") -> None:
        peer = stream.connection.remote_peer
        if self._complaints.is_news(peer, status.name):
            _LOG.info("refused to relay for %s: %s", peer, reason or status.words)
        await write_message(stream, HopMessage(HopType.STATUS, status=status).serialize())

    def _cut(self, near: Stream, reason: str) -> None:
        peer = near.connection.remote_peer
        if self._complaints.is_news(peer, "circuit"):
            _LOG.info("a circuit of %s was cut: %s", peer, reason)

    async def _copy(self, source: MuxedStream, sink: MuxedStream) -> None:
        left = self._limits.circuit_data
        while data := await source.read(_CHUNK):
            self.carried += len(data)
            if self._limits.circuit_data:
                left -= len(data)
                if left < 0:
                    raise _LimitReached(f"a circuit carried {self._limits.circuit_data} bytes one way, its limit")
            await sink.write(data)
        await sink.close_write()


def _ip(address: Multiaddr) -> str:
    return address.value("ip4") or address.value("ip6") or ""
