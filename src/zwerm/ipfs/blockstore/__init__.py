"""Where blocks are kept: the interface, a store in memory, the pack store on disk, and the source made of a store.

What the package offers is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.core import lazy

if TYPE_CHECKING:
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

__getattr__ = lazy.attributes(
    __name__,
    {
        "LocalSource": "local",
        "MemoryBlockstore": "memory",
        "PackBlockstore": "packstore",
        "BlockLocation": "store",
        "Blockstore": "store",
        "CollectableBlockstore": "store",
        "Removed": "store",
    },
)
