"""An identify message is refused with WireError, or what it says is said again the same; a peer record likewise."""

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.identify.message import Identify
from zwerm.libp2p.identify.peer_record import PeerRecord
from zwerm.multiformats.multiaddr import Multiaddr

_KEY = seeded_key(0)
_ADDRESS = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
_RECORD = PeerRecord(PeerId.of(_KEY.public), 7, (_ADDRESS,))
SEEDS = [
    Identify(_KEY.public.serialize(), (_ADDRESS,), ("/a", "/b"), _ADDRESS, "ipfs/0.1.0", "agent").serialize(),
    Identify(signed_record=_RECORD.seal(_KEY)).serialize(),
    _RECORD.serialize(),
]


def fuzz(data: bytes) -> None:
    for parse in (lambda: Identify.parse([data]), lambda: PeerRecord.parse(data)):
        try:
            message = parse()
        except WireError:
            continue
        again = Identify.parse([message.serialize()]) if isinstance(message, Identify) else None
        assert (again or PeerRecord.parse(message.serialize())) == message
