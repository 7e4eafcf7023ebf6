"""RE-CONFIG: streams reset and added while the association lives (RFC 6525 sections 3 and 4)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, TypeAlias

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks import parameter
from zwerm.webrtc.sctp.chunks.parameter import Parameter
from zwerm.webrtc.sctp.codes import ChunkType, ParameterType
from zwerm.webrtc.sctp.packet import Chunk

MAX_PARAMETERS: Final = 2  # section 3.1 allows no combination of more


class OutgoingReset(NamedTuple):
    """The sender asks that its outgoing streams start anew; none listed means all."""

    request_number: int
    response_number: int  # of the incoming request that this one follows, or the last one seen
    last_tsn: int  # the last the sender assigned before
    streams: tuple[int, ...] = ()


class IncomingReset(NamedTuple):
    """The sender asks that the receiver reset its outgoing streams; none listed means all."""

    request_number: int
    streams: tuple[int, ...] = ()


class AssociationReset(NamedTuple):
    """The sender asks that all SSNs and TSNs start anew."""

    request_number: int


class AddStreams(NamedTuple):
    """The sender asks for more streams: its outgoing ones, or the receiver's."""

    request_number: int
    streams: int
    is_outgoing: bool  # as the sender of the request sees it


class Response(NamedTuple):
    """What became of the request of that number."""

    response_number: int
    result: int  # ReconfigResult
    next_tsns: tuple[int, int] | None = None  # after an association reset: the sender's and the receiver's


Request: TypeAlias = OutgoingReset | IncomingReset | AssociationReset | AddStreams


def parse(value: bytes) -> list[Request | Response]:
    """Read the value of an untrusted RE-CONFIG chunk.

    Raises:
        WireError: no or too many parameters, one that is cut short, or one that does not belong here.
    """
    found = parameter.parse(value)
    if not 1 <= len(found) <= MAX_PARAMETERS:
        raise WireError(f"RE-CONFIG with {len(found)} parameters, expected 1 or 2")
    try:
        return [_parse_parameter(kind, body) for kind, body in found]
    except struct.error:
        raise WireError(f"RE-CONFIG parameter cut short: {[len(body) for _, body in found]} bytes") from None


def _parse_parameter(kind: int, body: bytes) -> Request | Response:
    match kind:
        case ParameterType.OUTGOING_RESET_REQUEST:
            request, response, last_tsn = struct.unpack_from("!III", body)
            return OutgoingReset(request, response, last_tsn, _streams(body[12:]))
        case ParameterType.INCOMING_RESET_REQUEST:
            (request,) = struct.unpack_from("!I", body)
            return IncomingReset(request, _streams(body[4:]))
        case ParameterType.ASSOCIATION_RESET_REQUEST:
            return AssociationReset(*struct.unpack("!I", body))
        case ParameterType.RECONFIGURATION_RESPONSE:
            if len(body) == 16:
                number, result, theirs, ours = struct.unpack("!IIII", body)
                return Response(number, result, (theirs, ours))
            return Response(*struct.unpack("!II", body))
        case ParameterType.ADD_OUTGOING_STREAMS | ParameterType.ADD_INCOMING_STREAMS:
            number, streams, _ = struct.unpack("!IHH", body)
            return AddStreams(number, streams, kind == ParameterType.ADD_OUTGOING_STREAMS)
        case _:
            raise WireError(f"parameter {kind:#06x} in a RE-CONFIG chunk")


def _streams(body: bytes) -> tuple[int, ...]:
    if len(body) % 2:
        raise WireError(f"list of streams of {len(body)} bytes, expected pairs")
    return struct.unpack(f"!{len(body) // 2}H", body)


def serialize(*parameters: Request | Response) -> bytes:
    """One chunk of one or two parameters."""
    return Chunk(ChunkType.RE_CONFIG, 0, parameter.serialize([_parameter(one) for one in parameters])).serialize()


def _parameter(one: Request | Response) -> Parameter:
    match one:
        case OutgoingReset(request, response, last_tsn, streams):
            body = struct.pack(f"!III{len(streams)}H", request, response, last_tsn, *streams)
            return Parameter(ParameterType.OUTGOING_RESET_REQUEST, body)
        case IncomingReset(request, streams):
            return Parameter(ParameterType.INCOMING_RESET_REQUEST, struct.pack(f"!I{len(streams)}H", request, *streams))
        case AssociationReset(request):
            return Parameter(ParameterType.ASSOCIATION_RESET_REQUEST, struct.pack("!I", request))
        case AddStreams(request, streams, is_outgoing):
            kind = ParameterType.ADD_OUTGOING_STREAMS if is_outgoing else ParameterType.ADD_INCOMING_STREAMS
            return Parameter(kind, struct.pack("!IHH", request, streams, 0))
        case Response(number, result, next_tsns):
            body = struct.pack("!II", number, result) + (struct.pack("!II", *next_tsns) if next_tsns else b"")
            return Parameter(ParameterType.RECONFIGURATION_RESPONSE, body)
