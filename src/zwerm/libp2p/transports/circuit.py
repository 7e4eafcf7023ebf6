"""Through a relay: `/ip4/../tcp/../p2p/RELAY/p2p-circuit` (libp2p specs, relay/circuit-v2.md), dialled and listened on.

A circuit is a stream through the relay that is secured and multiplexed end to end, as a connection of TCP is. To listen
is to hold a reservation: it is renewed before it ends, and asked for again when the relay was away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, TransportError, WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import read_message, write_message
from zwerm.libp2p.host import HostEvent, PeerDisconnected
from zwerm.libp2p.relay.message import (
    HOP,
    MAX_MESSAGE,
    STOP,
    HopMessage,
    HopType,
    Limit,
    Reservation,
    Status,
    StopMessage,
    StopType,
)
from zwerm.libp2p.relay.voucher import Voucher
from zwerm.libp2p.stream import MuxedConnection, Stream
from zwerm.libp2p.swarm.secured import SecuredConnection
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.libp2p.swarm.tasks import Tasks
from zwerm.libp2p.swarm.upgrade import Upgrade
from zwerm.libp2p.transports.stream_wire import StreamWire
from zwerm.libp2p.transports.transport import Listener
from zwerm.multiformats.multiaddr import Multiaddr

ANSWER_TIME: Final = 15.0  # seconds that a relay has to answer
RENEW_AT: Final = 0.75  # of the time that a reservation lasts
LEAST_TIME: Final = 30.0  # seconds between two requests, whatever the relay says
RETRY: Final = (5.0, 15.0, 60.0, 300.0)  # seconds until a relay that was away is asked again; the last one from then on
MAX_CIRCUITS: Final = 64  # that others open to us and that are not secured yet

CIRCUIT: Final = Multiaddr.from_text("/p2p-circuit")

_LOG: Final = logging.getLogger("zwerm.libp2p")


class CircuitTransport:
    """Dials and listens through the relays that a host reaches."""

    name = "circuit"

    def __init__(
        self,
        host: Swarm,
        upgrade: Upgrade,
        *,
        wall_clock: Callable[[], float] = time.time,
        least_time: float = LEAST_TIME,
        retry: Sequence[float] = RETRY,
    ) -> None:
        """`host` connects to relays and answers them. `wall_clock` gives seconds since 1970."""
        self.on_place: Callable[[PeerId, bool], None] | None = None  # told when a relay's place is there, and gone
        self.least_time = least_time
        self.retry = retry
        self._host = host
        self._upgrade = upgrade
        self._wall_clock = wall_clock
        self._tasks = Tasks()
        self._listeners: dict[PeerId, _CircuitListener] = {}
        self._wires: set[StreamWire] = set()
        self._accepting = 0

    def can_dial(self, address: Multiaddr) -> bool:
        return _relay_of(address) is not None

    can_listen = can_dial

    async def dial(self, address: Multiaddr, peer: PeerId | None) -> MuxedConnection:
        if peer is None:
            raise TransportError(f"{address} does not say whom to reach through the relay")
        relay, where = _relay(address)
        if relay in (peer, self._host.peer_id):
            raise TransportError(f"{address} leads through {'the peer' if relay == peer else 'this node'} itself")
        connection = await self._host.connect(relay, where, force_direct=True)
        stream = await connection.open_stream([HOP])
        try:
            answer = await _ask(stream, HopMessage(HopType.CONNECT, peer=peer))
        except BaseException:
            stream.reset()
            raise
        if answer.status is not Status.OK:
            await stream.close()
            raise TransportError(f"the relay {relay} says: {_words(answer.status)}")
        through = connection.remote_address.encapsulate(_peer_part(relay)).encapsulate(CIRCUIT)
        wire = StreamWire(stream, CIRCUIT, through)
        try:
            secured = await self._upgrade.dial(wire, peer)
        except BaseException:
            wire.abort()
            await wire.wait_gone()
            raise
        return self._keep(secured, wire, answer.limit)

    async def listen(self, address: Multiaddr, on_connection: Callable[[MuxedConnection], None]) -> Listener:
        relay, where = _relay(address)
        if relay in self._listeners:
            raise TransportError(f"{relay} relays for this node already")
        listener = _CircuitListener(self, self._host, relay, where, on_connection)
        if not self._listeners:
            self._host.handle(STOP, self._answer)
        self._listeners[relay] = listener
        try:
            await listener.reserve()
        except BaseException:
            self.forget(relay)
            raise
        listener.task = self._tasks.spawn(listener.renew_for_ever(), f"reservation with {relay}")
        return listener

    def forget(self, relay: PeerId) -> None:
        """Take no more circuits from `relay`."""
        if self._listeners.pop(relay, None) is not None and not self._listeners:
            self._host.unhandle(STOP)

    async def close(self) -> None:
        for listener in list(self._listeners.values()):
            await listener.close()
        for wire in list(self._wires):
            wire.abort()
            await wire.wait_gone()
        await self._tasks.close()

    def expires_in(self, reservation: Reservation) -> float:
        """Return the seconds that a reservation still lasts."""
        return reservation.expire - self._wall_clock()

    async def _answer(self, stream: Stream) -> None:
        """Take a circuit that a relay brings."""
        relay = stream.connection.remote_peer
        async with asyncio.timeout(ANSWER_TIME):
            request = StopMessage.parse(await read_message(stream, MAX_MESSAGE) or b"")
        listener = self._listeners.get(relay)
        status = Status.OK
        if request.type is not StopType.CONNECT or request.peer is None:
            status = Status.UNEXPECTED_MESSAGE
        elif listener is None:
            status = Status.PERMISSION_DENIED
        elif self._accepting >= MAX_CIRCUITS:
            status = Status.RESOURCE_LIMIT_EXCEEDED
        await write_message(stream, StopMessage(StopType.STATUS, status=status).serialize())
        if status is not Status.OK or listener is None:
            return
        through = stream.connection.remote_address.encapsulate(_peer_part(relay)).encapsulate(CIRCUIT)
        wire = StreamWire(stream, CIRCUIT, through)
        self._accepting += 1
        try:
            secured = await self._upgrade.accept(wire)
            if secured.remote_peer != request.peer:
                await secured.close()
                raise WireError(f"the relay {relay} announced {request.peer}, but {secured.remote_peer} came")
        except BaseException:
            wire.abort()
            await wire.wait_gone()
            raise
        finally:
            self._accepting -= 1
        listener.on_connection(self._keep(secured, wire, request.limit))
        await wire.wait_gone()

    def _keep(self, connection: SecuredConnection, wire: StreamWire, limit: Limit | None) -> SecuredConnection:
        connection.is_limited = limit is not None and any(limit)
        self._wires.add(wire)
        connection.on_lost(lambda: self._wires.discard(wire))
        return connection


class _CircuitListener:
    """A reservation, kept."""

    task: asyncio.Task[None] | None = None

    def __init__(
        self,
        transport: CircuitTransport,
        host: Swarm,
        relay: PeerId,
        where: Sequence[Multiaddr],
        on_connection: Callable[[MuxedConnection], None],
    ) -> None:
        self.on_connection = on_connection
        self._transport = transport
        self._host = host
        self._relay = relay
        self._where = where
        self._announced: tuple[Multiaddr, ...] = ()
        self._lasts = 0.0  # seconds, as the relay said last

    @property
    def addresses(self) -> Sequence[Multiaddr]:
        """None: they come and go with the reservation, so that the host is told of each change."""
        return ()

    async def reserve(self) -> None:
        """Ask for a reservation, or for more time.

        Raises:
            TransportError: the relay cannot be reached, or does not want to.
            RemoteProtocolError: it answers nonsense.
        """
        connection = await self._host.connect(self._relay, self._where, force_direct=True)
        stream = await connection.open_stream([HOP])
        try:
            answer = await _ask(stream, HopMessage(HopType.RESERVE))
            await stream.close()
        except BaseException:
            stream.reset()
            raise
        if answer.status is not Status.OK or answer.reservation is None:
            raise TransportError(f"the relay {self._relay} says: {_words(answer.status)}")
        reservation = answer.reservation
        if reservation.voucher is not None:
            voucher = Voucher.open_untrusted(reservation.voucher)
            if (voucher.relay, voucher.peer) != (self._relay, self._host.peer_id):
                raise WireError(f"the relay {self._relay} gave a voucher of {voucher.relay} for {voucher.peer}")
        self._lasts = self._transport.expires_in(reservation)
        if self._lasts <= 0:
            raise WireError(f"the relay {self._relay} gave a reservation that is over")
        self._host.protect(self._relay, "reservation")
        own = _peer_part(self._relay)
        direct = [self._completed(address, own) for address in reservation.addresses] or [
            connection.remote_address.encapsulate(own)
        ]
        self._announce(tuple(address.encapsulate(CIRCUIT) for address in direct))

    def _completed(self, address: Multiaddr, own: Multiaddr) -> Multiaddr:
        return address if address.value("p2p") else address.encapsulate(own)

    def _announce(self, addresses: tuple[Multiaddr, ...]) -> None:
        for address in self._announced:
            if address not in addresses:
                self._host.remove_external_address(address)
        for address in addresses:
            if address not in self._announced:
                self._host.add_external_address(address)
        was_held, self._announced = bool(self._announced), addresses
        if was_held != bool(addresses) and self._transport.on_place is not None:
            self._transport.on_place(self._relay, bool(addresses))

    async def renew_for_ever(self) -> None:
        failures = 0
        while True:
            if failures:
                retry = self._transport.retry
                await asyncio.sleep(retry[min(failures, len(retry)) - 1])
            else:
                await self._wait_for_trouble(max(self._lasts * RENEW_AT, self._transport.least_time))
            try:
                await self.reserve()
                failures = 0
            except (TransportError, RemoteProtocolError, ResourceLimitError) as error:
                failures += 1
                self._announce(())
                _LOG.info("no reservation with the relay %s: %s", self._relay, error)

    async def _wait_for_trouble(self, seconds: float) -> None:
        """Wait, but not longer than the connection on which the reservation rests."""
        gone = asyncio.Event()

        def hear(event: HostEvent) -> None:
            if isinstance(event, PeerDisconnected) and event.peer == self._relay:
                gone.set()

        unsubscribe = self._host.subscribe(hear)
        try:
            async with asyncio.timeout(seconds):
                await gone.wait()
        except TimeoutError:
            return
        finally:
            unsubscribe()
        self._announce(())

    async def close(self) -> None:
        self._transport.forget(self._relay)
        self._host.unprotect(self._relay, "reservation")
        self._announce(())
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])


async def _ask(stream: Stream, request: HopMessage) -> HopMessage:
    try:
        async with asyncio.timeout(ANSWER_TIME):
            await write_message(stream, request.serialize())
            data = await read_message(stream, MAX_MESSAGE)
    except TimeoutError:
        raise TransportError(f"the relay did not answer in {ANSWER_TIME:g} s") from None
    if data is None:
        raise WireError("the relay ended the stream without an answer")
    answer = HopMessage.parse(data)
    if answer.type is not HopType.STATUS:
        raise WireError(f"the relay sent {answer.type.name}, expected STATUS")
    return answer


def _words(status: Status | None) -> str:
    return "nothing" if status is None else status.words


def _peer_part(peer: PeerId) -> Multiaddr:
    return Multiaddr.from_text(f"/p2p/{peer}")


def _relay_of(address: Multiaddr) -> str | None:
    return address.value("p2p") if address.names[-2:] == ("p2p", "p2p-circuit") else None


def _relay(address: Multiaddr) -> tuple[PeerId, Sequence[Multiaddr]]:
    """Return who the relay of an address is, and where, if the address says so."""
    relay = _relay_of(address)
    assert relay is not None, address  # noqa: S101 -- `can_dial` said so
    before = tuple(address)[:-2]
    return PeerId.from_text(relay), (Multiaddr(before),) if before else ()
