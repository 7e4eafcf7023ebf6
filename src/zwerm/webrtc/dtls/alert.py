"""Alerts (RFC 5246 section 7.2): two bytes by which a peer says that it ends, and why."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError


class AlertLevel(enum.IntEnum):
    """How bad it is."""

    WARNING = 1
    FATAL = 2


class AlertDescription(enum.IntEnum):
    """Why; the IANA registry "TLS Alerts" as far as TLS 1.2 uses it."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    CERTIFICATE_REQUIRED = 116


_KNOWN: Final = {int(description): description for description in AlertDescription}


class Alert(NamedTuple):
    """One alert."""

    level: AlertLevel
    description: int  # an AlertDescription where we know it

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an alert.

        Raises:
            WireError: not two bytes, or a level that does not exist.
        """
        if len(data) != 2 or data[0] not in (1, 2):
            raise WireError(f"alert {data[:8].hex()}, expected a level of 1 or 2 and a description")
        return cls(AlertLevel(data[0]), _KNOWN.get(data[1], data[1]))

    def serialize(self) -> bytes:
        return bytes(self)

    def __str__(self) -> str:
        known = _KNOWN.get(self.description)
        return f"alert {self.description}" if known is None else known.name.lower()


CLOSE_NOTIFY: Final = Alert(AlertLevel.WARNING, AlertDescription.CLOSE_NOTIFY)
