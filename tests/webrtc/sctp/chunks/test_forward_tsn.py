"""RFC 3758 section 3.2 and RFC 8260 section 2.3.1: what will never arrive."""

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn, Skipped

PLAIN = "c0 00 0010 00000010 0001 0002 0003 0004"
INTERLEAVED = "c2 00 0018 00000010 0001 0000 00010002 0003 0001 00000004"


def test_forward_tsn_is_read_and_written() -> None:
    chunk = ForwardTsn(16, (Skipped(1, 2), Skipped(3, 4)))
    assert chunk.serialize(interleaving=False) == bytes.fromhex(PLAIN)
    assert ForwardTsn.parse(bytes.fromhex(PLAIN)[4:], interleaving=False) == chunk


def test_i_forward_tsn_tells_ordered_from_unordered() -> None:
    chunk = ForwardTsn(16, (Skipped(1, 65_538), Skipped(3, 4, is_unordered=True)))
    assert chunk.serialize(interleaving=True) == bytes.fromhex(INTERLEAVED)
    assert ForwardTsn.parse(bytes.fromhex(INTERLEAVED)[4:], interleaving=True) == chunk


@pytest.mark.parametrize("size", [0, 3, 5, 7, 9])
def test_a_length_that_no_entries_make_is_refused(size: int) -> None:
    with pytest.raises(WireError, match="FORWARD-TSN"):
        ForwardTsn.parse(bytes(size), interleaving=False)
    with pytest.raises(WireError, match="FORWARD-TSN"):
        ForwardTsn.parse(bytes(size), interleaving=True)
