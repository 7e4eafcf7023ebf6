"""Connectivity checks: what their requests and responses say, and when a request is repeated (RFC 8445 section 7)."""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.core.errors import WireError
from zwerm.core.machine import Address, Instant
from zwerm.webrtc.ice.config import Role
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.pair import Pair
from zwerm.webrtc.ice.priority import peer_reflexive_priority
from zwerm.webrtc.stun.attributes import (
    ERROR_CODE,
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    NOMINATION,
    PRIORITY,
    UNKNOWN_ATTRIBUTES,
    USE_CANDIDATE,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Attribute,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, request

ROLE_CONFLICT: Final = 487  # RFC 8445 section 7.3.1.1
UNKNOWN_ATTRIBUTE: Final = 420


class CheckKind(enum.Enum):
    """Why a request is sent."""

    CONNECTIVITY = "to learn whether the pair works, and to nominate it"
    CONSENT = "to learn whether the peer still wants what we send; never repeated (RFC 7675 section 5.1)"


@dataclasses.dataclass(slots=True, eq=False)
class Check:
    """A request under way."""

    pair: Pair
    kind: CheckKind
    data: bytes
    role: Role  # ours, as the request says it
    nominates: bool
    sent_at: Instant
    due: Instant  # when it is repeated, or given up
    expires_at: Instant
    rto: float
    sends: int = 1
    is_cancelled: bool = False  # not repeated, and its end means nothing; an answer still counts

    def count(self) -> None:
        """It goes out, for the first time or again."""
        self.pair.counters.requests_sent += 1
        self.pair.counters.consent_requests_sent += self.kind is CheckKind.CONSENT

    def repeat_at(self, now: Instant, rto_limit: float) -> None:
        """Count a repetition at `now` and set when the next one is due."""
        self.sends += 1
        self.rto = min(2 * self.rto, rto_limit)
        self.due = min(now + self.rto, self.expires_at)


def build_request(
    pair: Pair,
    transaction_id: bytes,
    local: Credentials,
    remote: Credentials,
    role: Role,
    tie_breaker: int,
    *,
    nominates: bool,
    nomination: int | None,
) -> bytes:
    """Write a Binding request for `pair` (RFC 8445 section 7.2.2)."""
    priority = peer_reflexive_priority(pair.local.candidate.priority, is_tcp=pair.local.base.tcp_type is not None)
    attributes: list[Attribute] = [
        USERNAME(f"{remote.ufrag}:{local.ufrag}"),
        PRIORITY(priority),
        ICE_CONTROLLING(tie_breaker) if role is Role.CONTROLLING else ICE_CONTROLLED(tie_breaker),
    ]
    if nominates:
        attributes.append(USE_CANDIDATE())
        if nomination is not None:
            attributes.append(NOMINATION(nomination))
    return request(Method.BINDING, transaction_id, *attributes).serialize(remote.key)


def build_success(message: Message, source: Address, local: Credentials) -> bytes:
    """Answer a request that came from `source`."""
    return message.success(XOR_MAPPED_ADDRESS(source)).serialize(local.key)


def build_error(message: Message, code: int, reason: str, local: Credentials) -> bytes:
    """Refuse an authentic request."""
    attributes = [UNKNOWN_ATTRIBUTES(message.unknown_required())] if code == UNKNOWN_ATTRIBUTE else []
    return message.error(code, reason, *attributes).serialize(local.key)


def parse_message_untrusted(data: bytes) -> Message | None:
    """Read a Binding message; None for anything that is none, and for one without FINGERPRINT (section 7.2.2)."""
    try:
        message = Message.parse(data)
    except WireError:
        return None
    return message if message.method == Method.BINDING else None


def ufrags_of(message: Message) -> tuple[str, str] | None:
    """The fragments a request names: the receiver's, and the sender's. None when it names none."""
    username = message.find(USERNAME) if message.message_class is MessageClass.REQUEST else None
    if username is None or ":" not in username:
        return None
    ours, _, theirs = username.partition(":")
    return ours, theirs


def claimed_role(message: Message) -> tuple[Role, int] | None:
    """The role and the tie-breaker that the sender of a request claims; None when it claims neither."""
    if (tie_breaker := message.find(ICE_CONTROLLING)) is not None:
        return Role.CONTROLLING, tie_breaker
    if (tie_breaker := message.find(ICE_CONTROLLED)) is not None:
        return Role.CONTROLLED, tie_breaker
    return None


def error_code(message: Message) -> int:
    error = message.find(ERROR_CODE)
    return error.code if error is not None else 0
