"""A DATA_CHANNEL_OPEN is refused with WireError, or it survives being written again."""

from zwerm.core.errors import WireError
from zwerm.webrtc.datachannel.dcep import Open, Reliability, is_ack

SEEDS = [
    Open("chat").serialize(),
    Open("é", "v1", is_ordered=False, reliability=Reliability.LIFETIME, parameter=500, priority=1_024).serialize(),
    b"\2",
]


def fuzz(data: bytes) -> None:
    is_ack(data)
    try:
        message = Open.parse(data)
    except WireError:
        return
    assert message.serialize() == data
