"""The message of identify and identify push (libp2p specs, "identify/README.md", "The Identify Message").

Each field may be missing: in a push it is what has not changed. A message may come in several parts, of which each adds
to the fields before it, since implementations limit the size of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.multiformats.multiaddr import Multiaddr

MAX_PART: Final = 16_384  # bytes of one part; go-libp2p sends 8,192 at most, rust-libp2p 4,096
MAX_PARTS: Final = 10  # as go-libp2p
MAX_NAME: Final = 512  # characters of a version or of a protocol
MAX_PROTOCOLS: Final = 512  # that are kept
MAX_ADDRESSES: Final = 128  # that are kept

_PUBLIC_KEY: Final = 1
_LISTEN_ADDRESS: Final = 2
_PROTOCOL: Final = 3
_OBSERVED_ADDRESS: Final = 4
_PROTOCOL_VERSION: Final = 5
_AGENT_VERSION: Final = 6
_SIGNED_RECORD: Final = 8  # RFC 0003; not in the specification's text


class Identify(NamedTuple):
    """What a peer says of itself. None and empty: not said."""

    public_key: bytes | None = None
    listen_addresses: tuple[Multiaddr, ...] = ()
    protocols: tuple[str, ...] = ()
    observed_address: Multiaddr | None = None  # of the one who asked
    protocol_version: str | None = None
    agent_version: str | None = None
    signed_record: bytes | None = None  # an envelope

    @classmethod
    def parse(cls, parts: Iterable[bytes]) -> Self:
        """Read the parts of a message, in order. Addresses of kinds we do not know are left out.

        Raises:
            WireError: not protobuf, a field of another kind, or text that is none.
        """
        message = _Fields()
        for part in parts:
            for number, value in protobuf.parse_fields(part):
                message.add_untrusted(number, value)
        return cls(
            message.single.get(_PUBLIC_KEY),
            tuple(message.addresses),
            tuple(dict.fromkeys(message.protocols)),
            message.observed,
            message.texts.get(_PROTOCOL_VERSION),
            message.texts.get(_AGENT_VERSION),
            message.single.get(_SIGNED_RECORD),
        )

    def serialize(self) -> bytes:
        fields: list[tuple[int, bytes | None]] = [
            (_PUBLIC_KEY, self.public_key),
            *((_LISTEN_ADDRESS, bytes(address)) for address in self.listen_addresses),
            *((_PROTOCOL, protocol.encode()) for protocol in self.protocols),
            (_OBSERVED_ADDRESS, bytes(self.observed_address) if self.observed_address else None),
            (_PROTOCOL_VERSION, self.protocol_version.encode() if self.protocol_version else None),
            (_AGENT_VERSION, self.agent_version.encode() if self.agent_version else None),
            (_SIGNED_RECORD, self.signed_record),
        ]
        return b"".join(protobuf.serialize_field(number, value) for number, value in fields if value is not None)


class _Fields:
    """The fields of a message, as its parts bring them."""

    def __init__(self) -> None:
        self.single: dict[int, bytes] = {}
        self.texts: dict[int, str] = {}
        self.addresses: list[Multiaddr] = []
        self.protocols: list[str] = []
        self.observed: Multiaddr | None = None

    def add_untrusted(self, number: int, value: protobuf.Value) -> None:
        if not _PUBLIC_KEY <= number <= _SIGNED_RECORD or number == 7:
            return  # of a later version
        if not isinstance(value, bytes):
            raise WireError(f"identify field {number} is a number, expected bytes")
        if number in (_PUBLIC_KEY, _SIGNED_RECORD):
            self.single[number] = value
        elif number == _PROTOCOL:
            if len(self.protocols) < MAX_PROTOCOLS:
                self.protocols.append(_text_untrusted(number, value))
        elif number in (_PROTOCOL_VERSION, _AGENT_VERSION):
            self.texts[number] = _text_untrusted(number, value)
        else:
            try:
                address = Multiaddr.parse(value)
            except WireError:
                return  # of a transport that we do not know
            if number == _OBSERVED_ADDRESS:
                self.observed = address
            elif len(self.addresses) < MAX_ADDRESSES:
                self.addresses.append(address)


def _text_untrusted(number: int, value: bytes) -> str:
    if len(value) > MAX_NAME:
        raise WireError(f"identify field {number} of {len(value)} bytes, expected at most {MAX_NAME}")
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise WireError(f"identify field {number} is not UTF-8") from None
