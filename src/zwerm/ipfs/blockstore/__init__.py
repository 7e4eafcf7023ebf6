"""Where blocks are kept: the interface, a store in memory, the pack store on disk, and the source made of a store."""

from zwerm.ipfs.blockstore.local import LocalSource
from zwerm.ipfs.blockstore.memory import MemoryBlockstore
from zwerm.ipfs.blockstore.packstore import PackBlockstore
from zwerm.ipfs.blockstore.store import BlockLocation, Blockstore, CollectableBlockstore, Removed

__all__ = [
    "BlockLocation",
    "Blockstore",
    "CollectableBlockstore",
    "LocalSource",
    "MemoryBlockstore",
    "PackBlockstore",
    "Removed",
]
