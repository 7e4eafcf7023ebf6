"""Misuse of the objects, by the names of the W3C (Web IDL section 2.8.1); all are `LocalProtocolError`."""

from __future__ import annotations

from zwerm.core.errors import LocalProtocolError


class InvalidStateError(LocalProtocolError):
    """The object is in a state that does not allow this."""


class InvalidAccessError(LocalProtocolError):
    """The object does not support this with these arguments."""


class InvalidModificationError(LocalProtocolError):
    """It cannot be changed in this way."""


class NotSupportedError(LocalProtocolError):
    """The operation is not there, or not yet."""


class OperationError(LocalProtocolError):
    """It failed for a reason of its own, which the message tells."""


class RTCTypeError(LocalProtocolError, TypeError):
    """An argument is not what it must be; the TypeError of JavaScript."""


class RTCSyntaxError(LocalProtocolError):
    """A URL is malformed; the SyntaxError of the W3C."""


class RTCRangeError(LocalProtocolError, ValueError):
    """A number is out of its range; the RangeError of JavaScript."""
