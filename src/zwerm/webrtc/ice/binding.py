"""Which generation a Binding message is for: requests name it, responses have its transaction ID (RFC 8445, 7)."""

from __future__ import annotations

from collections.abc import Sequence

from zwerm.core.machine import Instant
from zwerm.webrtc.ice.arrival import Arrival
from zwerm.webrtc.ice.check import parse_message_untrusted, ufrags_of
from zwerm.webrtc.ice.session import Session
from zwerm.webrtc.stun.message import MessageClass


def hand_on_untrusted(data: bytes, arrival: Arrival, sessions: Sequence[Session], now: Instant) -> bool:
    """Give a datagram to the session it is for; False: to none."""
    message = parse_message_untrusted(data)
    if message is None:
        return False
    match message.message_class:
        case MessageClass.REQUEST:
            names = ufrags_of(message)
            for session in sessions:
                if names is not None and names[0] == session.local.ufrag:
                    session.receive_request(message, arrival, now)
                    return True
            return False
        case MessageClass.SUCCESS | MessageClass.ERROR:
            return any(session.receive_response(message, arrival, now) for session in sessions)
    path = arrival.path  # an indication: somebody keeps the path alive (RFC 8445 section 11)
    return any(session.checklist.find(path) is not None for session in sessions)
