"""What strangers at a listening port get, before anything is kept for them (RFC 9000 section 8).

A first packet makes a connection while few handshakes are under way. From `Config.retry_from` on its sender has to come
back with a token first, which costs an answer smaller than the question; so an address that is forged stands for
nothing. `max_handshakes`, and `max_handshakes_of_host`, hold those that are not. Packets of another version get the
versions there are. Answers are counted, and past `max_answers` a second there are none.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant
from zwerm.core.random import Random
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.quic.packet import (
    CONNECTION_ID,
    MIN_INITIAL,
    VERSION,
    LongHeader,
    parse_long_untrusted,
    serialize_version_negotiation,
)
from zwerm.libp2p.transports.quic.retry import RetryTokens

_PERIOD: Final = 1.0  # seconds that answers are counted over
_MIN_DESTINATION: Final = 8  # bytes of a client's first connection ID (RFC 9000 section 7.2)


class Retry(NamedTuple):
    """The stranger is to come again with `token`, to the connection ID `source`."""

    header: LongHeader
    source: bytes
    token: bytes


class Begin(NamedTuple):
    """A connection is to be made."""

    original_destination: bytes
    retry_source: bytes | None  # None: there was no Retry


class Answer(NamedTuple):
    """To be sent back."""

    data: bytes


class Load(NamedTuple):
    """What is under way at the listener."""

    connections: int
    handshakes: int
    of_host: int  # handshakes with the host that the packet comes from


class Admission:
    """The judge of one listener."""

    def __init__(self, config: Config, random: Random) -> None:
        self.dropped = 0  # packets that nothing was done for
        self._config = config
        self._random = random
        self._tokens = RetryTokens(random)
        self._period_ends: Instant = 0.0
        self._answers = 0  # in this period

    def receive(self, data: bytes, source: Address, now: Instant, load: Load) -> Retry | Begin | Answer | None:
        """Judge an untrusted datagram that is for no connection."""
        verdict = None
        if len(data) >= MIN_INITIAL:
            try:
                verdict = self._judge_untrusted(parse_long_untrusted(data), source, now, load)
            except WireError:
                verdict = None
        self.dropped += verdict is None
        return verdict

    def _judge_untrusted(
        self, header: LongHeader, source: Address, now: Instant, load: Load
    ) -> Retry | Begin | Answer | None:
        if header.version not in (0, VERSION):
            if not self._counts(now):
                return None
            return Answer(serialize_version_negotiation(header, self._random.getrandbits(7)))
        config = self._config
        is_full = load.connections >= config.max_connections or load.handshakes >= config.max_handshakes
        if not header.is_initial or len(header.destination) < _MIN_DESTINATION:
            return None
        if is_full or load.of_host >= config.max_handshakes_of_host:
            return None
        if header.token:
            found = self._tokens.check_untrusted(header.token, source, header.destination, now)
            return Begin(found.original_destination, header.destination)
        if load.handshakes < config.retry_from:
            return Begin(header.destination, None)
        if not self._counts(now):
            return None
        retry_source = self._random.randbytes(CONNECTION_ID)
        token = self._tokens.make(source, header.destination, retry_source, now + config.retry_lifetime)
        return Retry(header, retry_source, token)

    def _counts(self, now: Instant) -> bool:
        """Count an answer; False when there were too many in this second."""
        if now >= self._period_ends:
            self._period_ends = now + _PERIOD
            self._answers = 0
        self._answers += 1
        return self._answers <= self._config.max_answers
