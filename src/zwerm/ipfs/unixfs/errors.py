"""What can be wrong with a UnixFS path or node that is well-formed in itself."""

from __future__ import annotations

from zwerm.core.errors import LocalProtocolError, StorageError


class NotUnixFS(LocalProtocolError):
    """The block is no UnixFS node: another codec, or a kind that is no file, directory or symlink."""


class NotAFile(LocalProtocolError):
    """A file was asked for, and this is a directory or a symlink."""


class NotADirectory(LocalProtocolError):
    """A directory was asked for, and this is something else."""


class ImportFailed(StorageError):
    """Something on the disk could not be added: it names the path and says why."""


class FileChanged(ImportFailed):
    """A file changed while it was read, and again when it was read a second time."""


class ExportFailed(StorageError):
    """Something could not be written to the disk: it names the path and says why."""
