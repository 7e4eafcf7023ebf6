"""RFC 9260 section 3.3.4: what a SACK says."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.sack import Sack

# The example of the RFC: up to 12 acknowledged, 14 and 15 and 17 arrived; 10 came twice.
WIRE = "03 00 001c 0000000c 00001240 0002 0001 0002 0003 0005 0005 0000000a"
EXAMPLE = Sack(12, 4_672, ((2, 3), (5, 5)), (10,))


def test_the_example_of_the_rfc() -> None:
    assert EXAMPLE.serialize() == bytes.fromhex(WIRE)
    assert Sack.parse(bytes.fromhex(WIRE)[4:]) == EXAMPLE


def test_a_sack_without_blocks() -> None:
    sack = Sack(0xFFFFFFFF, 16_777_216)
    assert sack.serialize() == bytes.fromhex("03 00 0010 ffffffff 01000000 0000 0000")
    assert Sack.parse(sack.serialize()[4:]) == sack


@pytest.mark.parametrize("size", range(24))
def test_a_sack_cut_short_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="SACK"):
        Sack.parse(bytes.fromhex(WIRE)[4 : 4 + size])


def test_a_sack_longer_than_its_counts_is_refused() -> None:
    with pytest.raises(WireError, match="2 gap blocks, 1 duplicates"):
        Sack.parse(bytes.fromhex(WIRE)[4:] + bytes(4))
