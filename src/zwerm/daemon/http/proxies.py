"""Reverse proxies in front of a listener: who is really there, and what the browser calls this place.

Only what comes from a trusted address is believed. `X-Forwarded-For` is read from its end, where the nearest proxy
wrote, back to the first address that is no trusted proxy: whatever stands before that, the client may have made up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.http.security import host_name

if TYPE_CHECKING:
    from zwerm.daemon.http.exchange import Exchange

MAX_HOPS: Final = 32  # addresses that are looked at in one X-Forwarded-For

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """The proxies of one listener."""

    def __init__(self, ranges: Iterable[str], origin: str = "") -> None:
        """Say whom to believe.

        Args:
            ranges: of addresses, such as 10.0.0.0/8 or ::1.
            origin: where browsers reach this place, such as https://name; for proxies that pass on no name.

        Raises:
            LocalProtocolError: what is no range of addresses.
        """
        self._networks = [_network(text) for text in ranges]
        parts = urlsplit(origin)
        self._host = parts.netloc.lower()
        self._scheme = parts.scheme

    def __bool__(self) -> bool:
        return bool(self._networks)

    def apply(self, exchange: Exchange) -> None:
        """Rewrite what an exchange knows of its client, when a trusted proxy passed it on."""
        if not self._is_trusted(_address(exchange.peer)):
            return
        headers = exchange.headers
        exchange.is_proxied = True
        exchange.peer = self._client(exchange.peer, ",".join(headers.getall("X-Forwarded-For", ())))
        scheme = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        exchange.scheme = scheme if scheme in ("http", "https") else self._scheme or exchange.scheme
        host = headers.get("X-Forwarded-Host", "").rpartition(",")[2].strip()
        if not host and self._host and _is_upstream(headers.get("Host", "")):
            host = self._host
        if host:
            changed = CIMultiDict(headers)
            changed["Host"] = host
            exchange.headers = CIMultiDictProxy(changed)

    def _client(self, peer: str, forwarded: str) -> str:
        client = peer
        for text in reversed(forwarded.split(",")[-MAX_HOPS:]):
            found = _address(_without_port(text.strip()))
            if found is None:
                break
            client = str(found)
            if not self._is_trusted(found):
                break
        return client

    def _is_trusted(self, address: _IPAddress | None) -> bool:
        return address is not None and any(
            address in network for network in self._networks if network.version == address.version
        )


def _is_upstream(host: str) -> bool:
    """Whether a Host header is the address that a proxy was given, not a name that a browser used."""
    name = host_name(host)
    return name in ("", "localhost") or _address(name.strip("[]")) is not None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise LocalProtocolError(
            f"{text[:60]!r} is not a range of addresses; expected a form like 10.0.0.0/8, or one address"
        ) from None


def _address(text: str) -> _IPAddress | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _without_port(text: str) -> str:
    """Return the address in `1.2.3.4:56`, `[::1]:56` or without a port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
