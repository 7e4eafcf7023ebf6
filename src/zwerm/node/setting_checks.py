"""What a text in the configuration has to be: an origin, a host, a range of ports, or a LocalProtocolError says so."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from zwerm.core.errors import LocalProtocolError

_HOST: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?")


def multiaddr(text: str) -> None:
    if not re.fullmatch(r"(/[^/\s]+)+", text):
        raise LocalProtocolError(f"{text!r} is not a multiaddr; expected a form like /ip4/127.0.0.1/tcp/4001")


def origin(text: str) -> None:
    parts = urlsplit(text)
    if text != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query):
        raise LocalProtocolError(f"{text!r} is not an origin; expected a form like https://example.org")


def url(text: str) -> None:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise LocalProtocolError(f"{text!r} is not an address of the web; expected a form like https://example.org")


def stun(text: str) -> None:
    if not re.fullmatch(r"stun:[A-Za-z0-9.:\[\]_-]{1,253}", text):
        raise LocalProtocolError(f"{text[:64]!r} is not a STUN server; expected a form like stun:stun.example.org:3478")


def external(text: str) -> None:
    if not text or re.fullmatch(r"stuns?:[A-Za-z0-9.:\[\]_-]{1,253}", text):
        return
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise LocalProtocolError(f"{text[:64]!r} is neither an IP address nor a server such as stun:HOST") from None


def name_server(text: str) -> None:
    from zwerm.net.dns import SYSTEM, parse_server

    if text != SYSTEM:
        parse_server(text)


def address_range(text: str) -> None:
    from zwerm.libp2p.swarm.address_ranges import AddressRange

    AddressRange.from_text(text)


def proxy(text: str) -> None:
    from zwerm.node.access import parse_proxy

    parse_proxy(text)


def mail_server(text: str) -> None:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
        raise LocalProtocolError("that is no mail server; expected a form like smtp://mail.example.org:587")


def port_range(text: str) -> None:
    if not re.fullmatch(r"[1-9]\d{0,4}-[1-9]\d{0,4}", text):
        raise LocalProtocolError(f"{text[:32]!r} is no range of ports; expected FIRST-LAST, such as 49152-65535")


def version(text: str) -> None:
    if text and not re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", text):
        raise LocalProtocolError(f"{text[:32]!r} is not a release; expected three numbers such as 0.7.0")


def host(text: str) -> None:
    if not _HOST.fullmatch(text):
        raise LocalProtocolError(f"{text!r} is not a host name")


def history_policy(text: str) -> None:
    if text not in ("all", "thin") and not re.fullmatch(r"last [1-9]\d{0,8}", text):
        raise LocalProtocolError(f"{text!r} is not a policy; expected all, thin, or last N")


def chunker(text: str) -> None:
    if text and not re.fullmatch(r"size-[1-9]\d{0,7}|rabin(-[1-9]\d{0,7}){0,3}|buzhash", text):
        raise LocalProtocolError(f"{text!r} is not a chunker; expected size-262144, rabin-MIN-AVG-MAX or buzhash")
