"""The lines of SDP (RFC 8866 section 5): a letter, "=" and a value, each kept with the line ending it came with.

Strict where a description could do harm: sizes, control characters, what is no line at all. Lenient where senders
differ: line endings, blank lines at the end, letters and values that nobody knows.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

MAX_SIZE: Final = 1_048_576  # characters of a description; browsers with every codec and 50 tracks write 200,000
MAX_LINE: Final = 32_768  # characters
MAX_LINES: Final = 20_000
CRLF: Final = "\r\n"

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]"
)  # and lone surrogates that are no bytes


class Line(NamedTuple):
    """One line. `str` gives back what was read."""

    type: str  # one letter; empty for a blank line
    value: str
    ending: str = CRLF  # CRLF, LF, or nothing where the input ended without

    def __str__(self) -> str:
        return f"{self.type}={self.value}{self.ending}" if self.type else self.ending

    @property
    def name(self) -> str:
        """Of an attribute: what stands before the colon; empty for other lines."""
        return self.value.partition(":")[0] if self.type == "a" else ""

    @property
    def attribute_value(self) -> str:
        """Of an attribute: what stands after the colon; empty for a flag."""
        return self.value.partition(":")[2]


def parse_lines(text: str) -> list[Line]:
    """Cut untrusted text into lines.

    Raises:
        WireError: too long, a control character, or a line that is not a letter, "=" and a value.
    """
    if len(text) > MAX_SIZE:
        raise WireError(f"SDP of {len(text)} characters, the limit is {MAX_SIZE}")
    lines: list[Line] = []
    for raw in text.split("\n"):
        if len(lines) > MAX_LINES:
            raise WireError(f"SDP of more than {MAX_LINES} lines")
        content, ending = (raw[:-1], "\r\n") if raw.endswith("\r") else (raw, "\n")
        lines.append(parse_line(content, ending, len(lines) + 1) if content else Line("", "", ending))
    last = lines.pop()  # `split` gives one piece more than there are line feeds
    if last.type:
        lines.append(last._replace(ending="\r" if last.ending == "\r\n" else ""))
    elif last.ending == "\r\n":
        raise WireError("SDP that ends in a lone carriage return")
    return lines


def parse_line(content: str, ending: str = CRLF, number: int = 1) -> Line:
    """Read one untrusted line, without what ends it; `number` is for the message.

    Raises:
        WireError: too long, a control character, or not a letter, "=" and a value.
    """
    if len(content) > MAX_LINE:
        raise WireError(f"SDP line {number} of {len(content)} characters, the limit is {MAX_LINE}")
    if _CONTROL.search(content):
        raise WireError(f"SDP line {number} holds a control character: {content[:80]!r}")
    if len(content) < 2 or content[1] != "=" or not ("a" <= content[0] <= "z"):
        raise WireError(f"SDP line {number} is {content[:80]!r}, expected a letter, an equals sign and a value")
    return Line(content[0], content[2:], ending)
