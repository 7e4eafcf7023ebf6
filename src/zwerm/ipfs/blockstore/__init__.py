"""Where blocks are kept: the interface, a store in memory, and the pack store on disk."""

from zwerm.ipfs.blockstore.store import BlockLocation, Blockstore

__all__ = ["BlockLocation", "Blockstore"]
