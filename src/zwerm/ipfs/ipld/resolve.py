"""From a content path to what it names: through UnixFS directories, IPLD maps, lists and links.

How a name is found in a UnixFS directory, sharded or not, is UnixFS's to know: it registers a function in
`directories`, and this module does not import it.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from zwerm.core.errors import LocalProtocolError, NotFoundError, ResourceLimitError, WireError
from zwerm.ipfs.ipld import codec, directories
from zwerm.ipfs.ipld.dag_pb import PBNode
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.traverse import load
from zwerm.ipfs.source import BlockSource
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MAX_HOPS: Final = 32  # blocks that are nothing but a link, one after another

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")


class PathNotFound(NotFoundError):
    """The path leads nowhere: `name` is not in the block `cid`, which is there."""

    def __init__(self, cid: CID, name: str) -> None:
        super().__init__(f"no link named {name[:256]!r} under {cid}")
        self.cid = cid
        self.name = name


class Resolution(NamedTuple):
    """Where a path ends: the last block it reaches, and the part of it inside that block.

    `roots` has the block of the root and of each segment, the last of them `cid`.
    """

    cid: CID
    remainder: tuple[str, ...]
    roots: tuple[CID, ...]


async def resolve(source: BlockSource, path: ContentPath, *, data_model: bool = False) -> Resolution:
    """Follow the path as far as links lead; the segments inside the last block are checked to exist.

    The block at the end is fetched only when segments lie inside it. With `data_model` a dag-pb block is the map of
    its specification (`Links/0/Hash`), not a directory.

    Raises:
        PathNotFound: a name is not there.
        BlockNotFound: a block on the way cannot be had.
        UnknownCodec: a block on the way that cannot be read.
        WireError: a block on the way is malformed.
        LocalProtocolError: an IPNS path, which has to be resolved to an IPFS one before.
    """
    if path.cid is None:
        raise LocalProtocolError(f"{path} is a name; look it up first")
    cid, segments, position, hops = path.cid, path.segments, 0, 0
    roots = [cid]
    while position < len(segments):
        if cid.codec == multicodec.DAG_PB and not data_model:
            cid = await _follow(source, cid, segments[position])
            position += 1
            roots.append(cid)
            continue
        value, start = await _value(source, cid, data_model=data_model), position
        while position < len(segments) and not isinstance(value, CID):
            value = step(value, segments[position], cid)
            position += 1
            roots.append(cid)
        if not isinstance(value, CID):
            return Resolution(cid, segments[start:], tuple(roots))
        cid = roots[-1] = value
        hops = hops + 1 if position == start else 0
        if hops > MAX_HOPS:
            raise ResourceLimitError(f"{path} leads through more than {MAX_HOPS} blocks that are only links")
    return Resolution(cid, (), tuple(roots))


async def read_value(source: BlockSource, resolution: Resolution) -> Any:
    """Return the value at the end of a path: the last block, or what `remainder` names in it. Raises as `resolve`.

    A dag-pb block is a `PBNode` when it is the whole value.
    """
    cid = resolution.cid
    value = _decode(cid, await load(source, cid))
    for segment in resolution.remainder:
        value = step(value, segment, cid)
    return value


def step(value: Any, segment: str, cid: CID) -> Any:
    """Return the entry of a map or list; PathNotFound, in the name of block `cid`, when it has none."""
    if isinstance(value, PBNode):
        value = value.to_data_model()
    if isinstance(value, dict) and segment in value:
        return value[segment]
    if isinstance(value, list) and _INDEX.fullmatch(segment) and int(segment) < len(value):
        return value[int(segment)]
    raise PathNotFound(cid, segment)


async def _value(source: BlockSource, cid: CID, *, data_model: bool) -> Any:
    value = _decode(cid, await load(source, cid))
    return value.to_data_model() if data_model and isinstance(value, PBNode) else value


def _decode(cid: CID, data: bytes) -> Any:
    try:
        return codec.decode(cid.codec, data, strict=False)
    except WireError as error:
        raise WireError(f"{cid}: {error}") from error


async def _follow(source: BlockSource, cid: CID, name: str) -> CID:
    if directories.follow is None:
        raise LocalProtocolError("paths through dag-pb need zwerm.ipfs.unixfs, which was not imported")
    found = await directories.follow(source, cid, name)
    if found is None:
        raise PathNotFound(cid, name)
    return found
