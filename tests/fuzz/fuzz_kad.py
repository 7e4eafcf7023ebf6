"""A DHT message is refused with WireError or survives; a server answers any bytes or refuses them, and nothing else."""

from tests.sim.dht import CONFIG, address_of, peer_of
from zwerm.core.errors import RemoteProtocolError, ResourceLimitError, WireError
from zwerm.core.random import seeded
from zwerm.libp2p.kad.address_scope import Scope, filter_addresses, group_of
from zwerm.libp2p.kad.dht import Dht
from zwerm.libp2p.kad.message import Message, MessageType, Peer, Record
from zwerm.libp2p.kad.validator import PublicKeyValidator

_PEER = peer_of(seeded("fuzz"))
_KEY = b"\x12\x20" + bytes(32)
SEEDS = [
    Message(MessageType.FIND_NODE, _KEY, closer=[Peer(_PEER, (address_of(1),))]).serialize(),
    Message(MessageType.ADD_PROVIDER, _KEY, providers=[Peer(_PEER, (address_of(1),))]).serialize(),
    Message(MessageType.GET_PROVIDERS, _KEY).serialize(),
    Message(MessageType.PUT_VALUE, b"/pk/x", Record(b"/pk/x", b"value")).serialize(),
    Message(MessageType.GET_VALUE, b"/pk/x").serialize(),
    Message(MessageType.PING).serialize(),
]


def fuzz(data: bytes) -> None:
    try:
        message = Message.parse(data)
    except WireError:
        return
    assert Message.parse(message.serialize()) == message
    for peer in message.closer:
        for scope in Scope:
            filter_addresses(peer.addresses, scope)
        for address in peer.addresses:
            group_of(address)
    dht = Dht(peer_of(seeded("local")), CONFIG, random=seeded(0), validators={"pk": PublicKeyValidator()})
    try:
        answer = dht.receive_request(_PEER, data, 0.0)
    except (RemoteProtocolError, ResourceLimitError):
        return
    assert answer is None or Message.parse(answer).type is message.type
    query = dht.find_closest(_KEY, 0.0)
    assert query
    dht.receive_response(1, data, 0.0)
