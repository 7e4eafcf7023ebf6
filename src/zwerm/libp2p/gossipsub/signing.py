"""Who wrote a message (libp2p specs, pubsub/README.md, "Message Signing").

The strict policies only: the lax ones let a message through that nobody signed where signatures are expected.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Final

from zwerm.core.errors import WireError
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.gossipsub.message import Message

_PREFIX: Final = b"libp2p-pubsub:"
_SEQUENCE_SIZE: Final = 8
_ORIGIN: Final = frozenset((1, 3, 5, 6))  # numbers of from, seqno, signature, key


class Policy(enum.Enum):
    """What a topic's messages carry."""

    STRICT_SIGN = "every message names its author and is signed by it"
    STRICT_NO_SIGN = "no message says whose it is"


def sign(topic: str, data: bytes, sequence: int, key: PrivateKey) -> Message:
    """Make a message of `key`'s holder."""
    author = PeerId.of(key.public)
    carried = b"" if author.public_key is not None else key.public.serialize()
    bare = Message(topic, data, author.multihash, sequence.to_bytes(_SEQUENCE_SIZE, "big"), b"", carried)
    signed = dataclasses.replace(bare, signature=key.sign(_PREFIX + bare.unsigned()))
    return Message.parse(signed.serialize())


def anonymous(topic: str, data: bytes) -> Message:
    """Make a message that nobody's name is on."""
    return Message.parse(Message(topic, data).serialize())


def check(message: Message, policy: Policy) -> None:
    """Refuse an untrusted message that is not as the policy wants it.

    Raises:
        WireError: unsigned, wrongly signed, or signed where no message should be.
    """
    if policy is Policy.STRICT_NO_SIGN:
        if message.present & _ORIGIN:
            raise WireError("pubsub message that names its author, expected none")
        return
    if not message.signature or not message.author or len(message.sequence) != _SEQUENCE_SIZE:
        raise WireError("pubsub message without author, sequence or signature")
    author = PeerId.parse(message.author)
    if message.key:
        key = PublicKey.parse(message.key)
        if not author.matches(key):
            raise WireError(f"pubsub message with another key than that of its author {author}")
    else:
        inlined = author.public_key
        if inlined is None:
            raise WireError(f"pubsub message without the key of its author {author}")
        key = inlined
    if not key.verify(message.signature, _PREFIX + message.unsigned()):
        raise WireError(f"pubsub message that its author {author} did not sign")
