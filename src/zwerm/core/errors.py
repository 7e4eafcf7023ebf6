"""The error tree: every exception of zwerm says whose fault it is.

A caller who catches `ZwermError` has caught everything that is not a bug of ours. What a peer or a file can cause is
under `RemoteProtocolError`; what the caller did wrong is under `LocalProtocolError`.
"""

from __future__ import annotations


class ZwermError(Exception):
    """Anything zwerm raises on purpose. The message is one line a person can act on."""


class LocalProtocolError(ZwermError):
    """We were called wrongly: an argument, an order of calls, a state that does not allow it."""


class RemoteProtocolError(ZwermError):
    """The other side, or the bytes it gave us, are wrong."""


class WireError(RemoteProtocolError, ValueError):
    """Bytes that a format does not allow. Parsers of untrusted bytes raise this and nothing else."""


class ResourceLimitError(ZwermError):
    """A named limit would be exceeded; nothing was changed."""


class TransportError(ZwermError):
    """The way to the other side failed: refused, reset, unreachable, timed out."""


class StorageError(ZwermError):
    """The disk, or what lies on it, failed us: no space, no permission, damage."""


class DiskFull(StorageError):
    """The disk has no room, or none that this user may take. What was acknowledged is kept."""


class NotFoundError(ZwermError, LookupError):
    """What was asked for is not here."""
