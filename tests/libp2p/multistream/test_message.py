"""libp2p specs, "connections/README.md", section "multistream-select": a length, a line, a newline."""

import pytest

from zwerm.core.errors import WireError
from zwerm.libp2p.multistream.message import MAX_LINE, parse_prefix, serialize


def test_the_message_of_the_specification() -> None:
    assert serialize("na") == bytes.fromhex("036e610a")
    assert parse_prefix(bytes.fromhex("036e610a")) == ("na", 4)


@pytest.mark.parametrize("size", [1, 126, 127, 128, MAX_LINE - 1])
def test_a_line_comes_back_and_every_part_of_it_is_too_little(size: int) -> None:
    wire = serialize("x" * size)
    assert parse_prefix(b"??" + wire + b"more", 2) == ("x" * size, 2 + len(wire))
    assert all(parse_prefix(wire[:end]) is None for end in range(len(wire)))


@pytest.mark.parametrize(
    "wire",
    [b"\x00", b"\x02ab", b"\x80\x00", b"\x81\x08", b"\xff\xff\xff", b"\x03\xff\xfe\n", serialize("x" * MAX_LINE)],
    ids=["empty", "no newline", "not minimal", "1,025 bytes", "a length without end", "not UTF-8", "too long"],
)
def test_what_is_no_line_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        parse_prefix(wire)
