"""The messages of the DHT (libp2p specs, kad-dht, "RPC messages"): one protobuf for requests and responses.

Addresses stay bytes in here: a peer may know transports that we do not, and what is only passed on need not be read.
A message has no length of its own; streams put a varint before it (`zwerm.libp2p.framing`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError
from zwerm.core.protobuf import Value, parse_fields, serialize_field
from zwerm.identity.peer_id import PeerId

MAX_REQUEST: Final = 65_536  # bytes; an IPNS record is at most 10 KiB, an ADD_PROVIDER has a few addresses
MAX_RESPONSE: Final = 1_048_576  # bytes; 20 closer peers take 5 KiB, the providers of something popular more
MAX_KEY: Final = 1_024  # bytes, of any key
MAX_PEERS: Final = 128  # taken of each list; the rest is left
MAX_ADDRESSES: Final = 32  # taken of each peer; the rest is left
MAX_ADDRESS: Final = 512  # bytes; a longer one is left out


class MessageType(enum.IntEnum):
    """What is asked for; a response carries the type of its request."""

    PUT_VALUE = 0
    GET_VALUE = 1
    ADD_PROVIDER = 2
    GET_PROVIDERS = 3
    FIND_NODE = 4
    PING = 5  # deprecated: answered, never sent


class ConnectionType(enum.IntEnum):
    """What the sender knows of the way to a peer."""

    NOT_CONNECTED = 0
    CONNECTED = 1
    CAN_CONNECT = 2
    CANNOT_CONNECT = 3


_TYPES: Final = {int(kind): kind for kind in MessageType}
_CONNECTIONS: Final = {int(kind): kind for kind in ConnectionType}


class Record(NamedTuple):
    """A value under a key."""

    key: bytes
    value: bytes
    time_received: bytes = b""  # RFC 3339, set by who stores it; we neither set nor read it

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the untrusted bytes of a `Record`; fields that were removed from it are skipped."""
        fields: dict[int, bytes] = {}
        for number, value in parse_fields(data):
            if number in (1, 2, 5):
                fields[number] = _bytes(value, "record")
        return cls(fields.get(1, b""), fields.get(2, b""), fields.get(5, b""))

    def serialize(self) -> bytes:
        time = serialize_field(5, self.time_received) if self.time_received else b""
        return serialize_field(1, self.key) + serialize_field(2, self.value) + time


class Peer(NamedTuple):
    """A peer, and where it may be reached."""

    peer: PeerId
    addresses: tuple[bytes, ...] = ()  # multiaddrs in binary, untrusted
    connection: ConnectionType = ConnectionType.NOT_CONNECTED

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the untrusted bytes of a `Peer`.

        Raises:
            WireError: no message, or an ID that no key can have.
        """
        identity, connection = b"", ConnectionType.NOT_CONNECTED
        addresses: list[bytes] = []
        for number, value in parse_fields(data):
            if number == 1:
                identity = _bytes(value, "peer")
            elif number == 2:
                address = _bytes(value, "address")
                if 0 < len(address) <= MAX_ADDRESS and len(addresses) < MAX_ADDRESSES:
                    addresses.append(address)
            elif number == 3 and isinstance(value, int):
                connection = _CONNECTIONS.get(value, ConnectionType.NOT_CONNECTED)
        return cls(PeerId.parse(identity), tuple(addresses), connection)

    def serialize(self) -> bytes:
        parts = [serialize_field(1, self.peer.multihash)]
        parts += [serialize_field(2, address) for address in self.addresses]
        if self.connection:
            parts.append(serialize_field(3, int(self.connection)))
        return b"".join(parts)


class Message(NamedTuple):
    """A request or a response."""

    type: MessageType
    key: bytes = b""
    record: Record | None = None
    closer: Sequence[Peer] = ()
    providers: Sequence[Peer] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes. Peers that cannot be read are left out, the rest is used.

        Raises:
            WireError: no such message, a type we do not know, or a key longer than `MAX_KEY`.
        """
        kind, key, record = 0, b"", None
        closer: list[Peer] = []
        providers: list[Peer] = []
        for number, value in parse_fields(data):
            if number == 1:
                kind = value if isinstance(value, int) else -1
            elif number == 2:
                key = _bytes(value, "key")
            elif number == 3:
                record = Record.parse(_bytes(value, "record"))
            elif number in (8, 9):
                _append_untrusted(closer if number == 8 else providers, _bytes(value, "peer"))
        if kind not in _TYPES:
            raise WireError(f"DHT message of type {kind}, expected 0 to {len(_TYPES) - 1}")
        if len(key) > MAX_KEY:
            raise WireError(f"DHT key of {len(key)} bytes, expected at most {MAX_KEY}")
        return cls(_TYPES[kind], key, record, closer, providers)

    def serialize(self) -> bytes:
        head = head_of(self.type, self.key)
        record = serialize_field(3, self.record.serialize()) if self.record else b""
        closer = b"".join(serialize_field(8, peer.serialize()) for peer in self.closer)
        return head + record + closer + b"".join(serialize_field(9, peer.serialize()) for peer in self.providers)


def head_of(kind: MessageType, key: bytes) -> bytes:
    """Return the two first fields, for who joins a message of parts that were serialized before.

    The type is always written, the zero of PUT_VALUE too: proto2 peers take a missing one for missing.
    """
    return serialize_field(1, int(kind)) + (serialize_field(2, key) if key else b"")


def _append_untrusted(peers: list[Peer], data: bytes) -> None:
    if len(peers) >= MAX_PEERS:
        return
    try:
        peers.append(Peer.parse(data))
    except WireError:
        return  # one peer that nobody can read does not cost us the others


def _bytes(value: Value, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise WireError(f"DHT {what} is a number, expected bytes")
    return value
