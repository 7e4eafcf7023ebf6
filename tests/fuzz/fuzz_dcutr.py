"""What a stream of dcutr brings is refused with WireError, or what is written of it reads the same."""

from zwerm.core.errors import WireError
from zwerm.libp2p.dcutr.message import HolePunch, MessageType, parse_prefix
from zwerm.multiformats.multiaddr import Multiaddr

_HERE = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
SEEDS = [HolePunch(MessageType.CONNECT, (_HERE,)).frame(), HolePunch(MessageType.SYNC).frame()]


def fuzz(data: bytes) -> None:
    try:
        found = parse_prefix(data)
    except WireError:
        return
    if found is not None:
        message, size = found
        assert 0 < size <= len(data)
        assert HolePunch.parse(message.serialize()) == message
