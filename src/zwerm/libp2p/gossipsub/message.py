"""What pubsub peers send each other (libp2p specs, pubsub/README.md, "The RPC"; gossipsub v1.0 to v1.2, "Protobuf").

A message's bytes are kept as they came: its signature covers them, unknown fields included, and they are passed on
unchanged.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

from zwerm.core import protobuf
from zwerm.core.errors import WireError

MAX_RPC: Final = 1_048_576  # bytes, as go-libp2p-pubsub; a message with its frame must fit
MAX_TOPIC: Final = 1_024  # bytes of UTF-8
MAX_ITEMS: Final = 5_000  # subscriptions, messages, control messages or IDs in one RPC
MAX_ID: Final = 512  # bytes of a message ID

_FROM, _PAYLOAD, _SEQNO, _TOPIC, _SIGNATURE, _KEY = range(1, 7)
_SUBSCRIPTIONS, _PUBLISH, _CONTROL = range(1, 4)
_IHAVE, _IWANT, _GRAFT, _PRUNE, _IDONTWANT = range(1, 6)


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One message. Fields are empty when they are absent; `present` tells the two apart."""

    topic: str
    data: bytes
    author: bytes = b""  # a peer ID
    sequence: bytes = b""  # unique among the author's messages
    signature: bytes = b""
    key: bytes = b""  # the author's, when the peer ID does not carry it
    present: frozenset[int] = frozenset()  # numbers of the fields on the wire
    encoded: bytes = b""

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read untrusted bytes.

        Raises:
            WireError: not a message, or one without a topic, or of a topic too long.
        """
        fields: dict[int, bytes] = {}
        for number, value in protobuf.parse_fields(encoded):
            if _FROM <= number <= _KEY:
                fields[number] = _bytes(value, number)
        if _TOPIC not in fields:
            raise WireError("pubsub message without a topic")
        return cls(
            _topic(fields[_TOPIC]),
            fields.get(_PAYLOAD, b""),
            fields.get(_FROM, b""),
            fields.get(_SEQNO, b""),
            fields.get(_SIGNATURE, b""),
            fields.get(_KEY, b""),
            frozenset(fields),
            encoded,
        )

    def unsigned(self) -> bytes:
        """Return the bytes that are signed, in the order they came in.

        The specification signs all fields but the signature. All implementations leave the key out as well.
        """
        if not self.encoded:
            return self._fields(signed=False)
        kept = bytearray()
        for number, chunk in _chunks(self.encoded):
            if number not in (_SIGNATURE, _KEY):
                kept += chunk
        return bytes(kept)

    def serialize(self) -> bytes:
        return self.encoded or self._fields(signed=True)

    def _fields(self, *, signed: bool) -> bytes:
        values = [
            (_FROM, self.author),
            (_PAYLOAD, self.data),
            (_SEQNO, self.sequence),
            (_TOPIC, self.topic.encode()),
            (_SIGNATURE, self.signature if signed else b""),
            (_KEY, self.key if signed else b""),
        ]
        return b"".join(protobuf.serialize_field(number, value) for number, value in values if value)


class Subscription(NamedTuple):
    """A peer wants a topic, or no longer."""

    topic: str
    wanted: bool


class IHave(NamedTuple):
    """Messages that the sender could give."""

    topic: str
    ids: tuple[bytes, ...]


class Prune(NamedTuple):
    """The sender took us out of its mesh."""

    topic: str
    peers: tuple[tuple[bytes, bytes], ...] = ()  # peer IDs, each with its sealed peer record or nothing
    backoff: int | None = None  # seconds before we may graft again


@dataclasses.dataclass(slots=True)
class Rpc:
    """Everything that goes in one frame."""

    subscriptions: list[Subscription] = dataclasses.field(default_factory=list)
    messages: list[bytes] = dataclasses.field(default_factory=list)  # each as `Message.encoded`
    ihave: list[IHave] = dataclasses.field(default_factory=list)
    iwant: list[bytes] = dataclasses.field(default_factory=list)
    graft: list[str] = dataclasses.field(default_factory=list)
    prune: list[Prune] = dataclasses.field(default_factory=list)
    idontwant: list[bytes] = dataclasses.field(default_factory=list)
    idontwant_messages: int = 0  # control messages that these came in

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one frame of untrusted bytes; the messages in it are not looked into.

        Raises:
            WireError: not an RPC, or more of anything in it than `MAX_ITEMS`.
        """
        rpc = cls()
        for number, value in protobuf.parse_fields(data):
            if number == _SUBSCRIPTIONS:
                rpc.subscriptions.append(_parse_subscription(_bytes(value, number)))
            elif number == _PUBLISH:
                rpc.messages.append(_bytes(value, number))
            elif number == _CONTROL:
                rpc._parse_control(_bytes(value, number))
            if rpc._items() > MAX_ITEMS:
                raise WireError(f"pubsub RPC of more than {MAX_ITEMS} items")
        return rpc

    def _items(self) -> int:
        return (
            len(self.subscriptions) + len(self.messages) + len(self.ihave) + len(self.iwant)
            + len(self.graft) + len(self.prune) + len(self.idontwant)
        )  # fmt: skip

    def _parse_control(self, data: bytes) -> None:
        for number, value in protobuf.parse_fields(data):
            if number == _IHAVE:
                self.ihave.append(_parse_ihave(_bytes(value, number)))
            elif number == _IWANT:
                self.iwant += _ids(_bytes(value, number), 1)
            elif number == _GRAFT:
                self.graft.append(_topic(_first(_bytes(value, number))))
            elif number == _PRUNE:
                self.prune.append(_parse_prune(_bytes(value, number)))
            elif number == _IDONTWANT:
                self.idontwant_messages += 1
                self.idontwant += _ids(_bytes(value, number), 1)
            if self._items() > MAX_ITEMS:
                raise WireError(f"pubsub RPC of more than {MAX_ITEMS} items")

    def serialize(self) -> bytes:
        out = bytearray()
        for subscription in self.subscriptions:
            body = protobuf.serialize_field(1, int(subscription.wanted)) + _text(2, subscription.topic)
            out += protobuf.serialize_field(_SUBSCRIPTIONS, body)
        for message in self.messages:
            out += protobuf.serialize_field(_PUBLISH, message)
        control = bytearray()
        for topic, ids in self.ihave:
            control += protobuf.serialize_field(_IHAVE, _text(1, topic) + _repeated(2, ids))
        if self.iwant:
            control += protobuf.serialize_field(_IWANT, _repeated(1, self.iwant))
        for topic in self.graft:
            control += protobuf.serialize_field(_GRAFT, _text(1, topic))
        for prune in self.prune:
            control += protobuf.serialize_field(_PRUNE, _serialize_prune(prune))
        if self.idontwant:
            control += protobuf.serialize_field(_IDONTWANT, _repeated(1, self.idontwant))
        if control:
            out += protobuf.serialize_field(_CONTROL, bytes(control))
        return bytes(out)

    def __bool__(self) -> bool:
        return self._items() > 0


def _serialize_prune(prune: Prune) -> bytes:
    body = _text(1, prune.topic)
    for peer, record in prune.peers:
        info = protobuf.serialize_field(1, peer) + (protobuf.serialize_field(2, record) if record else b"")
        body += protobuf.serialize_field(2, info)
    return body + (protobuf.serialize_field(3, prune.backoff) if prune.backoff is not None else b"")


def _parse_subscription(data: bytes) -> Subscription:
    wanted, topic = False, b""
    for number, value in protobuf.parse_fields(data):
        if number == 1:
            wanted = bool(value)
        elif number == 2:
            topic = _bytes(value, number)
    return Subscription(_topic(topic), wanted)


def _parse_ihave(data: bytes) -> IHave:
    return IHave(_topic(_first(data)), _ids(data, 2))


def _parse_prune(data: bytes) -> Prune:
    peers: list[tuple[bytes, bytes]] = []
    backoff: int | None = None
    for number, value in protobuf.parse_fields(data):
        if number == 2:
            info = dict(protobuf.parse_fields(_bytes(value, number)))
            peers.append((_bytes(info.get(1, b""), 1), _bytes(info.get(2, b""), 2)))
            if len(peers) > MAX_ITEMS:
                raise WireError(f"PRUNE with more than {MAX_ITEMS} peers")
        elif number == 3:
            backoff = value if isinstance(value, int) else None
    return Prune(_topic(_first(data)), tuple(peers), backoff)


def _first(data: bytes) -> bytes:
    """Return field 1, the topic of every control message."""
    return next((_bytes(value, 1) for number, value in protobuf.parse_fields(data) if number == 1), b"")


def _ids(data: bytes, field: int) -> tuple[bytes, ...]:
    ids: list[bytes] = []
    for number, value in protobuf.parse_fields(data):
        if number == field:
            found = _bytes(value, number)
            if len(found) > MAX_ID or len(ids) >= MAX_ITEMS:
                raise WireError(f"{len(ids)} message IDs, the last of {len(found)} bytes")
            ids.append(found)
    return tuple(ids)


def _topic(data: bytes) -> str:
    if len(data) > MAX_TOPIC:
        raise WireError(f"topic of {len(data)} bytes, expected at most {MAX_TOPIC}")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise WireError(f"topic {data[:32]!r} that is no text") from None


def _bytes(value: protobuf.Value, number: int) -> bytes:
    if not isinstance(value, bytes):
        raise WireError(f"field {number} of a pubsub message is a number")
    return value


def _text(number: int, text: str) -> bytes:
    return protobuf.serialize_field(number, text.encode())


def _repeated(number: int, values: Iterable[bytes]) -> bytes:
    return b"".join(protobuf.serialize_field(number, value) for value in values)


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each field's number with its bytes, tag and all."""
    start = 0
    while start < len(data):
        tag, position = protobuf.parse_varint_prefix(data, start)
        if tag & 7 == 2:
            size, position = protobuf.parse_varint_prefix(data, position)
            position += size
        elif tag & 7 == 0:
            _, position = protobuf.parse_varint_prefix(data, position)
        else:
            position += 8 if tag & 7 == 1 else 4
        yield tag >> 3, data[start:position]
        start = position
