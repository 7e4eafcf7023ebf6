"""TCP connections that leave from the port that is listened on, so that a NAT shows one address for both.

What others see such a connection come from is then where they can call, if the NAT maps independently of the other end
(RFC 5382 section 4.1), and two that dial each other at once open one connection (RFC 9293 section 3.5).

The listener is bound without sharing, so that a port that is taken is an error as ever; only then it is set to share
with the sockets that dial from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterable
from typing import Final

from zwerm.core.machine import Address

_REUSE: Final[int | None] = getattr(socket, "SO_REUSEPORT", None)
_TAKEN: Final = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, errno.EINVAL)


class PortTaken(OSError):
    """A connection between these two ends is there already, or was a moment ago."""


def is_outside(host: str) -> bool:
    """Whether a NAT may stand between here and there. Inside, connections leave from ports of their own."""
    return ipaddress.ip_address(host).is_global


def share(listening: Iterable[socket.socket]) -> None:
    """Let connections leave from the ports of these sockets."""
    if _REUSE is None:
        return
    for each in listening:
        with contextlib.suppress(OSError):  # then they leave from others, as without this
            each.setsockopt(socket.SOL_SOCKET, _REUSE, 1)


def source_for(host: str, listening: Iterable[Address]) -> Address | None:
    """Return the end, of those listened on, that a connection to `host` can leave from; None: there is none."""
    if _REUSE is None:
        return None
    is_ipv6 = ":" in host
    fitting = [each for each in listening if (":" in each[0]) == is_ipv6 and not _is_loopback(each[0])]
    anywhere = [each for each in fitting if ipaddress.ip_address(each[0]).is_unspecified]
    return next(iter(anywhere or fitting), None)


async def connect_from(source: Address, destination: Address) -> socket.socket:
    """Connect from a port that is listened on. Cancelling closes what was begun.

    Raises:
        PortTaken: these two ends are connected already, or were lately.
        OSError: nobody answered, or somebody said no.
    """
    loop = asyncio.get_running_loop()
    made = socket.socket(socket.AF_INET6 if ":" in source[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if _REUSE is not None:
            made.setsockopt(socket.SOL_SOCKET, _REUSE, 1)
        try:
            if ":" in source[0]:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(source)
            await loop.sock_connect(made, destination)
        except OSError as error:
            if error.errno in _TAKEN:
                raise PortTaken(*error.args) from error
            raise
    except BaseException:
        made.close()
        raise
    return made


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback
