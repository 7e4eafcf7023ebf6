"""Both sides of state synchronization take any packets without raising, and tell only states that fit the schema."""

from zwerm.webrtc.sync.authority import CHANNEL, Authority, Config
from zwerm.webrtc.sync.follower import Follower
from zwerm.webrtc.sync.packet import InputsPacket, SnapshotPacket
from zwerm.webrtc.sync.schema import Field, Schema

_SCHEMA = Schema((Field("x", 12), Field("turn", 7, wraps=True)), id_bits=5)
_WHOLE = _SCHEMA.write_delta({}, {1: (5, 6), 31: (4_095, 127)})
SEEDS = [
    b"\x16" + SnapshotPacket(1, 1, 0, 0, _WHOLE).serialize() + b"\x0f" + SnapshotPacket(2, 2, 1, 0, b"\0").serialize(),
    b"\x11" + InputsPacket(1, 0, 1, (b"a",)).serialize() + b"\x10" + InputsPacket(1, 3, 0, ()).serialize(),
    b"\x0f" + SnapshotPacket(9, 1, 8, 2, b"\xff").serialize(),
]


def fuzz(data: bytes) -> None:
    authority, follower = Authority(_SCHEMA, Config(max_history=4)), Follower(_SCHEMA, Config(max_history=4))
    authority.publish({1: (5, 6)}, 1, 0.0)
    follower.give(b"a", 0.0)
    now = 0.0
    while data:
        size, now = data[0], now + 0.05
        for machine in (authority, follower):
            machine.receive_datagram(data[1 : 1 + size], CHANNEL, now)
            machine.handle_timeout(now)
            while (transmit := machine.next_transmit()) is not None:
                assert len(transmit.data) < 1_200
        while authority.next_event() is not None:
            continue
        while (event := follower.next_event()) is not None:
            assert _SCHEMA.quantise(_SCHEMA.restore(event.state)) == event.state
        data = data[1 + size :]
