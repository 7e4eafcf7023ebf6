"""RFC 9260 section 3: the common header, the checksum and the walk over chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.packet import (
    Chunk,
    Header,
    chunks,
    crc32c,
    has_right_checksum,
    has_zero_checksum,
    serialize,
)

HEADER = Header(5_000, 5_001, 0xDEADBEEF)


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720's check value


def test_a_packet_is_written_with_its_checksum_least_byte_first() -> None:
    packet = serialize(HEADER, [Chunk(10, 0, b"abc").serialize()])
    assert packet[:8] == bytes.fromhex("1388 1389 deadbeef")
    assert packet[8:12] == crc32c(packet[:8] + bytes(4) + packet[12:]).to_bytes(4, "little")
    assert packet[12:] == bytes.fromhex("0a 00 0007 616263 00")
    assert has_right_checksum(packet)
    assert Header.parse(packet) == HEADER


def test_any_changed_byte_is_noticed() -> None:
    packet = serialize(HEADER, [Chunk(10, 0, b"abc").serialize()])
    for index in range(len(packet)):
        changed = bytearray(packet)
        changed[index] ^= 0x40
        assert not has_right_checksum(bytes(changed))


def test_the_checksum_may_be_left_zero() -> None:
    packet = serialize(HEADER, [Chunk(10, 0, b"abc").serialize()], zero_checksum=True)
    assert has_zero_checksum(packet)
    assert not has_right_checksum(packet)


@pytest.mark.parametrize("size", range(16))
def test_less_than_a_header_and_a_chunk_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="expected at least 16"):
        Header.parse(bytes(size))


def test_the_padding_of_the_last_chunk_may_be_missing() -> None:
    assert list(chunks(bytes.fromhex("0a 00 0005 61 000000 0b 00 0005 62"), 0)) == [
        Chunk(10, 0, b"a"),
        Chunk(11, 0, b"b"),
    ]


@pytest.mark.parametrize("wire", ["0a 00 0003", "0a 00 0009 61626364", "0a 00 0004 0b"], ids=["short", "long", "rest"])
def test_a_length_that_cannot_be_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        list(chunks(bytes.fromhex(wire), 0))


@given(st.lists(st.builds(Chunk, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=50)), max_size=6))
def test_chunks_survive_a_packet(wanted: list[Chunk]) -> None:
    assert list(chunks(serialize(HEADER, [chunk.serialize() for chunk in wanted]))) == wanted
