"""The messages of dcutr (libp2p specs, relay/DCUtR.md, "RPC messages")."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field
from zwerm.multiformats import varint
from zwerm.multiformats.multiaddr import Multiaddr

PROTOCOL: Final = "/libp2p/dcutr"
MAX_MESSAGE: Final = 4_096  # bytes: "Implementations SHOULD refuse encoded RPC messages larger than 4 KiB"
MAX_ADDRESSES: Final = 16  # that are taken of one message; the rest is left out


class MessageType(enum.IntEnum):
    """What a message is."""

    CONNECT = 100
    SYNC = 300


class HolePunch(NamedTuple):
    """One message."""

    type: MessageType
    addresses: tuple[Multiaddr, ...] = ()  # where the sender may be reached

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes. Addresses that nobody here can read are left out.

        Raises:
            WireError: no such message.
        """
        kind: MessageType | None = None
        addresses: list[bytes] = []
        for number, value in parse_fields(data):
            if number == 1:
                kind = _type(value)
            elif number == 2:
                if isinstance(value, int):
                    raise WireError(f"dcutr address is the number {value}, expected bytes")
                addresses.append(value)
        if kind is None:
            raise WireError("dcutr message without a type")
        return cls(kind, tuple(_readable(addresses[:MAX_ADDRESSES])))

    def serialize(self) -> bytes:
        own = b"".join(serialize_field(2, bytes(address)) for address in self.addresses)
        return serialize_field(1, self.type) + own

    def frame(self) -> bytes:
        """Serialize with the length before it, as it goes over a stream."""
        data = self.serialize()
        return varint.serialize(len(data)) + data


def parse_prefix(data: bytes | bytearray) -> tuple[HolePunch, int] | None:
    """Read the message at the start of what a stream brought, with its length; return it and its size.

    Returns:
        None when more bytes are needed.

    Raises:
        WireError: no such message, or longer than `MAX_MESSAGE`.
    """
    for end in range(1, min(len(data), varint.MAX_SIZE) + 1):
        if data[end - 1] < 0x80:
            size, start = varint.parse_prefix(bytes(data[:end]))
            break
        if end > 2:  # three bytes of length are more than 16,383 already
            raise WireError(f"dcutr message of 16384 bytes or more, expected at most {MAX_MESSAGE}")
    else:
        return None
    if size > MAX_MESSAGE:
        raise WireError(f"dcutr message of {size} bytes, expected at most {MAX_MESSAGE}")
    if len(data) < start + size:
        return None
    return HolePunch.parse(bytes(data[start : start + size])), start + size


def _type(value: int | bytes) -> MessageType:
    try:
        return MessageType(value if isinstance(value, int) else -1)
    except ValueError:
        raise WireError(f"dcutr message of type {str(value)[:32]}, expected 100 or 300") from None


def _readable(addresses: Sequence[bytes]) -> Iterator[Multiaddr]:
    for data in addresses:
        try:
            yield Multiaddr.parse(data)
        except WireError:
            continue
