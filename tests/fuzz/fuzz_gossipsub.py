"""A pubsub frame is refused with WireError, or it reads the same again; its messages are forged, and never pass."""

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.libp2p.gossipsub.message import IHave, Message, Prune, Rpc, Subscription
from zwerm.libp2p.gossipsub.signing import Policy, check, sign

_MESSAGE = sign("topic", b"data", 1, seeded_key(1))
SEEDS = [
    Rpc([Subscription("topic", wanted=True)], messages=[_MESSAGE.encoded]).serialize(),
    Rpc(ihave=[IHave("topic", (b"id",))], iwant=[b"id"], graft=["topic"], idontwant=[b"id"]).serialize(),
    Rpc(prune=[Prune("topic", ((b"peer", b"record"),), 60)]).serialize(),
    _MESSAGE.encoded,
]


def fuzz(data: bytes) -> None:
    try:
        rpc = Rpc.parse(data)
    except WireError:
        rpc = Rpc()
    again = Rpc.parse(rpc.serialize())
    again.idontwant_messages = rpc.idontwant_messages
    assert again == rpc
    for encoded in (data, *rpc.messages):
        try:
            message = Message.parse(encoded)
            check(message, Policy.STRICT_SIGN)
        except WireError:
            continue
        assert message.data == _MESSAGE.data
        assert message.author == _MESSAGE.author
