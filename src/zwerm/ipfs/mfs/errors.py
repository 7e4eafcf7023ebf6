"""What can be wrong with a path of the mutable file system. The sentences are Kubo's where it has one."""

from __future__ import annotations

from zwerm.core.errors import LocalProtocolError, NotFoundError
from zwerm.ipfs.unixfs.errors import NotADirectory, NotAFile

__all__ = ["BadPath", "FileExists", "FileMissing", "IsADirectory", "NotADirectory", "NotAFile"]


class BadPath(LocalProtocolError):
    """The text is no path here: not absolute, or a name in it that no file may have."""


class FileMissing(NotFoundError):
    """Nothing has that path."""

    def __init__(self, message: str = "file does not exist") -> None:
        super().__init__(message)


class FileExists(LocalProtocolError):
    """Something has that path already."""


class IsADirectory(LocalProtocolError):
    """A directory stands where this works on files only."""
