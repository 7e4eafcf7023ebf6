"""The multihash of a public key (libp2p peer-ids spec, "Peer Ids"): its rules and its two texts.

`identity.PeerId` is the type to work with. These functions stand below it because a multiaddr carries one too.
"""

from __future__ import annotations

from typing import Final

from zwerm.core.errors import WireError
from zwerm.multiformats import multibase, multicodec, multihash
from zwerm.multiformats.cid import CID

MAX_INLINE_KEY: Final = 42  # bytes; keys that serialize to more are hashed with sha2-256


def check(data: bytes) -> None:
    """Refuse untrusted bytes that are no multihash, or one that no key can have.

    Raises:
        WireError: so it is.
    """
    code, start, end = multihash.parse_prefix(data)
    if end != len(data):
        raise WireError(f"{len(data) - end} bytes after the peer ID")
    size = end - start
    if code == multicodec.IDENTITY and size > MAX_INLINE_KEY:
        raise WireError(f"peer ID with a key of {size} bytes inside, expected at most {MAX_INLINE_KEY}")
    if code != multicodec.IDENTITY and (code != multicodec.SHA2_256 or size != 32):
        raise WireError(f"peer ID with {size} bytes of {multihash.function_name(code)}, expected 32 of sha2-256")


def from_text(text: str) -> bytes:
    """Read bare base58btc, or a CID of codec libp2p-key in any base; WireError for anything else."""
    if text.startswith(("1", "Qm")):
        data = multibase.decode("z" + text)
    else:
        cid = CID.from_text(text)
        if cid.codec != multicodec.LIBP2P_KEY:
            raise WireError(f"CID of codec {multicodec.codec_name(cid.codec)}, expected libp2p-key")
        data = cid.multihash
    check(data)
    return data


def to_text(data: bytes) -> str:
    """Return bare base58btc, the form that libp2p shows."""
    return multibase.encode(data, "base58btc")[1:]
