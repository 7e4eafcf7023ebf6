"""A session does the same however its bytes are cut, and keeps its limits."""

from tests.libp2p.yamux.two import data, events, frame, server, syn, update
from zwerm.libp2p.yamux.frame import Flag, FrameType

SEEDS = [
    syn(1) + data(1, b"hello") + update(1, Flag.FIN),
    data(1, b"all", Flag.SYN | Flag.FIN) + data(3, b"more", Flag.SYN) + update(3, Flag.RST),
    frame(FrameType.PING, Flag.SYN, 0, 7) + frame(FrameType.GO_AWAY, 0, 0, 0) + update(5, Flag.SYN, 1_000_000),
]


def fuzz(data: bytes) -> None:
    outcomes = []
    for size in (max(len(data), 1), 5):
        session = server(max_inbound_streams=8, max_control=240, max_unread=1_000)
        for start in range(0, len(data), size):
            session.receive_data(data[start : start + size], 0.0)
        said, told = session.data_to_send(), events(session)
        assert len(said) <= 240 + 36
        assert session._unread <= 1_000
        outcomes.append((said, told, session.stream_ids))
    assert outcomes[0] == outcomes[1]
