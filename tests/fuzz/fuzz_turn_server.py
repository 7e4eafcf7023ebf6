"""A TURN server takes any message of anybody, raises nothing, and relays nothing for who did not prove who it is."""

from tests.webrtc.stun.vectors import ALL
from tests.webrtc.turn.network import PEER, USERS, config
from zwerm.core.random import seeded
from zwerm.webrtc.stun.attributes import DATA, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS
from zwerm.webrtc.stun.message import Method, indication, request
from zwerm.webrtc.turn.server.server import TurnServer

_ID = bytes(12)
_SERVER = TurnServer(config(max_watched_hosts=8), USERS, now=0.0, random=seeded("fuzz"))
SEEDS = [
    *ALL.values(),
    request(Method.ALLOCATE, _ID, REQUESTED_TRANSPORT(17)).serialize(),
    request(Method.CREATE_PERMISSION, _ID, XOR_PEER_ADDRESS(PEER)).serialize(b"key", fingerprint=False),
    indication(Method.SEND, _ID, XOR_PEER_ADDRESS(PEER), DATA(b"x")).serialize(fingerprint=False),
    b"\x40\x00\x00\x01x",
]


def fuzz(data: bytes) -> None:
    _SERVER.receive_datagram(data, PEER, 0.0)
    while (transmit := _SERVER.next_transmit()) is not None:
        assert transmit.destination == PEER
    assert _SERVER.next_event() is None
    assert _SERVER.statistics().allocations == 0
