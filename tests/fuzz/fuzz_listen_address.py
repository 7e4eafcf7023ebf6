"""A listening address, a size or a duration is refused with LocalProtocolError, or its text reads the same."""

import contextlib

from tests.fuzz.inputs import text
from zwerm.core.errors import LocalProtocolError
from zwerm.node.address import Address
from zwerm.node.setting import parse_duration, parse_size

SEEDS = [
    b"127.0.0.1:5001",
    b"/ip4/127.0.0.1/tcp/5001",
    b"[::1]:0",
    b"/ip6/::1/tcp/1",
    b"localhost:8080",
    b"10GiB",
    b"1h30m",
    b"500MB",
    b"9" * 400,
    b"h:" + b"9" * 5_000,
]


def fuzz(data: bytes) -> None:
    given = text(data)
    try:
        address = Address.from_text(given)
        assert Address.from_text(str(address)) == address
        assert Address.from_text(address.multiaddr) == address
        assert 0 <= address.port <= 65_535
    except LocalProtocolError:
        pass
    for parse in (parse_size, parse_duration):
        with contextlib.suppress(LocalProtocolError):
            assert parse(given) >= 0
