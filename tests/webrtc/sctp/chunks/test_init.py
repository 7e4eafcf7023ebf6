"""RFC 9260 sections 3.3.2 and 3.3.3: what each side brings."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.init import Features, Init
from zwerm.webrtc.sctp.chunks.parameter import MAX_PARAMETERS, Parameter
from zwerm.webrtc.sctp.codes import ChunkType, ParameterType

FIXED = "00000001 00020000 0400 0800 12345678"
ALL = Features(partial_reliability=True, reconfiguration=True, interleaving=True, zero_checksum=True)


def test_the_fixed_part() -> None:
    init = Init.parse(bytes.fromhex(FIXED))
    assert init == Init(1, 131_072, 1_024, 2_048, 0x12345678)
    assert init.serialize(ChunkType.INIT) == bytes.fromhex("01 00 0014" + FIXED)
    assert init.features == Features()


def test_features_are_told_by_parameters() -> None:
    init = Init(1, 1, 1, 1, 1, tuple(ALL.parameters()))
    assert Init.parse(init.serialize(ChunkType.INIT_ACK)[4:]).features == ALL
    assert Parameter(ParameterType.ZERO_CHECKSUM_ACCEPTABLE, bytes.fromhex("00000001")) in init.parameters


def test_another_way_to_detect_errors_is_no_zero_checksum_for_dtls() -> None:
    init = Init(1, 1, 1, 1, 1, (Parameter(ParameterType.ZERO_CHECKSUM_ACCEPTABLE, bytes.fromhex("00000002")),))
    assert not init.features.zero_checksum


@pytest.mark.parametrize("size", range(16))
def test_an_init_cut_short_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="INIT of"):
        Init.parse(bytes.fromhex(FIXED)[:size])


@pytest.mark.parametrize("zero", [slice(0, 4), slice(8, 10), slice(10, 12)], ids=["tag", "outbound", "inbound"])
def test_nothing_that_must_not_be_zero_is(zero: slice) -> None:
    wire = bytearray(bytes.fromhex(FIXED))
    wire[zero] = bytes(zero.stop - zero.start)
    with pytest.raises(WireError, match="none may be zero"):
        Init.parse(bytes(wire))


def test_unknown_parameters_are_reported_as_their_bits_say() -> None:
    skip, report, stop = Parameter(0x9999, b""), Parameter(0xD999, b"x"), Parameter(0x4999, b"y")
    init = Init(1, 1, 1, 1, 1, (skip, report, stop, Parameter(0xDAAA, b"behind the one that stops")))
    assert init.unrecognized() == [report, stop]


def test_a_flood_of_parameters_is_refused() -> None:
    with pytest.raises(WireError, match="more than"):
        Init.parse(bytes.fromhex(FIXED) + bytes.fromhex("80000004") * (MAX_PARAMETERS + 1))
