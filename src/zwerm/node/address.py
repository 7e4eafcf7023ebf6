"""Listening addresses of HTTP servers: `host:port` for people, `/ip4/127.0.0.1/tcp/5001` for Kubo's tools.

Both spellings are read; `str()` gives the first, `multiaddr` the second. Only addresses that one TCP listener can
bind are meant here, not the multiaddrs of peers.
"""

from __future__ import annotations

import ipaddress
from typing import Final, NamedTuple, Self

from zwerm.core.errors import LocalProtocolError

MAX_PORT: Final = 65_535

_HOST_PROTOCOLS: Final = ("ip4", "ip6", "dns", "dns4", "dns6")


class Address(NamedTuple):
    """A host and a TCP port; port 0 asks the system for a free one."""

    host: str  # an IP address without brackets, or a name
    port: int  # 0 to 65535

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read either spelling.

        Raises:
            LocalProtocolError: neither; the message says what an address looks like.
        """
        host, port = _split_multiaddr(text) if text.startswith("/") else _split_host_port(text)
        is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= MAX_PORT
        if not host or not is_port or set(host) & set(" /[]@"):
            raise LocalProtocolError(f"{text!r} is not an address; expected host:port, such as 127.0.0.1:5001")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for every interface of the machine."""
        return self.host in ("0.0.0.0", "::")  # noqa: S104 -- compared, not bound

    @property
    def multiaddr(self) -> str:
        try:
            protocol = f"ip{ipaddress.ip_address(self.host).version}"
        except ValueError:
            protocol = "dns"
        return f"/{protocol}/{self.host}/tcp/{self.port}"

    @property
    def url(self) -> str:
        """The address to open: every interface is written as the loopback."""
        if self.is_wildcard:
            return f"http://{Address('127.0.0.1' if self.host == '0.0.0.0' else '::1', self.port)}"  # noqa: S104
        return f"http://{self}"

    def shifted(self, offset: int) -> Self:
        """Return the address `offset` ports up; a port of 0 stays 0."""
        if self.port and not 0 < self.port + offset <= MAX_PORT:
            raise LocalProtocolError(f"port {self.port} + {offset} is outside 1 to {MAX_PORT}")
        return self._replace(port=self.port + offset) if self.port else self

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _split_host_port(text: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1], port
    return ("" if ":" in host else host), port


def _split_multiaddr(text: str) -> tuple[str, str]:
    parts = text.split("/")
    if len(parts) != 5 or parts[1] not in _HOST_PROTOCOLS or parts[3] != "tcp":
        return "", ""
    return parts[2], parts[4]
