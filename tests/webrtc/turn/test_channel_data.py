"""ChannelData, whole and not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.turn import channel_data


def test_the_bytes_of_rfc_8656() -> None:
    wire = bytes.fromhex("4001 0003 616263")
    assert channel_data.serialize(0x4001, b"abc") == wire
    assert channel_data.parse(wire) == (0x4001, b"abc")
    assert channel_data.parse(channel_data.pad(wire)) == (0x4001, b"abc")
    assert len(channel_data.pad(wire)) == 8


@pytest.mark.parametrize(
    "wire", ["", "400100", "3fff0000", "80000000", "40010001", "4001000461"], ids=lambda wire: wire or "nothing"
)
def test_what_is_no_channel_data_is_refused(wire: str) -> None:
    with pytest.raises(WireError):
        channel_data.parse(bytes.fromhex(wire))


@given(st.binary(max_size=64))
def test_untrusted_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        channel, payload = channel_data.parse(data)
    except WireError:
        return
    assert channel_data.is_channel_data(data)
    assert data.startswith(channel_data.serialize(channel, payload))


def test_more_than_fits_is_the_callers_fault() -> None:
    with pytest.raises(LocalProtocolError):
        channel_data.serialize(0x4000, bytes(65_536))
