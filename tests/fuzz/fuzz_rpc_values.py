"""A value of an RPC option is refused with UsageError or ValueError, or it is of its kind."""

from tests.fuzz.inputs import text
from zwerm.daemon.http.security import host_name, is_known_host, is_loopback_peer
from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.values import parse_bool, parse_duration, parse_int, parse_unsigned

SEEDS = [
    b"true",
    b"0",
    b"0x1f",
    b"-017",
    b"1h15m30.5s",
    b"300ms",
    b"1_000",
    b"localhost:5001",
    b"[::1]:5001",
    b"evil.example",
]


def fuzz(data: bytes) -> None:
    given = text(data)
    for parse, kind in ((parse_bool, bool), (parse_int, int), (parse_unsigned, int), (parse_duration, float)):
        try:
            value = parse(given)
        except (UsageError, ValueError):
            continue
        assert isinstance(value, kind)
        assert parse is parse_int or value >= 0
    host_name(given)
    is_loopback_peer(given)
    assert isinstance(is_known_host(given, ()), bool)
