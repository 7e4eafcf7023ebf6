"""IPNS names and what they are called elsewhere: in paths, among routing keys, as a topic.

A name is the multihash of a public key, so a peer ID is a name (specs.ipfs.tech, "IPNS Record", "IPNS Name").
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

ROUTING_PREFIX: Final = b"/ipns/"
TOPIC_PREFIX: Final = "/record/"  # specs.ipfs.tech, "IPNS PubSub Router", "Translating an IPNS record name"


def to_text(name: PeerId) -> str:
    """Return the form for people and paths: a CIDv1 in base36, `k51...`."""
    return name.to_cid().encode("base36")


def from_text(text: str) -> PeerId:
    """Read a name in any of its forms, with or without `/ipns/` before it.

    Raises:
        WireError: not a key; it may be a domain.
    """
    text = text.removeprefix("/ipns/").removeprefix("ipns://")
    try:
        return PeerId.from_text(text)
    except WireError:
        # Old programs write the multihash of a key as a CID of codec dag-pb, which says nothing about what it names.
        if text.startswith(("Qm", "1")):
            raise
        cid = CID.from_text(text)
        if cid.codec not in (multicodec.LIBP2P_KEY, multicodec.DAG_PB):
            raise
        return PeerId.parse(cid.multihash)


def is_key(text: str) -> bool:
    """Whether the text is a key; otherwise it may be a domain."""
    try:
        from_text(text)
    except WireError:
        return False
    return True


def routing_key(name: PeerId) -> bytes:
    """Return the key under which the DHT, pubsub and fetch know the name's record."""
    return ROUTING_PREFIX + name.multihash


def from_routing_key(key: bytes) -> PeerId:
    """Read an untrusted routing key; WireError for what is in another namespace, or no name."""
    if not key.startswith(ROUTING_PREFIX):
        raise WireError(f"routing key {key[:16]!r}, expected /ipns/ and a peer ID")
    return PeerId.parse(key[len(ROUTING_PREFIX) :])


def topic(name: PeerId) -> str:
    """Return the pubsub topic on which the name's records travel."""
    return TOPIC_PREFIX + base64.urlsafe_b64encode(routing_key(name)).rstrip(b"=").decode()


def from_topic(text: str) -> PeerId:
    """Read a topic; WireError when it is none of a name."""
    encoded = text.removeprefix(TOPIC_PREFIX)
    if encoded == text:
        raise WireError(f"topic {text[:32]!r}, expected {TOPIC_PREFIX} in front")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise WireError(f"topic {text[:64]!r} is not base64url") from None
    return from_routing_key(key)
