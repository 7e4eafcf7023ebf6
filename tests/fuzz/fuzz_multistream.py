"""A negotiation takes any bytes, and the lines it reads are written as they came."""

from zwerm.core.errors import WireError
from zwerm.libp2p.multistream.message import HEADER, parse_prefix, serialize
from zwerm.libp2p.multistream.negotiation import Dialer, Listener

SEEDS = [
    serialize(HEADER),
    serialize(HEADER) + serialize("/noise") + b"payload",
    serialize(HEADER) + serialize("na") + serialize("ls"),
    serialize(HEADER) + serialize("/" + "x" * 200),
    b"\xff\xff\xff",
]


def fuzz(data: bytes) -> None:
    position = 0
    try:
        while (message := parse_prefix(data, position)) is not None:
            text, end = message
            assert data[position:end] == serialize(text)
            position = end
    except WireError:
        pass
    for machine in (Dialer(["/a", "/noise"]), Listener({"/noise"}.__contains__)):
        assert 0 <= machine.receive_data(data, 0.0) <= len(data)
        machine.receive_eof(0.0)
        assert machine.is_over
