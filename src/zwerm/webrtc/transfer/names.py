"""Names of files as others write them, made into names that can do no harm here.

What comes out is one name: no folder, no hidden file, no control or direction mark that lies to whoever reads it,
nothing that Windows or another file system takes for something else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

MAX_BYTES: Final = 180  # of UTF-8: room for a number and `.part` within the 255 of file systems
NAMELESS: Final = "file"

_FORBIDDEN: Final = re.compile(r'[<>:"|?*]')
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return the name under which a file may be kept; a safe one is returned as it is, in normal form C."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    visible = "".join(character for character in last if unicodedata.category(character)[0] != "C")
    visible = "".join(" " if unicodedata.category(one) in ("Zl", "Zp", "Zs") else one for one in visible)
    plain = _FORBIDDEN.sub("_", visible).strip(" .")
    if _DEVICES.match(plain):
        plain = f"_{plain}"
    return _shortened(plain) or NAMELESS


def numbered(name: str) -> Iterator[str]:
    """The name, then `name (2).ext`, `name (3).ext` and so on: for when a file of that name is there."""
    yield name
    stem, extension = _split(name)
    number = 2
    while True:
        yield f"{stem} ({number}){extension}"
        number += 1


def part_name(name: str, sha256: bytes) -> str:
    """What the file is called until it is whole. Other content under the same name has another one."""
    return f"{name}.{sha256[:6].hex()}.part"


def _split(name: str) -> tuple[str, str]:
    """The stem, and the extension with its dot: what is after the last dot where that is short, with `.tar` before."""
    found = re.fullmatch(r"(.+?)((?:\.tar)?\.[^. ]{1,16})", name, re.DOTALL)
    return (found[1], found[2]) if found else (name, "")


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, extension = _split(name)
    room = MAX_BYTES - len(extension.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(" .") + extension
