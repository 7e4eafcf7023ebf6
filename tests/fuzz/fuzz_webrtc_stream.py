"""What comes on a data channel that is a stream is messages or WireError, and never more bytes than came."""

from zwerm.core.errors import WireError
from zwerm.libp2p.transports.webrtc_direct.message import Flag, data_message, flag_message
from zwerm.libp2p.transports.webrtc_direct.stream_state import StreamState
from zwerm.webrtc.datachannel.channel import Channel

SEEDS = [
    data_message(b"hello") + flag_message(Flag.FIN),
    flag_message(Flag.STOP_SENDING) + flag_message(Flag.RESET_STREAM) + flag_message(Flag.FIN_ACK),
    b"\x06\x08\x00\x12\x02hi",
    b"\xff\xff\x03",
    b"\x04\x12\x82\x00ab",
]


def fuzz(data: bytes) -> None:
    stream = StreamState(Channel(""), is_ours=False)
    middle = len(data) // 2
    try:
        for part in (data[:middle], data[middle:]):
            stream.receive(part)
    except WireError:
        return
    assert stream.unread_size == sum(map(len, stream.unread)) <= len(data)
    assert len(stream.flags) <= len(Flag)
    taken = stream.unread_size
    assert len(stream.take(len(data) + 1)) == taken
