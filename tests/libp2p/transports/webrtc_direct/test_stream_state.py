"""webrtc/README.md, "Closing an RTCDataChannel": what flags say, on either side."""

from __future__ import annotations

import pytest

from zwerm.core.errors import WireError
from zwerm.libp2p.transports.webrtc_direct.message import Flag, data_message, flag_message
from zwerm.libp2p.transports.webrtc_direct.stream_state import OVERHEAD, ReadState, StreamState, WriteState
from zwerm.webrtc.datachannel.channel import Channel


@pytest.fixture
def stream() -> StreamState:
    return StreamState(Channel(""), is_ours=True)


def test_fin_is_acknowledged_and_what_came_before_it_can_be_read(stream: StreamState) -> None:
    stream.receive(data_message(b"all of it") + flag_message(Flag.FIN))
    assert (stream.read, list(stream.flags)) == (ReadState.FINISHED, [Flag.FIN_ACK])
    assert stream.take(100) == b"all of it"


def test_a_stream_is_over_when_either_has_finished_and_ours_was_acknowledged(stream: StreamState) -> None:
    stream.finish()
    stream.finish()
    assert (stream.write, list(stream.flags)) == (WriteState.FINISHING, [Flag.FIN])
    stream.receive(flag_message(Flag.FIN))
    assert not stream.is_over
    stream.receive(flag_message(Flag.FIN_ACK))
    assert stream.is_over


def test_a_fin_ack_that_nothing_asked_for_means_nothing(stream: StreamState) -> None:
    stream.receive(flag_message(Flag.FIN_ACK))
    assert stream.write is WriteState.OPEN


def test_stop_sending_ends_our_direction_and_leaves_theirs(stream: StreamState) -> None:
    stream.receive(flag_message(Flag.STOP_SENDING))
    assert (stream.write, stream.read) == (WriteState.STOPPED, ReadState.OPEN)


def test_a_reset_ends_their_direction_and_takes_what_was_not_read(stream: StreamState) -> None:
    stream.receive(data_message(b"gone") + flag_message(Flag.RESET_STREAM))
    assert (stream.read, stream.write, stream.take(10)) == (ReadState.RESET, WriteState.OPEN, b"")


def test_once_we_read_no_more_data_is_dropped_and_flags_count(stream: StreamState) -> None:
    stream.stop_reading()
    stream.receive(data_message(b"too late") + flag_message(Flag.FIN))
    assert (stream.unread_cost, list(stream.flags)) == (0, [Flag.STOP_SENDING, Flag.FIN_ACK])


def test_giving_up_says_so_for_both_directions_once(stream: StreamState) -> None:
    stream.reset()
    stream.reset()
    assert list(stream.flags) == [Flag.STOP_SENDING, Flag.RESET_STREAM]
    assert stream.is_over


def test_flags_repeated_without_end_do_not_pile_up(stream: StreamState) -> None:
    for _ in range(1_000):
        stream.receive(flag_message(Flag.FIN))
    assert list(stream.flags) == [Flag.FIN_ACK]


def test_data_after_fin_breaks_the_stream(stream: StreamState) -> None:
    with pytest.raises(WireError, match="after FIN"):
        stream.receive(flag_message(Flag.FIN) + data_message(b"more"))


def test_a_channel_that_closes_before_fin_cuts_the_stream_off(stream: StreamState) -> None:
    stream.receive(data_message(b"half"))
    stream.channel_closed()
    assert (stream.read, stream.write) == (ReadState.RESET, WriteState.RESET)


def test_a_channel_that_closes_after_both_have_finished_took_everything(stream: StreamState) -> None:
    stream.finish()
    stream.receive(data_message(b"whole") + flag_message(Flag.FIN))
    stream.channel_closed()
    assert (stream.read, stream.write, stream.take(10)) == (ReadState.FINISHED, WriteState.FINISHED, b"whole")


def test_reading_takes_no_more_than_was_asked_and_joins_what_fits(stream: StreamState) -> None:
    stream.receive(data_message(b"abcdef") + data_message(b"gh") + data_message(b"ijkl"))
    assert [stream.take(4), stream.take(4), stream.take(100), stream.take(1)] == [b"abcd", b"ef" + b"gh", b"ijkl", b""]


def test_many_small_messages_count_as_the_memory_they_take(stream: StreamState) -> None:
    stream.receive(data_message(b"x") * 1_000)
    assert stream.unread_cost == 1_000 * (1 + OVERHEAD)
