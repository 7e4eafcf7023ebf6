"""RFC 9260 section 3.3.1 and RFC 8260 section 2.1: fragments as they stand in a packet."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.data import Data, IData
from zwerm.webrtc.sctp.codes import BEGIN, END, UNORDERED
from zwerm.webrtc.sctp.packet import Chunk, chunks

DATA = "00 03 0015 00000001 0002 0003 00000033 68656c6c6f 000000"
FIRST = "40 06 0016 fffffffe 0007 0000 00000009 00000035 6162 0000"
LATER = "40 05 0016 ffffffff 0007 0000 00000009 00000001 6364 0000"


def only(wire: str) -> Chunk:
    [chunk] = chunks(bytes.fromhex(wire), 0)
    return chunk


def test_data_is_read_and_written() -> None:
    chunk = only(DATA)
    data = Data.parse(chunk.flags, chunk.value)
    assert data == Data(BEGIN | END, 1, 2, 3, 51, b"hello")
    assert data.serialize() == bytes.fromhex(DATA)


def test_the_first_fragment_of_i_data_carries_the_ppid() -> None:
    chunk = only(FIRST)
    data = IData.parse(chunk.flags, chunk.value)
    assert data == IData(BEGIN | UNORDERED, 0xFFFFFFFE, 7, 9, 53, 0, b"ab")
    assert data.serialize() == bytes.fromhex(FIRST)


def test_a_later_fragment_of_i_data_carries_its_number() -> None:
    chunk = only(LATER)
    data = IData.parse(chunk.flags, chunk.value)
    assert data == IData(END | UNORDERED, 0xFFFFFFFF, 7, 9, 0, 1, b"cd")
    assert data.serialize() == bytes.fromhex(LATER)


@pytest.mark.parametrize("size", range(13))
def test_data_without_payload_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="DATA"):
        Data.parse(0, bytes(size))


@pytest.mark.parametrize("size", range(17))
def test_i_data_without_payload_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="I-DATA"):
        IData.parse(0, bytes(size))
