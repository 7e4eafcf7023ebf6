"""What the kernel is asked for so that TCP does well on links that lose packets, are far away, or pause.

* Congestion control by measured rate (BBR) where the kernel has it: one that takes each loss for a sign of congestion
  carries a fraction of a satellite link.
* After a pause TCP sends again when its timer says so, and the timer doubles for as long as the pause lasts: a minute
  of silence can cost another one. `RTO_MOST` is the longest that it may become, where the kernel lets us say so
  (Linux 6.15), and `RTO_HURRIED` while nothing gets through: the link may be back at any moment, and Linux waits for
  that timer twice when what was sent before the pause had arrived (F-RTO, RFC 5682).
* Room to receive from the start: the window that the kernel opens at first (64 kB) is less than a satellite link holds,
  and one lost packet keeps it shut.
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
RTO_HURRIED: Final = 1.0  # the least that the kernel takes
ROOM: Final = 262_144  # bytes that may be on their way to us at first; the kernel goes on from there
UNSENT: Final = 131_072  # bytes; a second of 1 Mbit/s, a millisecond of 1 Gbit/s
PATIENCE: Final = 150.0  # seconds that a peer may take nothing

_TCP_RTO_MAX_MS: Final = 44  # linux/tcp.h, since 6.15
_INFO_SIZE: Final = 72  # of struct tcp_info, as far as the round trip
_BACKOFF: Final = 4  # its place
_UNACKED: Final = struct.Struct("@24xI44x")  # packets
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
    hurry(connection, is_urgent=False)
    _make_room(connection)
    _set(connection, getattr(socket, "TCP_USER_TIMEOUT", None), int(PATIENCE * 1_000))
    return True


def hurry(connection: socket.socket, *, is_urgent: bool) -> None:
    """Try more often, or no more often than usual, to get through what the peer has not acknowledged."""
    _set(connection, _TCP_RTO_MAX_MS, int((RTO_HURRIED if is_urgent else RTO_MOST) * 1_000))


def round_trip(connection: socket.socket) -> float | None:
    """Return the seconds to the peer and back as the kernel measured them; None when it does not say."""
    info = _info(connection)
    if info is None:
        return None
    (microseconds,) = _RTT.unpack(info)
    return microseconds / 1e6 if microseconds else None


def outstanding(connection: socket.socket) -> tuple[int, int]:
    """Return how many packets the peer has not acknowledged, and how often the kernel's timer was doubled for them."""
    info = _info(connection)
    return (0, 0) if info is None else (*_UNACKED.unpack(info), info[_BACKOFF])


def _info(connection: socket.socket) -> bytes | None:
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, option, _INFO_SIZE)
    except OSError:  # it is gone
        return None
    return info if len(info) == _INFO_SIZE else None


def _set(connection: socket.socket, option: int | None, value: int | bytes) -> None:
    if option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _make_room(connection: socket.socket) -> None:
    """Let the window open to `ROOM`. In Linux asking to be woken late does that, and leaves it free to grow on."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, ROOM)
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


def _is_loopback(connection: socket.socket) -> bool:
    try:
        name = connection.getpeername()
    except OSError:  # it is gone
        return True
    return not isinstance(name, tuple) or ipaddress.ip_address(name[0].partition("%")[0]).is_loopback
