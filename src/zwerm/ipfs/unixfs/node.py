"""Reading one UnixFS block: whatever its codec, as a message and links (specs.ipfs.tech/unixfs, "Node Types")."""

from __future__ import annotations

from typing import NamedTuple

from zwerm.core.errors import WireError
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.ipfs.unixfs.entry import Kind
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

KINDS = {
    DataType.RAW: Kind.FILE,
    DataType.FILE: Kind.FILE,
    DataType.DIRECTORY: Kind.DIRECTORY,
    DataType.HAMT_SHARD: Kind.DIRECTORY,
    DataType.SYMLINK: Kind.SYMLINK,
}


class Node(NamedTuple):
    """A block, parsed. A raw block is a file of just its bytes."""

    message: UnixFSData
    links: tuple[PBLink, ...]

    @property
    def kind(self) -> Kind:
        return KINDS[self.message.type]

    @classmethod
    def parse(cls, cid: CID, data: bytes) -> Node:
        """Read an untrusted block.

        Raises:
            NotUnixFS: a codec or a type that holds no files or directories.
            WireError: bytes that are not what the codec promises.
        """
        if cid.codec == multicodec.RAW:
            return cls(UnixFSData(DataType.RAW, data, len(data)), ())
        if cid.codec != multicodec.DAG_PB:
            raise NotUnixFS(
                f"{cid} is {multicodec.codec_name(cid.codec)}, expected a file or directory (dag-pb or raw)"
            )
        try:
            node = PBNode.parse(data)
            message = UnixFSData.parse(node.data) if node.data is not None else None
        except WireError as error:
            raise WireError(f"{cid}: {error}") from error
        if message is None:
            raise NotUnixFS(f"{cid} is a dag-pb node without data, expected a file or directory")
        if message.type not in KINDS:
            raise NotUnixFS(f"{cid} is UnixFS {message.type.name.lower()}, expected a file, directory or symlink")
        return cls(message, node.links)


def parse_inner(cid: CID, data: bytes) -> Node:
    """Read an untrusted block inside a file or directory, where being no UnixFS is an error of its writer.

    Raises:
        WireError: it is none, or malformed.
    """
    try:
        return Node.parse(cid, data)
    except NotUnixFS as error:
        raise WireError(str(error)) from error


def file_sizes(cid: CID, node: Node) -> tuple[int, tuple[int, ...]]:
    """Return the bytes of file in this node itself and under each of its links, checked against each other.

    Raises:
        WireError: the node contradicts itself.
    """
    message = node.message
    own = len(message.data or b"")
    if len(message.blocksizes) != len(node.links):
        raise WireError(f"{cid} has {len(node.links)} links and {len(message.blocksizes)} block sizes")
    total = own + sum(message.blocksizes)
    if message.filesize is not None and message.filesize != total:
        raise WireError(f"{cid} says it holds {message.filesize} bytes, its parts hold {total}")
    if total >= 2**63:
        raise WireError(f"{cid} says it holds {total} bytes, more than a file can")
    return own, message.blocksizes
