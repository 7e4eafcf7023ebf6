"""A stranger's datagram gets a connection, an answer smaller than itself, or nothing; and nothing else is raised."""

from tests.libp2p.transports.quic.test_admission import CLIENT, IDLE, initial
from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.libp2p.transports.quic.admission import Admission, Answer, Load
from zwerm.libp2p.transports.quic.config import Config
from zwerm.libp2p.transports.quic.packet import destination_untrusted, parse_long_untrusted

SEEDS = [initial(), initial(b"token"), initial(version=2), b"\x40" + bytes(20), bytes.fromhex("c000000001ff")]


def fuzz(data: bytes) -> None:
    destination_untrusted(data)
    try:
        header = parse_long_untrusted(data)
    except WireError:
        header = None
    for load in (IDLE, Load(16, 16, 0)):
        verdict = Admission(Config(), seeded("fuzz")).receive(data, CLIENT, 0.0, load)
        assert verdict is None or header is not None
        if isinstance(verdict, Answer):
            assert len(verdict.data) < len(data)
