"""A run of SDP lines that belong together: the session's, or one medium's. The lines are kept, records are views."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.sdp.line import Line, parse_line
from zwerm.webrtc.sdp.values import Connection, Direction, HeaderExtension, Setup, tokens

MAX_ICE_CREDENTIAL: Final = 256  # characters of ufrag and password, RFC 8839 section 5.4

T = TypeVar("T")


class Section:
    """Lines in order, with attributes to be looked up, put and taken away.

    What is read is read from the lines each time; nothing that is not understood is lost or moved. The accessors raise
    WireError where the text of a line is not what its document allows.
    """

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.lines: list[Line] = list(lines)
        self._by_name: dict[str, list[str]] | None = None  # while everything is read

    def __str__(self) -> str:
        return "".join(map(str, self.lines))

    # Lines and attributes as text.

    def find(self, kind: str) -> str | None:
        """The value of the first line of a letter; None where there is none."""
        return next((line.value for line in self.lines if line.type == kind), None)

    def attributes(self, name: str) -> list[str]:
        """The values of every attribute of that name, in order; a flag's is empty."""
        if self._by_name is not None:
            return self._by_name.get(name, [])
        start, skipped = f"{name}:", len(name) + 1  # a flag is no longer than its name
        return [
            value[skipped:]
            for kind, value, _ in self.lines
            if kind == "a" and (value.startswith(start) or value == name)
        ]

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name; None where there is none."""
        if self._by_name is not None:
            return next(iter(self._by_name.get(name, ())), None)
        start = f"{name}:"
        for kind, value, _ in self.lines:
            if kind == "a" and (value.startswith(start) or value == name):
                return value[len(start) :]
        return None

    def has(self, name: str) -> bool:
        """Whether there is such an attribute."""
        return self.attribute(name) is not None

    def add(self, kind: str, value: str) -> None:
        """Append a line.

        Raises:
            LocalProtocolError: it would not be one line.
        """
        try:
            line = parse_line(f"{kind}={value}")
        except WireError as error:
            raise LocalProtocolError(f"{kind}={value[:80]!r} is no line of SDP: {error}") from None
        self.lines.append(line)

    def add_attribute(self, name: str, value: object = "") -> None:
        """Append an attribute; with an empty value a flag."""
        text = str(value)
        self.add("a", f"{name}:{text}" if text else name)

    def remove_attributes(self, name: str) -> None:
        """Take away every attribute of that name."""
        self.lines = [line for line in self.lines if line.type != "a" or line.name != name]

    @contextlib.contextmanager
    def _indexed(self) -> Iterator[None]:
        """Find attributes by their name meanwhile, and not by walking all lines for each of forty."""
        self._by_name = {}
        for line in self.lines:
            if line.type == "a":
                self._by_name.setdefault(line.name, []).append(line.attribute_value)
        try:
            yield
        finally:
            self._by_name = None

    def _records(self, name: str, read: Callable[[str], T]) -> list[T]:
        return [read(value) for value in self.attributes(name)]

    # What both levels may have.

    @property
    def connection(self) -> Connection | None:
        value = self.find("c")
        return None if value is None else Connection.from_text(value)

    @property
    def direction(self) -> Direction | None:
        """The first of the four attributes; None where none is given."""
        names = {direction.value for direction in Direction}
        return next((Direction(line.name) for line in self.lines if line.name in names), None)

    @property
    def ice_ufrag(self) -> str | None:
        return self._credential("ice-ufrag")

    @property
    def ice_pwd(self) -> str | None:
        return self._credential("ice-pwd")

    def _credential(self, name: str) -> str | None:
        value = self.attribute(name)
        if value is not None and (len(value) > MAX_ICE_CREDENTIAL or not value):
            raise WireError(f"{name} of {len(value)} characters, expected 1 to {MAX_ICE_CREDENTIAL}")
        return value

    @property
    def ice_options(self) -> tuple[str, ...]:
        """Tokens after spaces (RFC 8839 section 5.6); libdatachannel puts commas between them."""
        values = [value.replace(",", " ") for value in self.attributes("ice-options")]
        return tuple(option for value in values for option in tokens(value, "ice-options"))

    @property
    def fingerprints(self) -> list[Fingerprint]:
        return self._records("fingerprint", Fingerprint.from_text)

    @property
    def setup(self) -> Setup | None:
        value = self.attribute("setup")
        if value is None:
            return None
        try:
            return Setup(value)
        except ValueError:
            raise WireError(f"setup {value[:40]!r}, expected active, passive, actpass or holdconn") from None

    @property
    def header_extensions(self) -> list[HeaderExtension]:
        return self._records("extmap", HeaderExtension.from_text)
