"""A message of circuit relay v2 or a voucher is refused with WireError, or what is written of it reads the same."""

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.relay.message import HopMessage, HopType, Limit, Reservation, Status, StopMessage, StopType
from zwerm.libp2p.relay.voucher import Voucher
from zwerm.multiformats.multiaddr import Multiaddr

_KEY = seeded_key(0)
_PEER = PeerId.of(_KEY.public)
_VOUCHER = Voucher(_PEER, PeerId.of(seeded_key(1).public), 1_700_000_000).seal(_KEY)
_RESERVATION = Reservation(1_700_000_000, (Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001"),), _VOUCHER)
SEEDS = [
    HopMessage(HopType.CONNECT, peer=_PEER).serialize(),
    HopMessage(HopType.STATUS, reservation=_RESERVATION, limit=Limit(120, 131_072), status=Status.OK).serialize(),
    StopMessage(StopType.CONNECT, peer=_PEER, limit=Limit(120, 131_072)).serialize(),
    _VOUCHER,
]


def fuzz(data: bytes) -> None:
    for kind in (HopMessage, StopMessage):
        try:
            message = kind.parse(data)
        except WireError:
            continue
        assert kind.parse(message.serialize()) == message
    try:
        Voucher.open_untrusted(data)
    except WireError:
        return
