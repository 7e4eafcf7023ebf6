"""Paths of the mutable file system: absolute, cleaned as Kubo cleans them (Go's `path.Clean`).

`.` and `..` are taken away in the text before anything is looked up, several slashes count as one, and one at the end
says "a directory": `cp FILE /a/` puts FILE into /a. Kubo sets no limit on names. Here a *new* name is valid UTF-8 of
at most 255 bytes without NUL, as every file system under a mount demands; names that came in with content of others
are listed, read, moved and removed whatever they are.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.ipfs.mfs.errors import BadPath

MAX_NAME: Final = 255  # bytes; NAME_MAX of Linux
MAX_PATH: Final = 32_768  # characters
MAX_SEGMENTS: Final = 1_024


class FilePath(NamedTuple):
    """A cleaned path. `str()` gives its text, with the slash at the end if it had one."""

    segments: tuple[str, ...] = ()
    directory: bool = False  # the text ended with a slash

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the path a caller gave.

        Raises:
            BadPath: empty, not absolute, no text that bytes can carry, or beyond the limits.
        """
        if not text:
            raise BadPath("paths must not be empty")
        if text[0] != "/":
            raise BadPath("paths must start with a leading slash")
        if len(text) > MAX_PATH:
            raise BadPath(f"path of {len(text)} characters, expected at most {MAX_PATH}")
        try:
            text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise BadPath(f"path {text[:64]!r} is no text that bytes can carry") from None
        segments: list[str] = []
        for segment in text.split("/"):
            if segment == "..":
                del segments[-1:]
            elif segment not in ("", "."):
                segments.append(segment)
        if len(segments) > MAX_SEGMENTS:
            raise BadPath(f"path of {len(segments)} names, expected at most {MAX_SEGMENTS}")
        return cls(tuple(segments), text[-1] == "/" and bool(segments))

    @property
    def name(self) -> str:
        """The last name; empty for the root."""
        return self.segments[-1] if self.segments else ""

    @property
    def parent(self) -> FilePath:
        """The directory it is in; the root's is the root."""
        return FilePath(self.segments[:-1])

    def child(self, name: str) -> FilePath:
        return FilePath((*self.segments, name))

    def contains(self, other: FilePath) -> bool:
        """Whether `other` is this path or lies below it."""
        return other.segments[: len(self.segments)] == self.segments

    def __str__(self) -> str:
        return "/" + "/".join(self.segments) + ("/" if self.directory else "")


def check_name(name: str) -> None:
    """Refuse a name that no new file may have.

    Raises:
        BadPath: it says what is wrong with it.
    """
    try:
        size = len(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise BadPath(f"the name {name[:64]!r} is no text that bytes can carry") from None
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise BadPath(f"{name[:64]!r} cannot be the name of a file")
    if size > MAX_NAME:
        raise BadPath(f"the name {name[:32]!r}... has {size} bytes, expected at most {MAX_NAME}")
