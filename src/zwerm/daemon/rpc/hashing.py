"""Names of codecs and hash functions as options give them, and blocks made with them."""

from __future__ import annotations

from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context
from zwerm.ipfs.block import Block
from zwerm.multiformats import multicodec, multihash, varint
from zwerm.multiformats.cid import CID


def hash_code(context: Context, name: str) -> int:
    """Return the code of a hash function; of the configured one when no name is given."""
    name = (name or context.node.config.text("import.hash") or "sha2-256").lower()
    code = multihash.FUNCTIONS.get(name)
    if code is None:
        raise CommandError(f"hash function {name!r} is not known here; see `zwerm cid hashes`")
    return code


def codec_code(name: str) -> int:
    """Return the code of a codec by its name, or of a number."""
    code = multicodec.CODECS.get(name)
    if code is None and name.removeprefix("0x").isalnum() and name[:1].isdigit():
        code = int(name, 0)
    if code is None:
        raise CommandError(f"codec {name!r} is not known here; see `zwerm cid codecs`")
    return code


def make_block(data: bytes, codec: int, function: int, *, length: int = -1, version: int = 1) -> Block:
    """Hash data of a caller, with a digest cut to `length` bytes when that is not -1."""
    block = Block.create(data, codec, function, version)
    if length < 0:
        return block
    digest = block.cid.digest
    if not multihash.MIN_DIGEST <= length <= len(digest):
        raise CommandError(f"hash length {length}, expected {multihash.MIN_DIGEST} to {len(digest)}")
    short = varint.serialize(function) + varint.serialize(length) + digest[:length]
    return Block(CID(block.cid.version, codec, short), data)
