"""A varint is refused with WireError, or it is the only form of its value."""

from zwerm.core.errors import WireError
from zwerm.multiformats import varint

SEEDS = [bytes.fromhex(wire) for wire in ("00", "7f", "8001", "ac02", "ffffffffffffffff7f", "8100", "80" * 10)]


def fuzz(data: bytes) -> None:
    try:
        value, end = varint.parse_prefix(data)
    except WireError:
        return
    assert varint.serialize(value) == data[:end]
