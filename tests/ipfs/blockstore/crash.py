"""Leaving a store as a dying process would: nothing written, nothing synced, only the descriptors closed."""

from __future__ import annotations

from zwerm.ipfs.blockstore import PackBlockstore


def abandon(store: PackBlockstore) -> None:
    """Drop a store without `close`. What was not synced may be found again or not."""
    store._closed = True
    store._appender.close()
    store._files.close()
