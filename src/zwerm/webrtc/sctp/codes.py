"""The numbers of SCTP: chunks, parameters, error causes and results, each with the document it comes from."""

from __future__ import annotations

import enum
from typing import Final

TSN_MASK: Final = 0xFFFFFFFF


class ChunkType(enum.IntEnum):
    """What a chunk is. The two highest bits say what to do with an unknown one (RFC 9260 section 3.2)."""

    DATA = 0
    INIT = 1
    INIT_ACK = 2
    SACK = 3
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN = 7
    SHUTDOWN_ACK = 8
    ERROR = 9
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14
    I_DATA = 64  # RFC 8260
    RE_CONFIG = 130  # RFC 6525
    PAD = 132  # RFC 4820
    FORWARD_TSN = 192  # RFC 3758
    I_FORWARD_TSN = 194  # RFC 8260


UNKNOWN_REPORT: Final = 0x40  # bit of an unknown chunk type: report it in an ERROR
UNKNOWN_SKIP: Final = 0x80  # bit of an unknown chunk type: go on with the next; else drop the rest of the packet


class ParameterType(enum.IntEnum):
    """A parameter of INIT, INIT ACK or RE-CONFIG. The two highest bits are as in chunk types."""

    HEARTBEAT_INFO = 1
    IPV4_ADDRESS = 5
    IPV6_ADDRESS = 6
    STATE_COOKIE = 7
    UNRECOGNIZED = 8
    COOKIE_PRESERVATIVE = 9
    HOST_NAME = 11
    SUPPORTED_ADDRESS_TYPES = 12
    OUTGOING_RESET_REQUEST = 13  # this and the next five: RFC 6525
    INCOMING_RESET_REQUEST = 14
    ASSOCIATION_RESET_REQUEST = 15
    RECONFIGURATION_RESPONSE = 16
    ADD_OUTGOING_STREAMS = 17
    ADD_INCOMING_STREAMS = 18
    ZERO_CHECKSUM_ACCEPTABLE = 0x8001  # RFC 9653
    SUPPORTED_EXTENSIONS = 0x8008  # RFC 5061
    FORWARD_TSN_SUPPORTED = 0xC000  # RFC 3758


UNKNOWN_PARAMETER_REPORT: Final = 0x4000
UNKNOWN_PARAMETER_SKIP: Final = 0x8000

ERROR_DETECTION_DTLS: Final = 1  # RFC 9653 section 9: SCTP over DTLS stands in for the checksum


class Cause(enum.IntEnum):
    """Why an ABORT or ERROR was sent (RFC 9260 section 3.3.10)."""

    INVALID_STREAM = 1
    MISSING_PARAMETER = 2
    STALE_COOKIE = 3
    OUT_OF_RESOURCE = 4
    UNRESOLVABLE_ADDRESS = 5
    UNRECOGNIZED_CHUNK = 6
    INVALID_PARAMETER = 7
    UNRECOGNIZED_PARAMETERS = 8
    NO_USER_DATA = 9
    COOKIE_WHILE_SHUTTING_DOWN = 10
    RESTART_WITH_NEW_ADDRESSES = 11
    USER_INITIATED = 12
    PROTOCOL_VIOLATION = 13


class ReconfigResult(enum.IntEnum):
    """What became of a re-configuration request (RFC 6525 section 4.4)."""

    NOTHING_TO_DO = 0
    PERFORMED = 1
    DENIED = 2
    WRONG_SSN = 3
    ALREADY_IN_PROGRESS = 4
    BAD_SEQUENCE_NUMBER = 5
    IN_PROGRESS = 6


BEGIN: Final = 0x02  # flags of DATA and I-DATA
END: Final = 0x01
UNORDERED: Final = 0x04
IMMEDIATE: Final = 0x08  # RFC 7053: acknowledge at once

TAG_REFLECTED: Final = 0x01  # T bit of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own (section 8.5.1)
