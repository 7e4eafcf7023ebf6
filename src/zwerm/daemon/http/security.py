"""Who may ask: the Host and Origin rules that keep other web pages, and other machines, from using a node.

A page of another site can make a browser send requests to the loopback (CSRF), and can point its own name there (DNS
rebinding). The first is seen by `Origin`, `Referer` or `Sec-Fetch-Site`, the second by `Host`. The rules for the RPC
are Kubo's (go-ipfs-cmds, "handler.go"), with the Host check besides.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from multidict import CIMultiDictProxy

Headers = CIMultiDictProxy[str]

_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


def host_name(host: str) -> str:
    """Return the name in a Host header, in lower case and without port; brackets stay."""
    name = host.strip().lower()
    return name[: name.index("]") + 1] if name.startswith("[") and "]" in name else name.partition(":")[0]


def is_known_host(host: str, extra: Iterable[str]) -> bool:
    """Whether a Host header can be that of a request meant for this node.

    IP addresses cannot be rebound, so each will do; names have to be localhost or configured ones.
    """
    name = host_name(host)
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    if name in {text.lower() for text in extra}:
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback_peer(peer: str) -> bool:
    """Whether the other end of a connection is on this machine."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_this_machine(headers: Headers, peer: str) -> bool:
    """Whether a request comes from this machine itself, not through a proxy on it."""
    return (
        is_loopback_peer(peer)
        and not any(name in headers for name in _FORWARDED)
        and host_name(headers.get("Host", "")) in (*_LOCAL_NAMES, "")
    )


def is_same_origin(headers: Headers, scheme: str = "http") -> bool:
    """Whether a request was made by a page of the very origin it goes to, or by no page at all.

    What came by HTTPS has to be from a page that did, too: one that came without may be anybody's on the way.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("Origin")
    if origin is None:
        return True
    parts = urlsplit(origin)
    return parts.netloc.lower() == headers.get("Host", "").lower() and (scheme != "https" or parts.scheme == "https")


def own_origins(port: int) -> frozenset[str]:
    """The origins of a listener on this machine."""
    return frozenset(f"{scheme}://{name}:{port}" for scheme in ("http", "https") for name in _LOCAL_NAMES)


def is_allowed_origin(headers: Headers, allowed: frozenset[str]) -> bool:
    """Kubo's rule: a request with `Origin` or `Referer` has to come from an allowed one; a browser's without both does
    not come from a page that would say so, and is refused.
    """
    if "*" in allowed:
        return True
    origin = headers.get("Origin")
    if origin is not None and origin not in allowed:
        return False
    referer = headers.get("Referer")
    if referer:
        parts = urlsplit(referer)
        if f"{parts.scheme}://{parts.netloc}" not in allowed:
            return False
    return bool(origin or referer) or not headers.get("User-Agent", "").startswith("Mozilla")


def has_bearer(headers: Headers, secret: str) -> bool:
    """Whether the request carries the secret, as `Authorization: Bearer` or the password of `Basic`."""
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), secret.encode())
