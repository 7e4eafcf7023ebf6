"""The protocols of multiaddrs (multiformats/multiaddr, protocols.csv) and how each writes its value.

Reading is strict both ways: one value has one text and one binary form, but for texts that other implementations are
known to write (peer IDs as CIDs, any multibase of a certhash, percent-encoding of a path).

`memory` follows go-multiaddr and rust-multiaddr, a fixed uint64; the table calls it variable.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from zwerm.core.errors import WireError
from zwerm.multiformats import multibase, multihash, peer_hash

VARIABLE: Final = -1  # a size: the value stands behind its length as varint

_MAX_DIGITS: Final = 20
_GARLIC64_SIZE: Final = 386  # bytes, at least
_GARLIC32_SIZES: Final = (32, 35)  # bytes: exactly, or at least when the lease set is encrypted
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+")  # RFC 3986, segment-nz


class Value(NamedTuple):
    """How a value is written."""

    from_text: Callable[[str], bytes]  # raises ValueError or one of its kin
    to_text: Callable[[bytes], str]  # of a value that `check` let pass
    check: Callable[[bytes], None]  # raises as `from_text`; the size of a fixed one was checked before


class MultiaddrProtocol(NamedTuple):
    """One row of the table."""

    code: int
    name: str
    size: int  # bytes of the value, or VARIABLE
    value: Value | None  # None when the size is 0
    is_path: bool = False  # the value takes all that is left of the text, and is the last


def _any(_data: bytes) -> None:
    pass


def _integer(size: int) -> Value:
    limit = 1 << (8 * size)

    def from_text(text: str) -> bytes:
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else limit
        if number >= limit or (text[0] == "0" and len(text) > 1):
            raise WireError(f"expected a number from 0 to {limit - 1}")
        return number.to_bytes(size, "big")

    return Value(from_text, lambda data: str(int.from_bytes(data, "big")), _any)


def _check_word(data: bytes) -> None:
    text = data.decode()
    if not text or "/" in text or " " in text or not text.isprintable():
        raise WireError("expected printable text without spaces and slashes")


def _word_from_text(text: str) -> bytes:
    data = text.encode()
    _check_word(data)
    return data


def _ip6_from_text(text: str) -> bytes:
    if "%" in text:
        raise WireError("expected the zone in an ip6zone of its own")
    return ipaddress.IPv6Address(text).packed


def _ip6_to_text(data: bytes) -> str:
    address = ipaddress.IPv6Address(data)
    return str(address) if address.ipv4_mapped is None else f"::ffff:{address.ipv4_mapped}"


def _check_path(data: bytes) -> None:
    if len(data) < 2 or not data.startswith(b"/") or data.endswith(b"/") or not data.decode().isprintable():
        raise WireError("expected a printable path that begins with a slash and does not end in one")


def _path_from_text(text: str) -> bytes:
    data = text.encode()
    _check_path(data)
    return data


def _onion(host_size: int) -> Value:
    def from_text(text: str) -> bytes:
        host, _, port = text.partition(":")
        data = multibase.decode("b" + host.lower()) + _PORT.from_text(port or "0")
        if len(data) != host_size + 2:
            raise WireError(f"onion host of {len(data) - 2} bytes, expected {host_size}")
        check(data)
        return data

    def to_text(data: bytes) -> str:
        return f"{multibase.encode(data[:-2], 'base32')[1:]}:{_PORT.to_text(data[-2:])}"

    def check(data: bytes) -> None:
        if data[-2:] == b"\0\0":
            raise WireError("onion port 0")

    return Value(from_text, to_text, check)


def _garlic64_to_text(data: bytes) -> str:
    return base64.b64encode(data, b"-~").decode()


def _garlic64_from_text(text: str) -> bytes:
    data = base64.b64decode(text, b"-~", validate=True)
    _check_garlic64(data)
    if _garlic64_to_text(data) != text:
        raise WireError("expected canonical base64 of I2P")
    return data


def _check_garlic64(data: bytes) -> None:
    if len(data) < _GARLIC64_SIZE:
        raise WireError(f"I2P destination of {len(data)} bytes, expected at least {_GARLIC64_SIZE}")


def _garlic32_from_text(text: str) -> bytes:
    data = multibase.decode("b" + text)
    _check_garlic32(data)
    return data


def _check_garlic32(data: bytes) -> None:
    exact, least = _GARLIC32_SIZES
    if len(data) != exact and len(data) < least:
        raise WireError(f"I2P hash of {len(data)} bytes, expected {exact}, or {least} and more")


def _certhash_from_text(text: str) -> bytes:
    data = multibase.decode(text)
    _check_certhash(data)
    return data


def _check_certhash(data: bytes) -> None:
    if multihash.parse_prefix(data)[2] != len(data):
        raise WireError("bytes after the multihash")


def _http_path_from_text(text: str) -> bytes:
    if not _SEGMENT.fullmatch(text):
        raise WireError("expected one percent-encoded URI path segment")
    return unquote_to_bytes(text)


def _check_not_empty(data: bytes) -> None:
    if not data:
        raise WireError("expected at least one byte")


_PORT: Final = _integer(2)
_WORD: Final = Value(_word_from_text, bytes.decode, _check_word)
_CERTHASH: Final = Value(_certhash_from_text, lambda data: multibase.encode(data, "base64url"), _check_certhash)
_GARLIC32: Final = Value(_garlic32_from_text, lambda data: multibase.encode(data, "base32")[1:], _check_garlic32)
_IP4: Final = Value(
    lambda text: ipaddress.IPv4Address(text).packed, lambda data: str(ipaddress.IPv4Address(data)), _any
)

_ROWS: Final = (
    MultiaddrProtocol(4, "ip4", 4, _IP4),
    MultiaddrProtocol(6, "tcp", 2, _PORT),
    MultiaddrProtocol(33, "dccp", 2, _PORT),
    MultiaddrProtocol(41, "ip6", 16, Value(_ip6_from_text, _ip6_to_text, _any)),
    MultiaddrProtocol(42, "ip6zone", VARIABLE, _WORD),
    MultiaddrProtocol(43, "ipcidr", 1, _integer(1)),
    MultiaddrProtocol(53, "dns", VARIABLE, _WORD),
    MultiaddrProtocol(54, "dns4", VARIABLE, _WORD),
    MultiaddrProtocol(55, "dns6", VARIABLE, _WORD),
    MultiaddrProtocol(56, "dnsaddr", VARIABLE, _WORD),
    MultiaddrProtocol(132, "sctp", 2, _PORT),
    MultiaddrProtocol(273, "udp", 2, _PORT),
    MultiaddrProtocol(275, "p2p-webrtc-star", 0, None),
    MultiaddrProtocol(276, "p2p-webrtc-direct", 0, None),
    MultiaddrProtocol(277, "p2p-stardust", 0, None),
    MultiaddrProtocol(280, "webrtc-direct", 0, None),
    MultiaddrProtocol(281, "webrtc", 0, None),
    MultiaddrProtocol(290, "p2p-circuit", 0, None),
    MultiaddrProtocol(301, "udt", 0, None),
    MultiaddrProtocol(302, "utp", 0, None),
    MultiaddrProtocol(400, "unix", VARIABLE, Value(_path_from_text, bytes.decode, _check_path), is_path=True),
    MultiaddrProtocol(421, "p2p", VARIABLE, Value(peer_hash.from_text, peer_hash.to_text, peer_hash.check)),
    MultiaddrProtocol(443, "https", 0, None),
    MultiaddrProtocol(444, "onion", 12, _onion(10)),
    MultiaddrProtocol(445, "onion3", 37, _onion(35)),
    MultiaddrProtocol(446, "garlic64", VARIABLE, Value(_garlic64_from_text, _garlic64_to_text, _check_garlic64)),
    MultiaddrProtocol(447, "garlic32", VARIABLE, _GARLIC32),
    MultiaddrProtocol(448, "tls", 0, None),
    MultiaddrProtocol(449, "sni", VARIABLE, _WORD),
    MultiaddrProtocol(454, "noise", 0, None),
    MultiaddrProtocol(460, "quic", 0, None),
    MultiaddrProtocol(461, "quic-v1", 0, None),
    MultiaddrProtocol(465, "webtransport", 0, None),
    MultiaddrProtocol(466, "certhash", VARIABLE, _CERTHASH),
    MultiaddrProtocol(477, "ws", 0, None),
    MultiaddrProtocol(478, "wss", 0, None),
    MultiaddrProtocol(479, "p2p-websocket-star", 0, None),
    MultiaddrProtocol(480, "http", 0, None),
    MultiaddrProtocol(
        481, "http-path", VARIABLE, Value(_http_path_from_text, lambda data: quote(data, safe=""), _check_not_empty)
    ),
    MultiaddrProtocol(777, "memory", 8, _integer(8)),
)

BY_CODE: Final[dict[int, MultiaddrProtocol]] = {row.code: row for row in _ROWS}
BY_NAME: Final[dict[str, MultiaddrProtocol]] = {row.name: row for row in _ROWS} | {"ipfs": BY_CODE[421]}

# What the functions above raise on values they do not like; WireError and UnicodeError are ValueErrors.
INVALID_VALUE: Final = (ValueError, binascii.Error)
