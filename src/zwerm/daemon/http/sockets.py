"""Listening sockets, bound all together before anything else starts.

Binding is the check: a port found free and taken a moment later would be no answer. When one is taken, all that were
bound are closed again and one message names every taken one.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from zwerm.core.errors import TransportError
from zwerm.node.address import Address

BACKLOG: Final = 1024  # connections the kernel keeps until they are accepted
_TRIES: Final = 20  # ports that are tried where TCP and UDP want the same
_STEP: Final = 100  # the port offset that is proposed first


class PortsTaken(TransportError):
    """Other programs listen where this one should."""

    def __init__(self, taken: Mapping[str, Address], suggestion: int) -> None:
        names = ", ".join(f"{address} ({name})" for name, address in taken.items())
        verb = "is" if len(taken) == 1 else "are"
        super().__init__(f"{names} {verb} in use by another program; stop it, or add --port-offset {suggestion}")
        self.taken = dict(taken)


def bind_all(addresses: Mapping[str, Address], both: Collection[str] = ()) -> dict[str, list[socket.socket]]:
    """Bind every address; `localhost` is bound on IPv4 and, where there is one, IPv6. Those in `both` for UDP too.

    Raises:
        PortsTaken: at least one port is in use; none stays bound.
        TransportError: an address cannot be bound for another reason; none stays bound.
    """
    bound: dict[str, list[socket.socket]] = {}
    taken: dict[str, Address] = {}
    with contextlib.ExitStack() as stack:
        for name, address in addresses.items():
            try:
                bound[name] = _bind_both(address) if name in both else _bind(address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    reason = error.strerror or str(error)
                    raise TransportError(f"cannot listen on {address} ({name}): {reason}") from error
                taken[name] = address
                continue
            for each in bound[name]:
                stack.callback(each.close)
        if taken:
            raise PortsTaken(taken, _free_offset(list(addresses.values())))
        stack.pop_all()
    return bound


def bound_address(sockets: Sequence[socket.socket], asked: Address) -> Address:
    """Return the address with the port that the system gave."""
    return asked._replace(port=int(sockets[0].getsockname()[1]))


def _bind_both(address: Address) -> list[socket.socket]:
    """Bind TCP and UDP to one port; where any will do, one that is free for both."""
    for attempt in range(_TRIES):
        sockets = _bind(address)
        try:
            for listener in list(sockets):
                datagram = socket.socket(listener.family, socket.SOCK_DGRAM)
                sockets.append(datagram)
                if listener.family == socket.AF_INET6:
                    datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                datagram.bind(listener.getsockname())
        except OSError:
            for each in sockets:
                each.close()
            if address.port or attempt + 1 == _TRIES:
                raise
        else:
            return sockets
    raise AssertionError  # the last attempt returned or raised


def _bind(address: Address) -> list[socket.socket]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, kind, protocol, _, where in dict.fromkeys(found):
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setblocking(False)  # noqa: FBT003
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((where[0], port, *where[2:]))
                # Two sockets may be bound to one port as long as neither listens: only listening takes it.
                listener.listen(BACKLOG)
            except OSError as error:
                listener.close()
                if sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue  # a name that has an IPv6 address on a machine that has none
                raise
            sockets.append(listener)
            port = listener.getsockname()[1]
    except BaseException:
        for listener in sockets:
            listener.close()
        raise
    return sockets


def _free_offset(addresses: Sequence[Address]) -> int:
    """Find an offset at which all ports are free now."""
    for offset in range(_STEP, 20 * _STEP, _STEP):
        try:
            shifted = [address.shifted(offset) for address in addresses if address.port]
        except Exception:  # noqa: BLE001 -- beyond the last port
            break
        if all(_is_free(address) for address in shifted):
            return offset
    return _STEP


def _is_free(address: Address) -> bool:
    try:
        for listener in _bind(address):
            listener.close()
    except OSError:
        return False
    return True
