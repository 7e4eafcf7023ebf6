"""An association takes any chunks from its peer without an exception, within its limits, and comes to rest."""

from __future__ import annotations

from tests.fuzz.fuzz_sctp_packet import SEEDS as PACKETS
from tests.fuzz.inputs import pieces
from zwerm.core.machine import drain
from zwerm.core.random import seeded
from zwerm.webrtc.sctp.association import Association
from zwerm.webrtc.sctp.config import DTLS, Config
from zwerm.webrtc.sctp.packet import HEADER_SIZE

_LIMITS = {"receive_window": 20_000, "max_message_size": 30_000, "max_events": 64, "max_fragments": 64}
_PIECE = 400  # bytes of one packet's chunks

SEEDS = [b"\0" + packet[HEADER_SIZE:] for packet in PACKETS] + [b"\1" + packet[HEADER_SIZE:] for packet in PACKETS]


def fuzz(data: bytes) -> None:
    """The first byte chooses the form of data and whether to shut down; the rest are chunks."""
    choice = data[0] if data else 0
    left, right = (
        Association(Config(interleaving=bool(choice & 1), **_LIMITS), random=seeded(side), now=0.0)
        for side in ("left", "right")
    )
    left.connect(0.0)
    left.send(1, bytes(3_000), ppid=53, now=0.0, max_retransmits=1)
    for _ in range(4):
        right.receive_datagrams(left.next_transmits(), DTLS, 0.0)
        left.receive_datagrams(right.next_transmits(), DTLS, 0.0)
    if choice & 2 and left.state.value == "established":
        left.shutdown(0.0)
    now = 0.0
    for piece in pieces(data[1:], _PIECE):
        packet = right._sender.finish_packet([piece])
        left.receive_datagram(packet, DTLS, now)
        drained = drain(left)
        assert len(drained.transmits) <= 200
        assert left._receiver.reassembly.buffered <= 60_000
        if drained.timeout is not None:
            now = max(now, drained.timeout)
            left.handle_timeout(now)
    for _ in range(100):
        timeout = drain(left).timeout
        if timeout is None:
            break
        now = max(now, timeout)
        left.handle_timeout(now)
