"""Where STUN and TURN servers are: URIs of RFC 7064 and RFC 7065, and the `iceServers` of a browser.

    stun:stun.example.org              stuns:[2001:db8::1]:5350
    turn:turn.example.org:3478?transport=tcp

A server is named by host and port only: credentials never stand in a URI, and there is no `//`.
"""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError

PORT: Final = 3478  # RFC 7064 section 3.2, RFC 7065 section 3.2
SECURE_PORT: Final = 5349
MAX_URL: Final = 512  # characters; host names end at 253
MAX_SERVERS: Final = 64  # URLs in one configuration; each costs a socket and a timer while gathering

_URI: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._~%!$&'()*+,;=-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>[a-z0-9._~-]+))?",
    re.IGNORECASE | re.ASCII,
)


class Service(enum.Enum):
    """What a server does."""

    STUN = "stun"  # it tells addresses
    TURN = "turn"  # it relays


class Transport(enum.Enum):
    """What carries the messages to the server."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    DTLS = "dtls"


@dataclasses.dataclass(frozen=True, slots=True)
class ServerUri:
    """One address of a server."""

    service: Service
    host: str  # name or numeric address, without brackets, in lower case
    port: int
    transport: Transport

    @classmethod
    def from_text(cls, text: str) -> ServerUri:
        """Read a URI.

        Raises:
            LocalProtocolError: not of the form of RFC 7064 or 7065.
        """
        match = _URI.fullmatch(text) if len(text) <= MAX_URL else None
        if match is None:
            raise LocalProtocolError(
                f"{text[:80]!r} is no STUN or TURN server, expected stun:HOST[:PORT] or turn:HOST[:PORT]"
            )
        scheme = match["scheme"].lower()
        service, is_secure = Service(scheme.removesuffix("s")), scheme.endswith("s")
        if match["transport"] and service is Service.STUN:
            raise LocalProtocolError(f"{text!r}: only turn: and turns: take ?transport=")
        name = (match["transport"] or ("tcp" if is_secure else "udp")).lower()
        if name not in ("udp", "tcp"):
            raise LocalProtocolError(f"{text!r}: transport {name}, expected udp or tcp")
        port = int(match["port"]) if match["port"] else SECURE_PORT if is_secure else PORT
        if not 0 < port < 65_536:
            raise LocalProtocolError(f"{text!r}: port {port}, expected 1 to 65535")
        secure = {"udp": Transport.DTLS, "tcp": Transport.TLS}
        return cls(service, _host_of(match["host"]), port, secure[name] if is_secure else Transport(name))

    def __str__(self) -> str:
        is_secure = self.transport in (Transport.TLS, Transport.DTLS)
        scheme = self.service.value + "s" * is_secure
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (SECURE_PORT if is_secure else PORT) else f":{self.port}"
        usual = Transport.TLS if is_secure else Transport.UDP
        by = "udp" if self.transport in (Transport.UDP, Transport.DTLS) else "tcp"
        return f"{scheme}:{host}{port}" + (
            "" if self.transport is usual or self.service is Service.STUN else f"?transport={by}"
        )


@dataclasses.dataclass(frozen=True, slots=True)
class IceServer:
    """What a program knows of one server: where it is, and what opens it."""

    uris: tuple[ServerUri, ...]
    username: str | None = None
    credential: str | None = dataclasses.field(default=None, repr=False)


def parse_ice_servers(servers: Iterable[Mapping[str, Any]]) -> tuple[IceServer, ...]:
    """Read `iceServers` as browsers do: `urls` or the old `url`, one or many, with `username` and `credential`.

    Raises:
        LocalProtocolError: a URL or a member of the wrong form, TURN without credentials, or over `MAX_SERVERS` URLs.
    """
    parsed = tuple(_ice_server(server) for server in servers)
    count = sum(len(server.uris) for server in parsed)
    if count > MAX_SERVERS:
        raise LocalProtocolError(f"{count} URLs of ICE servers, the limit is {MAX_SERVERS}")
    return parsed


def _ice_server(server: Mapping[str, Any]) -> IceServer:
    urls = server.get("urls", server.get("url"))
    texts = [urls] if isinstance(urls, str) else list(urls or ())
    if not texts or not all(isinstance(text, str) for text in texts):
        raise LocalProtocolError(f"ICE server with urls {urls!r}, expected a text or a list of texts")
    uris = tuple(ServerUri.from_text(text) for text in texts)
    username, credential = server.get("username"), server.get("credential")
    if not all(value is None or isinstance(value, str) for value in (username, credential)):
        raise LocalProtocolError(f"ICE server {texts[0]} with a username or credential that is no text")
    if server.get("credentialType", "password") != "password":
        raise LocalProtocolError(f"ICE server {texts[0]} with a credential of type {server['credentialType']!r}")
    if any(uri.service is Service.TURN for uri in uris) and (username is None or credential is None):
        raise LocalProtocolError(f"ICE server {texts[0]} needs username and credential")
    return IceServer(uris, username, credential)


def _host_of(text: str) -> str:
    if not text.startswith("["):
        return text.lower()
    try:
        return ipaddress.IPv6Address(text[1:-1]).compressed
    except ValueError:
        raise LocalProtocolError(f"{text} is no IPv6 address") from None
