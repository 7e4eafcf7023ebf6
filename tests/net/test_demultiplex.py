"""RFC 7983 section 7 and RFC 9443: who on a shared port a datagram is for."""

import pytest

from zwerm.net.demultiplex import Traffic, classify


@pytest.mark.parametrize(
    ("first", "last", "traffic"),
    [
        (0, 3, Traffic.STUN),
        (4, 15, Traffic.UNKNOWN),
        (16, 19, Traffic.ZRTP),
        (20, 63, Traffic.DTLS),
        (64, 79, Traffic.TURN_CHANNEL),
        (80, 127, Traffic.QUIC),
        (128, 191, Traffic.RTP),
        (192, 255, Traffic.QUIC),
    ],
    ids=lambda value: value.name if isinstance(value, Traffic) else f"{value}",
)
def test_the_first_byte_tells(first: int, last: int, traffic: Traffic) -> None:
    assert {classify(bytes([byte, 1])) for byte in range(first, last + 1)} == {traffic}


def test_an_empty_datagram_is_for_nobody() -> None:
    assert classify(b"") is Traffic.UNKNOWN
