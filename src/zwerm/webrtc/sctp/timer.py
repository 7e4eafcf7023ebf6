"""The timers of an association (RFC 9260 sections 5, 6.3 and 9; RFC 6525; RFC 8985)."""

from __future__ import annotations

import enum


class Timer(enum.Enum):
    """What fires."""

    T1_INIT = "INIT was not answered: send it again"
    T1_COOKIE = "COOKIE ECHO was not answered: send it again"
    T2_SHUTDOWN = "SHUTDOWN or SHUTDOWN ACK was not answered: send it again"
    T3_RTX = "nothing was acknowledged for an RTO: count everything in flight as lost"
    T5_SHUTDOWN_GUARD = "the shutdown takes too long: abort"
    PROBE = "the tail of a flight was not acknowledged: send something that brings a SACK"
    REORDER = "what later packets overtook did not come: count it as lost"
    PACE = "the next burst may go"
    DELAYED_SACK = "data was not acknowledged: send a SACK"
    HEARTBEAT = "the path was idle: probe it"
    RECONFIG = "RE-CONFIG was not answered: send it again"
