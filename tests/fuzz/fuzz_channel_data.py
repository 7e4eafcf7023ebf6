"""ChannelData is refused with WireError, or it is what its channel and payload are written as, and padding."""

from zwerm.core.errors import WireError
from zwerm.webrtc.turn import channel_data

SEEDS = [bytes.fromhex(wire) for wire in ("40010003616263", "4001000361626300", "4fff0000", "50000000", "4000ffff00")]


def fuzz(data: bytes) -> None:
    try:
        channel, payload = channel_data.parse(data)
    except WireError:
        return
    assert data.startswith(channel_data.serialize(channel, payload))
