"""A message of AutoNAT, either version, is refused with WireError, or what is written of it reads the same."""

from zwerm.core.errors import WireError
from zwerm.libp2p.autonat.first_version import Status, parse_dial, parse_response, serialize_dial, serialize_response
from zwerm.libp2p.autonat.message import (
    DialDataRequest,
    DialDataResponse,
    DialRequest,
    DialResponse,
    DialStatus,
    ResponseStatus,
    parse_message,
    serialize_message,
)

SEEDS = [
    serialize_message(DialRequest((b"\x04\xc0\x00\x02\x01\x06\x0f\xa1",), 2**63)),
    serialize_message(DialResponse(ResponseStatus.OK, 1, DialStatus.E_DIAL_ERROR)),
    serialize_message(DialDataRequest(0, 30_000)),
    serialize_message(DialDataResponse(bytes(40))),
    serialize_dial(b"\x00\x01a", (b"\x04\xc0\x00\x02\x01\x06\x0f\xa1",)),
    serialize_response(Status.E_DIAL_ERROR, "no address led to you"),
]


def fuzz(data: bytes) -> None:
    try:
        message = parse_message(data)
    except WireError:
        pass
    else:
        assert parse_message(serialize_message(message)) == message
    try:
        asked = parse_dial(data)
    except WireError:
        pass
    else:
        assert parse_dial(serialize_dial(*asked)) == asked
    try:
        status, address = parse_response(data)
    except WireError:
        return
    assert parse_response(serialize_response(status, address=address)) == (status, address)
