"""A UnixFS block is refused with WireError or NotUnixFS; a message, written again, reads the same; sizes add up."""

from zwerm.core.errors import WireError, ZwermError
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData
from zwerm.ipfs.unixfs.directory.hamt import Shard
from zwerm.ipfs.unixfs.errors import NotUnixFS
from zwerm.ipfs.unixfs.node import Node, file_sizes
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_CID = CID.of(b"x", multicodec.DAG_PB)
_FILE = UnixFSData(DataType.FILE, None, 5, (2, 3), mode=0o644, mtime=Mtime(1_700_000_000, 5))
_SHARD = UnixFSData(DataType.HAMT_SHARD, b"\x01", hash_type=0x22, fanout=256)
SEEDS = [
    _FILE.serialize(),
    _SHARD.serialize(),
    PBNode((PBLink(_CID, "", 2), PBLink(_CID, "", 3)), _FILE.serialize()).serialize(),
    PBNode((PBLink(_CID, "00name", 2),), _SHARD.serialize()).serialize(),
    PBNode((), UnixFSData(DataType.SYMLINK, b"target").serialize()).serialize(),
]


def fuzz(data: bytes) -> None:
    try:
        message = UnixFSData.parse(data)
        assert UnixFSData.parse(message.serialize()) == message
    except WireError:
        pass
    try:
        node = Node.parse(_CID, data)
        own, parts = file_sizes(_CID, node)
        assert own + sum(parts) < 2**63
    except (WireError, NotUnixFS):
        pass
    try:
        shard = Shard.parse(_CID, Node.parse(_CID, data))
        assert len({link.slot for link in shard.links}) == len(shard.links)
    except ZwermError:
        pass
