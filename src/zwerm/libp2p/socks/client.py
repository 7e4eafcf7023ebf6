"""The client of SOCKS 5 (RFC 1928), with user name and password (RFC 1929), as a machine.

It asks a proxy for one connection. A name is sent as a name, so that the proxy resolves it: that is what makes an
`.onion` address reachable, and what keeps the names that are asked for from this machine's resolver.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.core.machine import Instant

_VERSION: Final = 5
_LOGIN_VERSION: Final = 1  # of RFC 1929
_CONNECT: Final = 1
_NO_LOGIN: Final = 0
_LOGIN: Final = 2
_NONE_ACCEPTABLE: Final = 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4
_ADDRESS_SIZES: Final = {_IPV4: 4, _IPV6: 16}
_REPLIES: Final = (
    "granted",
    "the proxy failed",
    "the proxy does not allow it",
    "the network is unreachable",
    "the host is unreachable",
    "the connection was refused",
    "it took too long on the way",
    "the proxy does not connect",
    "the proxy does not know this kind of address",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy is. With a user name Tor keeps what different names do on different ways."""

    host: str
    port: int
    user: str = ""
    password: str = dataclasses.field(default="", repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Connected:
    """What follows is the connection that was asked for."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failed:
    """There is no connection."""

    cause: str


Event: TypeAlias = Connected | Failed


class _State(enum.Enum):
    METHOD = "which way to log in"
    LOGIN = "whether the password is right"
    REPLY = "whether there is a connection"


class SocksClient:
    """Asks for one connection."""

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        """Ask for `host`, an IP address or a name."""
        user, password = proxy.user.encode(), proxy.password.encode()
        if len(user) > 255 or len(password) > 255:
            raise LocalProtocolError("user name or password of more than 255 bytes for a SOCKS proxy")
        self._login = bytes((_LOGIN_VERSION, len(user))) + user + bytes((len(password),)) + password if user else b""
        self._request = bytes((_VERSION, _CONNECT, 0)) + _serialize_host(host) + port.to_bytes(2, "big")
        methods = bytes((_NO_LOGIN, _LOGIN)) if user else bytes((_NO_LOGIN,))
        self._to_send = bytes((_VERSION, len(methods))) + methods
        self._received = bytearray()  # the answer that is not whole, at most 262 bytes
        self._state = _State.METHOD
        self._event: Event | None = None
        self.is_over = False

    def receive_data(self, data: bytes, now: Instant) -> int:  # noqa: ARG002 -- the contract's form
        """Take untrusted bytes; return how many were the proxy's. Those behind them are the connection's."""
        used = 0
        try:
            while not self.is_over and used < len(data):
                self._received.append(data[used])
                used += 1
                self._receive_untrusted()
        except WireError as error:
            self._finish(Failed(str(error)))
            return len(data)
        return used

    def receive_eof(self, now: Instant) -> None:  # noqa: ARG002 -- the contract's form
        if not self.is_over:
            self._finish(Failed(f"the proxy hung up before it said {self._state.value}"))

    def handle_timeout(self, now: Instant) -> None:
        """Nothing here waits for time."""

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def next_event(self) -> Event | None:
        event, self._event = self._event, None
        return event

    def next_timeout(self) -> Instant | None:
        return None

    def _receive_untrusted(self) -> None:
        received = self._received
        expected = _LOGIN_VERSION if self._state is _State.LOGIN else _VERSION
        if received[0] != expected:
            raise WireError(f"the proxy speaks version {received[0]}, expected {expected}: is it one of SOCKS 5?")
        if self._state is _State.REPLY:
            self._receive_reply_untrusted()
        elif len(received) == 2:
            code = received[1]
            received.clear()
            if self._state is _State.METHOD:
                self._receive_method_untrusted(code)
            elif code:
                raise WireError("the proxy refuses the user name and password")
            else:
                self._ask()

    def _receive_method_untrusted(self, method: int) -> None:
        if method == _NO_LOGIN:
            self._ask()
        elif method == _LOGIN and self._login:
            self._to_send += self._login
            self._state = _State.LOGIN
        elif method == _NONE_ACCEPTABLE:
            raise WireError("the proxy wants another way to log in")
        else:
            raise WireError(f"the proxy chose way {method} to log in, which was not offered")

    def _ask(self) -> None:
        self._to_send += self._request
        self._state = _State.REPLY

    def _receive_reply_untrusted(self) -> None:
        received = self._received
        if len(received) < 5:
            return
        if code := received[1]:
            raise WireError(_REPLIES[code] if code < len(_REPLIES) else f"the proxy says {code}")
        kind = received[3]
        size = 1 + received[4] if kind == _NAME else _ADDRESS_SIZES.get(kind)
        if size is None:
            raise WireError(f"the proxy answered with an address of type {kind}")
        if len(received) == 4 + size + 2:
            received.clear()
            self._finish(Connected())

    def _finish(self, event: Event) -> None:
        self.is_over = True
        self._received.clear()
        self._event = event


def _serialize_host(host: str) -> bytes:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna") if not host.isascii() else host.encode()
        if not 0 < len(name) <= 255:
            raise LocalProtocolError(f"host name of {len(name)} bytes, expected 1 to 255") from None
        return bytes((_NAME, len(name))) + name
    return bytes((_IPV4 if ip.version == 4 else _IPV6,)) + ip.packed
