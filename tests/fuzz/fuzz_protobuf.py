"""A protobuf message is refused with WireError, or its fields, written again, read the same."""

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field

SEEDS = [bytes.fromhex(wire) for wire in ("089601", "120774657374696e67", "2d01020000", "31ff00000000000000", "0a00")]


def fuzz(data: bytes) -> None:
    try:
        fields = list(parse_fields(data))
    except WireError:
        return
    assert list(parse_fields(b"".join(serialize_field(*field) for field in fields))) == fields
