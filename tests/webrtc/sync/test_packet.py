"""The two packets: vectors, limits, and anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.webrtc.sync.packet import MAX_INPUT_SIZE, MAX_INPUTS, InputsPacket, SnapshotPacket

SNAPSHOT = SnapshotPacket(258, 7, 3, 9, b"\xab")
INPUTS = InputsPacket(258, 0b101, 4, (b"ab", b"cd"))


def test_vectors() -> None:
    assert SNAPSHOT.serialize() == bytes.fromhex("01 00000102 00000007 03 00000009 ab")
    assert INPUTS.serialize() == bytes.fromhex("02 00000102 00000005 00000004 02 02 6162 6364")
    assert SnapshotPacket.parse(SNAPSHOT.serialize()) == SNAPSHOT
    assert InputsPacket.parse(INPUTS.serialize()) == INPUTS
    assert InputsPacket.parse(InputsPacket(0, 0, 0, ()).serialize()) == InputsPacket(0, 0, 0, ())


@given(st.binary(max_size=80))
def test_untrusted_bytes_are_read_or_refused(data: bytes) -> None:
    for kind in (SnapshotPacket, InputsPacket):
        for start in (b"", b"\1", b"\2"):
            try:
                packet = kind.parse(start + data)
            except WireError:
                continue
            assert packet.serialize() == start + data


def test_acknowledgements_name_the_newest_first() -> None:
    assert INPUTS.acknowledged() == [258, 257, 255]
    assert InputsPacket(2, 0xFFFFFFFF, 0, ()).acknowledged() == [2, 1]
    assert InputsPacket(0, 0xFFFFFFFF, 0, ()).acknowledged() == []


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("01 00000000 00000007 00 00000009"),
        bytes.fromhex("01 00000003 00000007 03 00000009"),
        bytes.fromhex("03 00000102 00000007 03 00000009"),
    ],
    ids=["no sequence", "base before the first", "type"],
)
def test_snapshots_that_cannot_be_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        SnapshotPacket.parse(data)


@pytest.mark.parametrize(
    "packet",
    [
        InputsPacket(1, 0, 1, (b"x",) * (MAX_INPUTS + 1)),
        InputsPacket(1, 0, 1, (b"x" * (MAX_INPUT_SIZE + 1),)),
        InputsPacket(1, 0, (1 << 32) - 1, (b"x", b"y")),
        InputsPacket(1, 0, 0, (b"x",)),
        InputsPacket(1, 0, 1, ()),
        InputsPacket(1, 0, 1, (b"",)),
    ],
    ids=["many", "large", "beyond the last", "before the first", "numbered nothing", "empty"],
)
def test_inputs_beyond_the_limits_are_refused(packet: InputsPacket) -> None:
    with pytest.raises(WireError):
        InputsPacket.parse(packet.serialize())


def test_inputs_of_the_largest_size_are_read_and_cut_short_they_are_not() -> None:
    packet = InputsPacket(1, 0, 1, (b"x" * MAX_INPUT_SIZE,) * MAX_INPUTS)
    assert InputsPacket.parse(packet.serialize()) == packet
    with pytest.raises(WireError):
        InputsPacket.parse(packet.serialize()[:-1])
