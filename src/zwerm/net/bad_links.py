"""What the kernel is asked for so that TCP does well on links that lose packets, are far away, or pause.

* Congestion control by measured rate (BBR) where the kernel has it: one that takes each loss for a sign of congestion
  carries a fraction of a satellite link.
* After a pause TCP sends again when its timer says so, and the timer doubles for as long as the pause lasts: a minute
  of silence can cost another one. `RTO_MOST` is the longest that it may become, where the kernel lets us say so
  (Linux 6.15).
* Little that waits unsent in the kernel, where nothing can overtake it: `UNSENT`.
* How long the kernel waits for a peer that takes nothing: longer than those above, who can say what happened.

Nothing here fails: a kernel that does not know an option goes on as it would without us.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from typing import Final

BBR: Final = "bbr"
RTO_MOST: Final = 2.0  # seconds between two attempts to be heard
UNSENT: Final = 131_072  # bytes; a second of 1 Mbit/s, a millisecond of 1 Gbit/s
PATIENCE: Final = 150.0  # seconds that a peer may take nothing

_TCP_RTO_MAX_MS: Final = 44  # linux/tcp.h, since 6.15
_INFO_SIZE: Final = 72  # of struct tcp_info, as far as the round trip
_RTT: Final = struct.Struct("@68xI")  # microseconds, smoothed


def suit(connection: socket.socket | None, congestion: str) -> bool:
    """Set a connection that is open up for such links. `congestion`: the control to use, empty for the system's own.

    Loopback is left as it is: nothing is lost there, and pacing only costs. One that is gone already is None.

    Returns:
        Whether it leads to another machine.
    """
    if connection is None or _is_loopback(connection):
        return False
    if congestion:
        _set(connection, getattr(socket, "TCP_CONGESTION", None), congestion.encode())
    _set(connection, getattr(socket, "TCP_NOTSENT_LOWAT", None), UNSENT)
    _set(connection, _TCP_RTO_MAX_MS, int(RTO_MOST * 1_000))
    _set(connection, getattr(socket, "TCP_USER_TIMEOUT", None), int(PATIENCE * 1_000))
    return True


def round_trip(connection: socket.socket) -> float | None:
    """Return the seconds to the peer and back as the kernel measured them; None when it does not say."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, option, _INFO_SIZE)
    except OSError:  # it is gone
        return None
    if len(info) < _INFO_SIZE:
        return None
    (microseconds,) = _RTT.unpack(info)
    return microseconds / 1e6 if microseconds else None


def _set(connection: socket.socket, option: int | None, value: int | bytes) -> None:
    if option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _is_loopback(connection: socket.socket) -> bool:
    try:
        name = connection.getpeername()
    except OSError:  # it is gone
        return True
    return not isinstance(name, tuple) or ipaddress.ip_address(name[0].partition("%")[0]).is_loopback
