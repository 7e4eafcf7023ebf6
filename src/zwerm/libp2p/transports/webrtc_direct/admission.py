"""What strangers on a listening port get, before anything is kept for them (RFC 8489 section 6.3, RFC 9000 section 8).

A STUN request that knows its own password (anybody's does: it is the name) is answered from what it says alone, and of
the sender a name is kept, in a table of fixed size. A connection is made when a ClientHello of DTLS comes from an
address in that table. So a flood of requests, from one address or from a million forged ones, costs an answer no larger
than the question, up to a number a second, and nothing else. A flood of both is held by the number of handshakes.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final, NamedTuple

from zwerm.core.machine import Address, Instant
from zwerm.libp2p.transports.webrtc_direct.config import Config
from zwerm.libp2p.transports.webrtc_direct.credentials import RULE
from zwerm.net.demultiplex import Traffic, classify
from zwerm.webrtc.ice.check import build_success, parse_message_untrusted
from zwerm.webrtc.ice.first_request import FirstRequest

_HANDSHAKE: Final = 22  # content type of DTLS
_CLIENT_HELLO: Final = 1
_MESSAGE_TYPE: Final = 13  # offset of the type of a handshake message in a record
_PERIOD: Final = 1.0  # seconds that answers are counted over


class Caller(NamedTuple):
    """Who sent a request, and that request: the newest."""

    first: FirstRequest
    request: bytes


class Verdict(NamedTuple):
    """What becomes of a datagram from an address that no connection has."""

    answer: bytes | None = None  # to be sent back
    caller: Caller | None = None  # a connection is to be made


_NOTHING: Final = Verdict()


class Admission:
    """The table of callers, and the counts."""

    def __init__(self, config: Config) -> None:
        self.dropped = 0  # datagrams that were not looked at, being too many
        self._config = config
        self._callers: OrderedDict[Address, Caller] = OrderedDict()
        self._period_ends: Instant = 0.0
        self._answers = 0  # in this period
        self._hosts: dict[str, int] = {}

    @property
    def callers(self) -> int:
        """How many are in the table."""
        return len(self._callers)

    def receive(self, data: bytes, source: Address, now: Instant, *, is_open: bool) -> Verdict:
        """Judge an untrusted datagram; without `is_open` no connection is begun."""
        traffic = classify(data)
        if traffic is Traffic.STUN:
            return self._receive_request(data, source, now)
        if traffic is Traffic.DTLS and is_open and is_client_hello(data):
            caller = self._callers.pop(source, None)
            if caller is not None:
                return Verdict(caller=caller)
        return _NOTHING

    def _receive_request(self, data: bytes, source: Address, now: Instant) -> Verdict:
        if not self._counts(source[0], now):
            self.dropped += 1
            return _NOTHING
        first = RULE.match_untrusted(data)
        message = None if first is None else parse_message_untrusted(data)
        if first is None or message is None:
            return _NOTHING
        self._callers.pop(source, None)
        self._callers[source] = Caller(first, data)
        if len(self._callers) > self._config.max_callers:
            self._callers.popitem(last=False)
        return Verdict(answer=build_success(message, source, first.local))

    def _counts(self, host: str, now: Instant) -> bool:
        """Count a request; False when there were too many in this second."""
        if now >= self._period_ends:
            self._period_ends = now + _PERIOD
            self._answers = 0
            self._hosts.clear()
        name = host_of(host)
        if name not in self._hosts and len(self._hosts) >= self._config.max_hosts:
            name = ""
        count = self._hosts.get(name, 0)
        if self._answers >= self._config.max_answers or count >= self._config.max_answers_of_host:
            return False
        self._answers += 1
        self._hosts[name] = count + 1
        return True


def host_of(host: str) -> str:
    """The unit in which addresses are given out: one of IPv4, a /64 of IPv6."""
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False))


def is_client_hello(data: bytes) -> bool:
    """Whether an untrusted datagram begins with a ClientHello; fragments of one count."""
    return len(data) > _MESSAGE_TYPE and data[0] == _HANDSHAKE and data[_MESSAGE_TYPE] == _CLIENT_HELLO
