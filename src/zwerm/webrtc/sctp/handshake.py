"""The four-way handshake: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK (RFC 9260 section 5).

Both sides of a data channel may begin at once. What a COOKIE ECHO means while there is an association already is the
table of section 5.2.4, `_DECISIONS` in here.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.random import Random
from zwerm.webrtc.sctp.chunks.init import Features, Init
from zwerm.webrtc.sctp.chunks.parameter import Parameter
from zwerm.webrtc.sctp.codes import TSN_MASK, ChunkType, ParameterType
from zwerm.webrtc.sctp.config import Config
from zwerm.webrtc.sctp.cookie import KEY_SIZE, Cookie
from zwerm.webrtc.sctp.packet import Header, serialize


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides know once the handshake is over."""

    peer_tag: int
    peer_tsn: int
    peer_rwnd: int
    outbound_streams: int
    inbound_streams: int
    features: Features  # the peer's


class Decision(enum.Enum):
    """What to do with a COOKIE ECHO (section 5.2.4)."""

    ESTABLISH = "there was no association"
    RESTART = "action A: the peer lost its state"
    COLLIDE = "action B: both sides sent INIT"
    LATE = "action C: a cookie of an association that was given up; drop it"
    DUPLICATE = "action D: our COOKIE ACK was lost, or their COOKIE ECHO overtook it"
    STALE = "the cookie is too old"
    FORGED = "we did not make the cookie"


# Whether our tag, the peer's tag and the tie tags are those of the association.
_DECISIONS: Final = {
    (False, False, True): Decision.RESTART,
    (True, False, True): Decision.COLLIDE,
    (True, False, False): Decision.COLLIDE,
    (False, True, False): Decision.LATE,
    (True, True, True): Decision.DUPLICATE,
    (True, True, False): Decision.DUPLICATE,
}


class Handshake:
    """Our side's tags and numbers, and the making and judging of the four chunks."""

    def __init__(self, config: Config, random: Random) -> None:
        self._config = config
        self._random = random
        self._key = random.randbytes(KEY_SIZE)
        self.local_tag = self._new_tag()
        self.local_tsn = random.getrandbits(32)
        self.peer_tag = 0  # 0: not known
        self.cookie = b""  # the peer's, to be echoed

    def use(self, config: Config) -> None:
        """Take another configuration, before the first packet."""
        self._config = config

    def _new_tag(self) -> int:
        return self._random.randrange(1, TSN_MASK + 1)

    @property
    def offered(self) -> Features:
        """What we offer."""
        config = self._config
        return Features(config.partial_reliability, config.reconfiguration, config.interleaving, config.zero_checksum)

    def header(self, tag: int) -> Header:
        return Header(self._config.port, self._config.remote_port, tag)

    def _init(self, tag: int, tsn: int, parameters: list[Parameter]) -> Init:
        config = self._config
        return Init(
            tag,
            config.receive_window,
            config.outbound_streams,
            config.inbound_streams,
            tsn,
            (*self.offered.parameters(), *parameters),
        )

    def init_packet(self) -> bytes:
        """INIT alone, with tag zero and a checksum (RFC 9653 section 5.2)."""
        return serialize(self.header(0), [self._init(self.local_tag, self.local_tsn, []).serialize(ChunkType.INIT)])

    def answer_init(self, init: Init, age: float, *, has_association: bool, is_opening: bool) -> bytes:
        """The packet with INIT ACK. Nothing is remembered but in the cookie.

        While we open ourselves, the same tag is offered again (section 5.2.1); to a peer that may have restarted, a new
        one, with the tags of the association there is as tie tags (section 5.2.2).
        """
        if has_association:
            tag, tsn = self._new_tag(), self._random.getrandbits(32)
        else:
            tag, tsn = self.local_tag, self.local_tsn
        has_ties = has_association or (is_opening and self.peer_tag != 0)
        cookie = Cookie(
            int(age * 1_000),
            tag,
            init.initiate_tag,
            tsn,
            init.initial_tsn,
            init.a_rwnd,
            min(self._config.outbound_streams, init.inbound_streams),
            min(self._config.inbound_streams, init.outbound_streams),
            init.features,
            self.local_tag if has_ties else 0,
            self.peer_tag if has_ties else 0,
        )
        parameters = [Parameter(ParameterType.STATE_COOKIE, cookie.serialize(self._key))]
        parameters += [Parameter(ParameterType.UNRECOGNIZED, one.serialize()) for one in init.unrecognized()]
        chunk = self._init(tag, tsn, parameters).serialize(ChunkType.INIT_ACK)
        return serialize(self.header(init.initiate_tag), [chunk])

    def accept_init_ack(self, init: Init) -> Agreement | None:
        """Take the answer to our INIT; None when it lacks the cookie."""
        if init.cookie is None:
            return None
        self.cookie = init.cookie
        self.peer_tag = init.initiate_tag
        return Agreement(
            init.initiate_tag,
            init.initial_tsn,
            init.a_rwnd,
            min(self._config.outbound_streams, init.inbound_streams),
            min(self._config.inbound_streams, init.outbound_streams),
            init.features,
        )

    def judge_cookie(
        self, data: bytes, packet_tag: int, age: float, *, has_association: bool
    ) -> tuple[Decision, Cookie | None]:
        """Say what an untrusted COOKIE ECHO means; `has_association`: anything but CLOSED."""
        try:
            cookie = Cookie.parse(data, self._key)
        except WireError:
            return Decision.FORGED, None
        if packet_tag != cookie.local_tag:
            return Decision.FORGED, None
        if has_association:
            local, peer = cookie.local_tag == self.local_tag, cookie.peer_tag == self.peer_tag
            ties = (cookie.local_tie, cookie.peer_tie) == (self.local_tag, self.peer_tag) and cookie.local_tie != 0
            decision = _DECISIONS.get((local, peer, ties), Decision.LATE)
        else:
            decision = Decision.ESTABLISH
        is_old = age - cookie.made_at / 1_000 > self._config.cookie_life
        if is_old and decision is not Decision.DUPLICATE:
            return Decision.STALE, cookie
        return decision, cookie

    def adopt(self, cookie: Cookie) -> Agreement:
        """Become what the cookie says."""
        self.local_tag, self.local_tsn = cookie.local_tag, cookie.local_tsn
        self.peer_tag = cookie.peer_tag
        return Agreement(
            cookie.peer_tag,
            cookie.peer_tsn,
            cookie.peer_rwnd,
            cookie.outbound_streams,
            cookie.inbound_streams,
            cookie.features,
        )
