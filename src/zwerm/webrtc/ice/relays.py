"""The TURN clients of an agent at work: what comes for them, what they want sent, and what they tell.

The gatherer makes an `Allocation` for each server and base and forgets those that fail; here they are fed and emptied.
What a server relays is handed on as if it had come to the relayed address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zwerm.core.machine import Address, Instant
from zwerm.webrtc.ice.arrival import Arrival
from zwerm.webrtc.ice.config import ServerTransport
from zwerm.webrtc.ice.gather import Allocation, Gatherer
from zwerm.webrtc.ice.outbox import Outbox
from zwerm.webrtc.ice.pair import Base
from zwerm.webrtc.ice.relay import RelayAllocated, RelayEvent, RelayFailed, RelayMapped, RelayReceived
from zwerm.webrtc.stun.message import is_stun


class Relays:
    """All allocations of one agent."""

    def __init__(
        self,
        gatherer: Gatherer,
        outbox: Outbox,
        receive: Callable[[bytes, Arrival, Instant], object],
        lost: Callable[[Base, Instant], None],
    ) -> None:
        """`receive` takes what was relayed; `lost` is told of a relayed address that is no more."""
        self._gatherer = gatherer
        self._outbox = outbox
        self._receive = receive
        self._lost = lost

    def open_streams(self) -> None:
        """Ask for connections to servers that are reached by TCP."""
        for allocation in self._gatherer.allocations:
            if allocation.server.transport is not ServerTransport.UDP and allocation.stream is None:
                self._outbox.open_relay_stream(allocation)

    def verify(self, now: Instant) -> None:
        """A restart begins: a server that forgot us is to be asked anew now, and not when its time is over."""
        for allocation in self._gatherer.allocations:
            allocation.relay.verify(now)

    def close_streams_of(self, allocations: Sequence[Allocation]) -> None:
        """Close the connections of allocations that are of no use any more."""
        for allocation in allocations:
            if allocation.stream is not None:
                self._outbox.close_stream(allocation.stream)

    def receive_datagram(self, data: bytes, base: Base, source: Address, now: Instant) -> bool | None:
        """Offer what came to `base`; None when it is of no server, else whether there is news beside data."""
        for allocation in self._gatherer.allocations:
            is_from_server = allocation.host is base and allocation.address == source
            if is_from_server and allocation.stream is None and allocation.relay.receive_datagram(data, source, now):
                return self.pump(now)
        return None

    def receive_stream_data(self, stream: int, data: bytes, now: Instant) -> bool:
        """Offer bytes of a connection; False when it leads to no server."""
        for allocation in self._gatherer.allocations:
            if allocation.stream == stream:
                allocation.relay.receive_data(data, now)
                return True
        return False

    def stream_closed(self, stream: int, now: Instant) -> None:
        for allocation in self._gatherer.allocations:
            if allocation.stream == stream:
                allocation.relay.receive_eof(now)

    def handle_timeout(self, now: Instant) -> None:
        for allocation in self._gatherer.allocations:
            allocation.relay.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        waits = (allocation.relay.next_timeout() for allocation in self._gatherer.allocations)
        return min((wait for wait in waits if wait is not None), default=None)

    def pump(self, now: Instant) -> bool:
        """Carry out what the clients have to say; False when it was nothing, or data alone."""
        has_news = False
        for allocation in list(self._gatherer.allocations):
            while (event := allocation.relay.next_event()) is not None:
                has_news |= not isinstance(event, RelayReceived) or is_stun(event.data)
                self._take(allocation, event, now)
            self._outbox.pump(allocation)
        return has_news

    def _take(self, allocation: Allocation, event: RelayEvent, now: Instant) -> None:
        match event:
            case RelayAllocated(relayed, mapped):
                self._gatherer.allocated(allocation, relayed, mapped, now)
            case RelayReceived(data, peer) if allocation.base is not None and data:
                self._receive(data, Arrival(allocation.base, None, peer), now)
            case RelayMapped(mapped):
                self._gatherer.mapped(allocation, mapped, now)
            case RelayFailed(code, reason, alternate):
                self._gatherer.lost(allocation)
                self.close_streams_of([allocation])
                if alternate is not None and self._gatherer.redirect(allocation, alternate, now):
                    self.open_streams()
                    return
                self._gatherer.fail(allocation.server, code, reason)
                if allocation.base is not None:
                    self._lost(allocation.base, now)
                    self._gatherer.renew(allocation, now)
                    self.open_streams()
