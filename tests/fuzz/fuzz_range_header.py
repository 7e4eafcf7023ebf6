"""A Range header or entity-bytes is ignored, or refused with WireError, or names bytes inside the body."""

import itertools

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.ranges import MAX_RANGES, EntityBytes, parse_range

SEEDS = [b"bytes=0-0,-1", b"bytes=5-", b"bytes=0-4,10-14, 20-", b"bytes=-0", b"0:*", b"-10:-1", b"5:3", b"items=0-1"]
_SIZES = (0, 1, 1_000, 2**40)


def fuzz(data: bytes) -> None:
    given = text(data)
    for size in _SIZES:
        ranges = parse_range(given, size)
        if ranges is not None:
            assert len(ranges) <= MAX_RANGES
            assert all(0 <= each.start < each.end <= size for each in ranges)
            assert all(before.end <= after.start for before, after in itertools.pairwise(sorted(ranges)))
    try:
        entity = EntityBytes.parse(given)
    except WireError:
        return
    for size in _SIZES:
        part = entity.resolve(size)
        assert 0 <= part.start <= part.end <= size
