"""libp2p specs, "yamux/README.md", "Framing": the twelve bytes before everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.libp2p.yamux.frame import Flag, FrameType, parse_header_untrusted, serialize_header


@pytest.mark.parametrize(
    ("header", "wire"),
    [
        ((FrameType.WINDOW_UPDATE, Flag.SYN, 1, 262_144), "00 01 0001 00000001 00040000"),
        ((FrameType.DATA, Flag.ACK | Flag.FIN, 2**32 - 1, 2**32 - 1), "00 00 0006 ffffffff ffffffff"),
        ((FrameType.PING, Flag.SYN, 0, 7), "00 02 0001 00000000 00000007"),
        ((FrameType.GO_AWAY, 0, 0, 0), "00 03 0000 00000000 00000000"),
    ],
    ids=["open a stream", "the largest", "ping", "leave cleanly"],
)
def test_header_vectors(header: tuple[int, int, int, int], wire: str) -> None:
    assert serialize_header(*header) == bytes.fromhex(wire)
    assert parse_header_untrusted(b"xx" + bytes.fromhex(wire), 2) == header


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("01 00 0000 00000001 00000000", "yamux version 1, expected 0"),
        ("00 04 0000 00000001 00000000", "yamux frame type 4, flags 0x0000"),
        ("00 00 0010 00000001 00000000", "yamux frame type 0, flags 0x0010"),
    ],
    ids=["version", "type", "flags"],
)
def test_what_we_do_not_know_is_refused(wire: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        parse_header_untrusted(bytes.fromhex(wire))


@given(st.binary(min_size=12, max_size=12))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        header = parse_header_untrusted(data)
    except WireError:
        return
    assert serialize_header(*header) == data
