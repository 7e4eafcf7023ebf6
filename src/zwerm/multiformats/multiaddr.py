"""Multiaddrs (multiformats/multiaddr): how to reach somebody, protocol inside protocol, as `/ip4/192.0.2.1/tcp/4001`.

A multiaddr is a sequence of components, each a protocol and its value. It says nothing of whether the sequence makes
sense; the transports that dial one decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import varint
from zwerm.multiformats.multiaddr_protocol import BY_CODE, BY_NAME, INVALID_VALUE, VARIABLE, MultiaddrProtocol

MAX_SIZE: Final = 4_096  # bytes
MAX_TEXT: Final = 8_192  # characters


class Component(NamedTuple):
    """One protocol and its value."""

    protocol: MultiaddrProtocol
    value: bytes  # as in the binary form, without its length; empty when the protocol takes none

    @property
    def text(self) -> str:
        """The value as text; empty when the protocol takes none."""
        return self.protocol.value.to_text(self.value) if self.protocol.value else ""

    def serialize(self) -> bytes:
        size = varint.serialize(len(self.value)) if self.protocol.size == VARIABLE else b""
        return varint.serialize(self.protocol.code) + size + self.value

    def __str__(self) -> str:
        if self.protocol.value is None:
            return f"/{self.protocol.name}"
        return f"/{self.protocol.name}{'' if self.protocol.is_path else '/'}{self.text}"


class Multiaddr:
    """An immutable address. Equal when the binary forms are equal; the texts of one address may differ."""

    __slots__ = ("_binary", "components")

    components: tuple[Component, ...]  # outermost first, at least one

    def __init__(self, components: tuple[Component, ...]) -> None:
        """Join components that were taken from other multiaddrs; anything else goes through `parse` or `from_text`."""
        if not components:
            raise LocalProtocolError("a multiaddr has at least one component")
        self.components = components
        self._binary = b"".join(component.serialize() for component in components)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read exactly these untrusted bytes.

        Raises:
            WireError: empty, cut short, longer than `MAX_SIZE`, a protocol we do not know, or a value it cannot have.
        """
        if not 0 < len(data) <= MAX_SIZE:
            raise WireError(f"multiaddr of {len(data)} bytes, expected 1 to {MAX_SIZE}")
        return cls(tuple(_parse_components(data)))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the text form a person or a peer gave. Slashes at its end are ignored.

        Raises:
            WireError: as `parse`; the message names the component.
        """
        if len(text) > MAX_TEXT:
            raise WireError(f"multiaddr text of {len(text)} characters, expected at most {MAX_TEXT}")
        parts = text.rstrip("/").split("/")
        if parts[0] or len(parts) < 2:
            raise WireError(f"multiaddr {text[:64]!r}, expected /protocol/value...")
        components = tuple(_read_components(parts[1:]))
        address = cls(components)
        if len(address._binary) > MAX_SIZE:
            raise WireError(f"multiaddr of {len(address._binary)} bytes, expected at most {MAX_SIZE}")
        return address

    @property
    def names(self) -> tuple[str, ...]:
        """The protocols, outermost first: `("ip4", "tcp")`."""
        return tuple(component.protocol.name for component in self.components)

    def value(self, name: str) -> str | None:
        """The text value of the first component of that protocol; None when there is none."""
        return next((component.text for component in self.components if component.protocol.name == name), None)

    def encapsulate(self, inner: Multiaddr) -> Multiaddr:
        """Return this address with `inner` behind it."""
        if self.components[-1].protocol.is_path:
            raise LocalProtocolError(f"nothing can follow the path of {self}")
        return Multiaddr(self.components + inner.components)

    def decapsulate(self, name: str) -> Multiaddr | None:
        """Return what stands before the last component of that protocol.

        The whole address when it has none; None when nothing is left.
        """
        for index in range(len(self.components) - 1, -1, -1):
            if self.components[index].protocol.name == name:
                return Multiaddr(self.components[:index]) if index else None
        return self

    def __bytes__(self) -> bytes:
        return self._binary

    def __str__(self) -> str:
        return "".join(map(str, self.components))

    def __repr__(self) -> str:
        return f"Multiaddr({self})"

    def __iter__(self) -> Iterator[Component]:
        return iter(self.components)

    def __len__(self) -> int:
        return len(self.components)

    def __hash__(self) -> int:
        return hash(self._binary)

    def __eq__(self, other: object) -> bool:
        return self._binary == other._binary if isinstance(other, Multiaddr) else NotImplemented

    def __lt__(self, other: Multiaddr) -> bool:
        return self._binary < other._binary


def _parse_components(data: bytes) -> Iterator[Component]:
    position = 0
    while position < len(data):
        code, position = varint.parse_prefix(data, position)
        protocol = BY_CODE.get(code)
        if protocol is None:
            raise WireError(f"multiaddr protocol {code} is not known here")
        size = protocol.size
        if size == VARIABLE:
            size, position = varint.parse_prefix(data, position)
        end = position + size
        if end > len(data):
            raise WireError(f"multiaddr cut short: {len(data) - position} of {size} bytes of {protocol.name}")
        if protocol.is_path and end < len(data):
            raise WireError(f"multiaddr with {len(data) - end} bytes after {protocol.name}, which is the last")
        value = data[position:end]
        if protocol.value:
            try:
                protocol.value.check(value)
            except INVALID_VALUE as error:
                raise WireError(f"multiaddr value of {protocol.name}: {error}") from None
        yield Component(protocol, value)
        position = end


def _read_components(parts: list[str]) -> Iterator[Component]:
    position = 0
    while position < len(parts):
        name = parts[position]
        protocol = BY_NAME.get(name)
        if protocol is None:
            raise WireError(f"multiaddr protocol {name[:64]!r} is not known here")
        position += 1
        if protocol.value is None:
            yield Component(protocol, b"")
            continue
        if position == len(parts):
            raise WireError(f"multiaddr ends where a value of {name} was expected")
        text = "/" + "/".join(parts[position:]) if protocol.is_path else parts[position]
        try:
            yield Component(protocol, protocol.value.from_text(text))
        except INVALID_VALUE as error:
            raise WireError(f"multiaddr value {text[:64]!r} of {name}: {error}") from None
        position = len(parts) if protocol.is_path else position + 1
