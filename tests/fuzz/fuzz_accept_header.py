"""An Accept header never fails: it gives a wish, and a `format` that is no format is refused with WireError."""

import contextlib

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.formats import Format, negotiate, parse_accept

SEEDS = [
    b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    b"application/vnd.ipld.car;version=1;order=dfs;dups=y",
    b'application/vnd.ipld.raw; q="0.5"',
    b"car",
    b"application/json;q=nan, text/html;q=1e9",
]


def fuzz(data: bytes) -> None:
    given = text(data)
    qualities = [element.quality for element in parse_accept(given)]
    assert qualities == sorted(qualities, reverse=True)
    assert all(0 < quality <= 1 for quality in qualities)
    assert negotiate(None, given).format in {None, *Format}
    with contextlib.suppress(WireError):
        assert negotiate(given, given).format in Format
