"""One allocation: where it relays, for whom, and with which peers (RFC 8656 section 3)."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

from zwerm.core.errors import ResourceLimitError
from zwerm.core.machine import Address, Instant
from zwerm.webrtc.stun.address import family_of
from zwerm.webrtc.turn.server.bucket import TokenBucket
from zwerm.webrtc.turn.server.config import CHANNEL_LIFETIME, PERMISSION_LIFETIME, FiveTuple, TurnServerConfig


class Relay(NamedTuple):
    """One relayed address: the socket, and what it is called outside."""

    local: Address
    outside: Address


@dataclasses.dataclass(slots=True)
class Channel:
    """A number that stands for a peer."""

    peer: Address
    relay: Relay
    header: bytes  # the number's two bytes
    expires_at: Instant
    number: int
    is_inside: bool = False  # the peer is an address of this server: the kernel is not to carry it


@dataclasses.dataclass(slots=True)
class Allocation:
    """What one client has. Expired permissions and channels count as absent, and go when the limit is met."""

    client: FiveTuple
    username: str
    person: str  # for quotas
    relays: dict[int, Relay]  # by family
    transaction_id: bytes  # of the request that made it: sent again, it is answered again
    response: bytes
    expires_at: Instant
    made_at: Instant
    bucket: TokenBucket | None
    permissions: dict[str, Instant] = dataclasses.field(default_factory=dict)  # host -> when it ends
    channels: dict[int, Channel] = dataclasses.field(default_factory=dict)
    by_peer: dict[Address, Channel] = dataclasses.field(default_factory=dict)

    def permits(self, host: str, now: Instant) -> bool:
        return self.permissions.get(host, now) > now

    def permit(self, hosts: list[str], now: Instant, config: TurnServerConfig) -> None:
        """Make or refresh permissions.

        Raises:
            ResourceLimitError: over `max_permissions`. Nothing was changed.
        """
        new = [host for host in dict.fromkeys(hosts) if host not in self.permissions]
        if len(self.permissions) + len(new) > config.max_permissions:
            self.permissions = {host: end for host, end in self.permissions.items() if end > now}
            if len(self.permissions) + len(new) > config.max_permissions:
                raise ResourceLimitError(f"over {config.max_permissions} permissions")
        self.permissions |= dict.fromkeys(hosts, now + PERMISSION_LIFETIME)

    def is_free(self, number: int, peer: Address, now: Instant) -> bool:
        """Whether `number` may stand for `peer`: neither stands for another (RFC 8656 section 12.2)."""
        self._drop_channel(self.channels.get(number), now)
        self._drop_channel(self.by_peer.get(peer), now)
        by_number = self.channels.get(number)
        return self.by_peer.get(peer) is by_number and (by_number is None or by_number.peer == peer)

    def bind(self, number: int, peer: Address, now: Instant, config: TurnServerConfig) -> Channel:
        """Make or refresh a channel, and the permission that belongs to it.

        Raises:
            ResourceLimitError: over `max_channels` or `max_permissions`.
        """
        if number not in self.channels and len(self.channels) >= config.max_channels:
            for old in list(self.channels.values()):
                self._drop_channel(old, now)
            if len(self.channels) >= config.max_channels:
                raise ResourceLimitError(f"over {config.max_channels} channels")
        self.permit([peer[0]], now, config)
        channel = self.channels.get(number)
        if channel is None:
            relay = self.relays[family_of(peer[0])]
            channel = self.channels[number] = self.by_peer[peer] = Channel(
                peer, relay, number.to_bytes(2, "big"), now, number
            )
        channel.expires_at = now + CHANNEL_LIFETIME
        return channel

    def _drop_channel(self, channel: Channel | None, now: Instant) -> None:
        if channel is not None and channel.expires_at <= now:
            del self.channels[int.from_bytes(channel.header, "big")]
            del self.by_peer[channel.peer]
