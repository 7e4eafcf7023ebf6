"""INIT and INIT ACK: what each side brings into an association (RFC 9260 sections 3.3.2 and 3.3.3)."""

from __future__ import annotations

import dataclasses
import struct
from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks import parameter
from zwerm.webrtc.sctp.chunks.parameter import Parameter
from zwerm.webrtc.sctp.codes import (
    ERROR_DETECTION_DTLS,
    UNKNOWN_PARAMETER_REPORT,
    UNKNOWN_PARAMETER_SKIP,
    ChunkType,
    ParameterType,
)
from zwerm.webrtc.sctp.packet import Chunk

_LAYOUT: Final = struct.Struct("!IIHHI")
_METHOD: Final = struct.Struct("!I")
_KNOWN: Final = frozenset(ParameterType)


@dataclasses.dataclass(frozen=True, slots=True)
class Features:
    """The extensions one side offers."""

    partial_reliability: bool = False  # RFC 3758
    reconfiguration: bool = False  # RFC 6525
    interleaving: bool = False  # RFC 8260
    zero_checksum: bool = False  # RFC 9653, for DTLS

    def parameters(self) -> list[Parameter]:
        """How INIT and INIT ACK say so."""
        extensions = bytearray()
        parameters = []
        if self.reconfiguration:
            extensions.append(ChunkType.RE_CONFIG)
        if self.partial_reliability:
            extensions.append(ChunkType.FORWARD_TSN)
            parameters.append(Parameter(ParameterType.FORWARD_TSN_SUPPORTED, b""))
        if self.interleaving:
            extensions.append(ChunkType.I_DATA)
            if self.partial_reliability:
                extensions.append(ChunkType.I_FORWARD_TSN)
        parameters.append(Parameter(ParameterType.SUPPORTED_EXTENSIONS, bytes(extensions)))
        if self.zero_checksum:
            parameters.append(Parameter(ParameterType.ZERO_CHECKSUM_ACCEPTABLE, _METHOD.pack(ERROR_DETECTION_DTLS)))
        return parameters


@dataclasses.dataclass(frozen=True, slots=True)
class Init:
    """An INIT or INIT ACK, whichever its chunk said.

     0                 2                 4
    +-----------------------------------+
    |             initiate tag          |
    +-----------------------------------+
    |  advertised receiver window credit|
    +-----------------+-----------------+
    | outbound streams| inbound streams |
    +-----------------+-----------------+
    |             initial TSN           |
    +-----------------------------------+
    |  parameters ...
    """

    initiate_tag: int  # 1 to 2**32 - 1
    a_rwnd: int  # bytes
    outbound_streams: int  # 1 to 65,535
    inbound_streams: int  # 1 to 65,535
    initial_tsn: int
    parameters: tuple[Parameter, ...] = ()

    @classmethod
    def parse(cls, value: bytes) -> Init:
        """Read the value of an untrusted chunk.

        Raises:
            WireError: cut short, or a tag or number of streams that is zero.
        """
        if len(value) < _LAYOUT.size:
            raise WireError(f"INIT of {len(value)} bytes, expected at least {_LAYOUT.size}")
        tag, a_rwnd, outbound, inbound, tsn = _LAYOUT.unpack_from(value)
        if not (tag and outbound and inbound):
            raise WireError(f"INIT with tag {tag:#x}, {outbound} and {inbound} streams; none may be zero")
        return cls(tag, a_rwnd, outbound, inbound, tsn, tuple(parameter.parse(value[_LAYOUT.size :])))

    def serialize(self, kind: ChunkType) -> bytes:
        fixed = _LAYOUT.pack(
            self.initiate_tag, self.a_rwnd, self.outbound_streams, self.inbound_streams, self.initial_tsn
        )
        return Chunk(kind, 0, fixed + parameter.serialize(list(self.parameters))).serialize()

    @property
    def features(self) -> Features:
        """What this side offers. I-FORWARD-TSN is implied by I-DATA beside partial reliability."""
        extensions = self.find(ParameterType.SUPPORTED_EXTENSIONS) or b""
        methods = self.find(ParameterType.ZERO_CHECKSUM_ACCEPTABLE)
        return Features(
            partial_reliability=self.find(ParameterType.FORWARD_TSN_SUPPORTED) is not None
            or ChunkType.FORWARD_TSN in extensions,
            reconfiguration=ChunkType.RE_CONFIG in extensions,
            interleaving=ChunkType.I_DATA in extensions,
            zero_checksum=methods == _METHOD.pack(ERROR_DETECTION_DTLS),
        )

    @property
    def cookie(self) -> bytes | None:
        return self.find(ParameterType.STATE_COOKIE)

    def find(self, kind: ParameterType) -> bytes | None:
        """The value of the first parameter of that type."""
        return next((value for found, value in self.parameters if found == kind), None)

    def unrecognized(self) -> list[Parameter]:
        """The unknown parameters that ask to be reported, as far as the walk goes (section 3.2.1).

        One without the skip bit ends the walk: what follows it is not looked at.
        """
        reported = []
        for found in self.parameters:
            if found.type in _KNOWN:
                continue
            if found.type & UNKNOWN_PARAMETER_REPORT:
                reported.append(found)
            if not found.type & UNKNOWN_PARAMETER_SKIP:
                break
        return reported
