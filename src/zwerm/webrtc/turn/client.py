"""A TURN client: one allocation on one server (RFC 8656 sections 7 to 12).

    ALLOCATING -> ALLOCATED -> CLOSING -> OVER
         |            +-------------------^
         +--------------------------------^

Who owns it brings datagrams to and from the server (`TurnStreamClient` does the same for TCP and TLS), and gives
commands: `permit` peers, `send` to them, `bind_channel` to those that matter. Everything that has a lifetime is
refreshed until `close`: the allocation a minute before its end, permissions every four minutes of their five, channels
a minute before their ten.

Data for a peer whose permission is still on its way waits, up to `MAX_WAITING` datagrams, so that the first packet
of a conversation is not the one that is lost.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, ResourceLimitError, WireError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.core.random import Random
from zwerm.core.timers import TimerTable
from zwerm.webrtc.stun.address import IPV4, IPV6, family_of
from zwerm.webrtc.stun.attributes import (
    ADDITIONAL_ADDRESS_FAMILY,
    ADDRESS_ERROR_CODE,
    CHANNEL_NUMBER,
    DATA,
    DONT_FRAGMENT,
    EVEN_PORT,
    ICMP,
    LIFETIME,
    REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT,
    RESERVATION_TOKEN,
    XOR_MAPPED_ADDRESS,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    Attribute,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, indication, is_stun
from zwerm.webrtc.stun.transaction import Schedule
from zwerm.webrtc.turn import channel_data
from zwerm.webrtc.turn.authentication import Authentication
from zwerm.webrtc.turn.config import DEFAULT_LIFETIME, AllocationConfig
from zwerm.webrtc.turn.credentials import Credential
from zwerm.webrtc.turn.events import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    ChannelBound,
    ChannelRefused,
    DataReceived,
    Event,
    Failure,
    PeerUnreachable,
    PermissionRefused,
    Permitted,
    Released,
    Remedy,
)
from zwerm.webrtc.turn.requests import Requests

UDP: Final = 17  # REQUESTED-TRANSPORT: the protocol between relay and peer (RFC 8656 section 18.8)
PERMISSION_REFRESH: Final = 240.0  # seconds; permissions end after 300 (RFC 8656 section 9)
CHANNEL_REFRESH: Final = 540.0  # seconds; channels end after 600 (RFC 8656 section 12)
MAX_WAITING: Final = 32  # datagrams that wait for permissions; the oldest is dropped
MAX_EVENTS: Final = 512  # data nobody takes; the oldest is dropped, as a network would
HOSTS_IN_REQUEST: Final = 32  # so that a request stays below 1,280 bytes

_CLOSING: Final = Schedule(rto=0.5, rc=3, rm=2)  # 2.5 s: the server forgets us anyhow


class State(enum.Enum):
    """Where an allocation stands."""

    ALLOCATING = "asked for"
    ALLOCATED = "there"
    CLOSING = "being given back"
    OVER = "gone, or never there"


class Timer(enum.Enum):
    """When something is due by itself."""

    REFRESH = "the allocation ends in a minute"
    PERMISSIONS = "permissions end in a minute"
    CHANNELS = "the first channel ends in a minute or more"
    KEEP_ALIVE = "nothing was sent for a while: let the NATs on the way not forget us"


@dataclasses.dataclass(slots=True)
class _Channel:
    number: int
    refresh_at: Instant
    is_bound: bool = False


class TurnClient:
    """One allocation, from the first request to its end."""

    def __init__(
        self,
        server: Address,
        credential: Credential,
        *,
        now: Instant,
        random: Random,
        config: AllocationConfig | None = None,
    ) -> None:
        self.state = State.ALLOCATING
        self.relayed: tuple[Address, ...] = ()
        self._server = server
        self._config = config or AllocationConfig()
        self._random = random
        self._requests = Requests(server, Authentication(credential), random)
        self._permissions: dict[str, bool] = {}  # host -> whether the server has agreed
        self._channels: dict[Address, _Channel] = {}
        self._peers: dict[int, Address] = {}  # channel -> peer, from the moment it is asked for
        self._next_channel = channel_data.CHANNELS.start
        self._waiting: deque[tuple[bytes, Address]] = deque(maxlen=MAX_WAITING)
        self._transmits: deque[Transmit] = deque(maxlen=4 * MAX_EVENTS)
        self._events: deque[Event] = deque()
        self._data: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._timers: TimerTable[Timer] = TimerTable(Timer)
        self._request(Method.ALLOCATE, self._wishes(), now, self._allocated, self._allocation_failed)

    # Commands.

    def permit(self, hosts: Iterable[str], now: Instant) -> None:
        """Let peers at these IP addresses, whatever their ports, send to us. Repeating it is harmless.

        Raises:
            LocalProtocolError: not allocated, or not a numeric address of a family that is relayed.
            ResourceLimitError: over `max_permissions`.
        """
        self._expect_allocated()
        new = [host for host in dict.fromkeys(hosts) if host not in self._permissions]
        for host in new:
            self._expect_family(host)
        if len(self._permissions) + len(new) > self._config.max_permissions:
            limit = self._config.max_permissions
            raise ResourceLimitError(f"{len(self._permissions) + len(new)} permissions, the limit is {limit}")
        self._permissions |= dict.fromkeys(new, False)
        self._ask_permissions(new, now)
        if new and self._timers.deadline(Timer.PERMISSIONS) is None:
            self._timers.arm(Timer.PERMISSIONS, now + PERMISSION_REFRESH)

    def permits(self, host: str) -> bool:
        """Whether the server has agreed to let peers at this address send to us."""
        return self._permissions.get(host, False)

    def is_bound(self, peer: Address) -> bool:
        """Whether data to and from `peer` travels as ChannelData."""
        channel = self._channels.get(peer)
        return channel is not None and channel.is_bound

    def forget(self, host: str) -> None:
        """Stop refreshing what was permitted: within five minutes the server lets the peer send no more."""
        self._permissions.pop(host, None)
        for peer in [peer for peer in self._channels if peer[0] == host]:
            del self._peers[self._channels.pop(peer).number]

    def bind_channel(self, peer: Address, now: Instant) -> None:
        """Have data to and from `peer` travel as ChannelData. Repeating it is harmless.

        Raises:
            LocalProtocolError: not allocated, or a peer of a family that is not relayed.
            ResourceLimitError: over `max_channels`, or over `max_permissions`.
        """
        self._expect_allocated()
        if peer in self._channels:
            return
        if len(self._channels) >= self._config.max_channels or self._next_channel not in channel_data.CHANNELS:
            raise ResourceLimitError(f"{len(self._channels) + 1} channels, the limit is {self._config.max_channels}")
        self.permit([peer[0]], now)
        channel = self._channels[peer] = _Channel(self._next_channel, now + CHANNEL_REFRESH)
        self._peers[channel.number] = peer
        self._next_channel += 1  # never used twice: the server holds a number for minutes after it ended
        self._ask_channel(peer, channel, now)

    def send(self, data: bytes, peer: Address, now: Instant) -> None:
        """Send one datagram to `peer`, permitting it first if that was not done.

        Raises:
            LocalProtocolError: not allocated, a peer of a family that is not relayed, or too much data.
            ResourceLimitError: over `max_permissions`.
        """
        channel = self._channels.get(peer)
        if channel is not None and channel.is_bound and self.state is State.ALLOCATED:
            self._transmit(channel_data.serialize(channel.number, data), now)
            return
        self.permit([peer[0]], now)
        if self._permissions[peer[0]]:
            self._send_indication(data, peer, now)
        else:
            self._waiting.append((data, peer))

    def refresh(self, now: Instant) -> None:
        """Ask the server at once whether it still has the allocation; `AllocationLost` follows if it has not."""
        if self.state is State.ALLOCATED:
            self._timers.arm(Timer.REFRESH, now)
            self.handle_timeout(now)

    def close(self, now: Instant) -> None:
        """Give the allocation back; `Released` follows, within seconds whatever the server does. Twice is harmless."""
        if self.state in (State.CLOSING, State.OVER):
            return
        self._requests.abandon()
        self._timers.cancel_all()
        if self.state is State.ALLOCATING:
            self._end(Released())
            return
        self.state = State.CLOSING
        self._request(
            Method.REFRESH,
            [LIFETIME(0)],
            now,
            lambda _response, _now: self._end(Released()),
            lambda _failure: self._end(Released()),
        )

    # The verbs of machines.

    def receive_datagram(self, data: bytes, source: Address, now: Instant) -> bool:
        """Take an untrusted datagram; anything from elsewhere than the server is left to others."""
        if source != self._server or self.state is State.OVER:
            return False
        if channel_data.is_channel_data(data):
            return self._receive_channel_data(data)
        if not is_stun(data):
            return False
        try:
            message = Message.parse(data)
        except WireError:
            return False
        if message.message_class is MessageClass.INDICATION:
            return self._receive_indication(message)
        is_taken = self._requests.receive_message(message, now)
        self._carry_out(now)
        return is_taken

    def receive_datagrams(self, datagrams: Sequence[bytes], source: Address, now: Instant) -> int:
        """Take what one system call read; return how many were for this machine."""
        return sum(self.receive_datagram(data, source, now) for data in datagrams)

    def connection_lost(self, reason: str) -> None:
        """The way to the server is gone: the stream ended, or the socket failed. The allocation is lost with it."""
        failure = Failure(reason, remedy=Remedy.OTHER_SERVER)
        if self.state is State.ALLOCATING:
            self._end(AllocationFailed(failure))
        elif self.state is not State.OVER:
            self._end(AllocationLost(failure) if self.state is State.ALLOCATED else Released())

    def handle_timeout(self, now: Instant) -> None:
        self._requests.handle_timeout(now)
        self._carry_out(now)
        while (fired := self._timers.pop_expired(now)) is not None:
            match fired.timer:
                case Timer.REFRESH:
                    self._request(Method.REFRESH, self._lifetime(), now, self._refreshed, self._lost)
                case Timer.PERMISSIONS:
                    self._ask_permissions(list(self._permissions), now)
                    self._timers.arm(Timer.PERMISSIONS, now + PERMISSION_REFRESH)
                case Timer.CHANNELS:
                    self._refresh_channels(now)
                case Timer.KEEP_ALIVE:
                    self._transmit(indication(Method.BINDING, self._random.randbytes(12)).serialize(), now)

    def next_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def next_event(self) -> Event | None:
        if self._events:
            return self._events.popleft()
        return self._data.popleft() if self._data else None

    def next_timeout(self) -> Instant | None:
        deadlines = self._requests.next_timeout(), self._timers.next_timeout()
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    # The allocation.

    def _wishes(self) -> list[Attribute]:
        config = self._config
        wishes = [REQUESTED_TRANSPORT(UDP), *self._lifetime()]
        if config.family is not None:
            wishes.append(REQUESTED_ADDRESS_FAMILY(config.family))
        if config.both_families:
            wishes.append(ADDITIONAL_ADDRESS_FAMILY(IPV6))
        if config.even_port:
            wishes.append(EVEN_PORT(config.reserve_next))
        if config.reservation_token is not None:
            wishes.append(RESERVATION_TOKEN(config.reservation_token))
        if config.dont_fragment:
            wishes.append(DONT_FRAGMENT())
        return wishes

    def _lifetime(self) -> list[Attribute]:
        return [LIFETIME(self._config.lifetime)] if self._config.lifetime != DEFAULT_LIFETIME else []

    def _allocated(self, response: Message, now: Instant) -> None:
        self.relayed = tuple(response.find_all(XOR_RELAYED_ADDRESS))
        lifetime = response.find(LIFETIME)
        if not self.relayed or not lifetime:
            self._allocation_failed(Failure("the server says it relays, but not from where or how long"))
            return
        self.state = State.ALLOCATED
        error = response.find(ADDRESS_ERROR_CODE)
        self._events.append(
            Allocated(
                self.relayed,
                response.find(XOR_MAPPED_ADDRESS),
                float(lifetime),
                response.find(RESERVATION_TOKEN),
                None if error is None else error.family,
            )
        )
        self._arm_refresh(lifetime, now)

    def _allocation_failed(self, failure: Failure) -> None:
        self._end(AllocationFailed(failure))

    def _refreshed(self, response: Message, now: Instant) -> None:
        lifetime = response.find(LIFETIME)
        if lifetime:
            self._arm_refresh(lifetime, now)
        else:
            self._lost(Failure("the server ended the allocation"))

    def _arm_refresh(self, lifetime: int, now: Instant) -> None:
        self._timers.arm(Timer.REFRESH, now + lifetime - min(60.0, lifetime / 2))

    def _lost(self, failure: Failure) -> None:
        self._end(AllocationLost(failure))

    def _end(self, event: Event) -> None:
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self._requests.abandon()
        self._timers.cancel_all()
        self._waiting.clear()
        self._events.append(event)

    # Permissions and channels.

    def _ask_permissions(self, hosts: list[str], now: Instant) -> None:
        for start in range(0, len(hosts), HOSTS_IN_REQUEST):
            some = tuple(hosts[start : start + HOSTS_IN_REQUEST])
            self._request(
                Method.CREATE_PERMISSION,
                [XOR_PEER_ADDRESS((host, 0)) for host in some],
                now,
                functools.partial(self._permitted, some),
                functools.partial(self._permission_refused, some),
            )

    def _permitted(self, hosts: tuple[str, ...], _response: Message, now: Instant) -> None:
        new = tuple(host for host in hosts if self._permissions.get(host) is False)
        self._permissions |= dict.fromkeys(new, True)
        if new:
            self._events.append(Permitted(new))
            waiting, self._waiting = self._waiting, deque(maxlen=MAX_WAITING)
            for data, peer in waiting:
                if self._permissions.get(peer[0]):
                    self._send_indication(data, peer, now)
                else:
                    self._waiting.append((data, peer))

    def _permission_refused(self, hosts: tuple[str, ...], failure: Failure) -> None:
        for host in hosts:
            self._permissions.pop(host, None)
        self._waiting = deque((item for item in self._waiting if item[1][0] not in hosts), MAX_WAITING)
        self._events.append(PermissionRefused(hosts, failure))

    def _ask_channel(self, peer: Address, channel: _Channel, now: Instant) -> None:
        self._request(
            Method.CHANNEL_BIND,
            [CHANNEL_NUMBER(channel.number), XOR_PEER_ADDRESS(peer)],
            now,
            lambda _response, now: self._channel_bound(peer, now),
            lambda failure: self._channel_refused(peer, failure),
        )

    def _channel_bound(self, peer: Address, now: Instant) -> None:
        channel = self._channels.get(peer)
        if channel is None:
            return
        channel.refresh_at = now + CHANNEL_REFRESH
        if not channel.is_bound:
            channel.is_bound = True
            self._events.append(ChannelBound(peer, channel.number))
        self._arm_channels()

    def _channel_refused(self, peer: Address, failure: Failure) -> None:
        channel = self._channels.pop(peer, None)
        if channel is not None:
            del self._peers[channel.number]
            self._events.append(ChannelRefused(peer, failure))

    def _refresh_channels(self, now: Instant) -> None:
        for peer, channel in self._channels.items():
            if channel.is_bound and channel.refresh_at <= now:
                channel.refresh_at = now + CHANNEL_REFRESH
                self._ask_channel(peer, channel, now)
        self._arm_channels()

    def _arm_channels(self) -> None:
        due = min((channel.refresh_at for channel in self._channels.values() if channel.is_bound), default=None)
        if due is not None:
            self._timers.arm(Timer.CHANNELS, due)

    # Data.

    def _send_indication(self, data: bytes, peer: Address, now: Instant) -> None:
        message = indication(Method.SEND, self._random.randbytes(12), XOR_PEER_ADDRESS(peer), DATA(data))
        self._transmit(message.serialize(fingerprint=False), now)

    def _receive_channel_data(self, data: bytes) -> bool:
        try:
            number, payload = channel_data.parse(data)
        except WireError:
            return False
        peer = self._peers.get(number)
        if peer is None:
            return False
        self._data.append(DataReceived(payload, peer))
        return True

    def _receive_indication(self, message: Message) -> bool:
        peer, data, icmp = message.find(XOR_PEER_ADDRESS), message.find(DATA), message.find(ICMP)
        if message.method != Method.DATA or peer is None or peer[0] not in self._permissions:
            return False  # RFC 8656 section 11.4: only who was permitted may have been let through
        if data is not None:
            self._data.append(DataReceived(data, peer))
        elif icmp is not None:
            self._data.append(PeerUnreachable(peer, icmp))
        return True

    def _request(
        self,
        method: Method,
        attributes: list[Attribute],
        now: Instant,
        succeed: Callable[[Message, Instant], None],
        fail: Callable[[Failure], None],
    ) -> None:
        schedule = self._config.schedule
        if self.state is State.CLOSING:
            schedule = dataclasses.replace(_CLOSING, is_reliable=schedule.is_reliable)
        self._requests.send(method, attributes, now, succeed, fail, schedule)
        self._carry_out(now)

    def _carry_out(self, now: Instant) -> None:
        """Send what the requests have to send."""
        for data in self._requests.take_transmits():
            self._transmit(data, now)
        if self._requests.is_mismatched and self.state is State.ALLOCATED:
            self._lost(Failure("the server holds no such allocation any more", 437, Remedy.OTHER_PORT))

    def _transmit(self, data: bytes, now: Instant) -> None:
        self._transmits.append(Transmit(data, self._server))
        if self._config.keep_alive is not None and self.state is not State.OVER:
            self._timers.arm(Timer.KEEP_ALIVE, now + self._config.keep_alive)

    def _expect_allocated(self) -> None:
        if self.state is not State.ALLOCATED:
            raise LocalProtocolError(f"the allocation is {self.state.value}, expected there")

    def _expect_family(self, host: str) -> None:
        families = {family_of(relayed[0]) for relayed in self.relayed}
        if family_of(host) not in families:
            names = {IPV4: "IPv4", IPV6: "IPv6"}
            has = " and ".join(names[family] for family in sorted(families))
            raise LocalProtocolError(f"peer {host}, but the relayed address is {has}")
