"""A multicast DNS message of libp2p is refused with WireError, or gives questions, or addresses that end by a peer."""

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.mdns.message import MAX_ADDRESSES, META, Answered, answer, parse, question, services
from zwerm.multiformats.multiaddr import Multiaddr

_ADDRESS = Multiaddr.from_text(f"/ip4/192.0.2.1/tcp/4001/p2p/{PeerId.of(seeded_key(0).public)}")
SEEDS = [
    question(),
    question(META),
    answer("a" * 32, [_ADDRESS, _ADDRESS]),
    answer("b" * 32, [_ADDRESS], ttl=0),
    services(),
]


def fuzz(data: bytes) -> None:
    try:
        message = parse(data)
    except WireError:
        return
    if isinstance(message, Answered):
        assert len(message.addresses) <= MAX_ADDRESSES
        assert all(address.names[-1] == "p2p" for address in message.addresses)
    else:
        assert all(name == name.lower() for name in message.names)
