"""Start order: what a node is made of, each part given only the parts before it. Closing goes the other way round."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from zwerm.node.repository import Repository

if TYPE_CHECKING:
    from zwerm.node.node import Node


async def start(node: Node, stack: AsyncExitStack) -> None:
    """Open everything on `node`; what was opened is closed by `stack`, also when a later part fails."""
    from zwerm.ipfs.blockstore.local import LocalSource
    from zwerm.ipfs.blockstore.packstore import PackBlockstore
    from zwerm.ipfs.database import Database
    from zwerm.ipfs.unixfs.hashers import Hashers

    node.repository = repository = await asyncio.to_thread(
        Repository.open,
        node._path,
        profile=node._profile,
        overrides=node._overrides,
        port_offset=node._port_offset,
        purpose=node._purpose,
        patience=node._patience,
    )
    stack.callback(repository.close)
    config = repository.config
    node.keys = repository.keystore()

    def open_storage() -> None:
        node.database = Database(repository.index_path)
        stack.callback(node.database.close)
        node.store = PackBlockstore(repository.blocks_path, node.database, max_size=config.size("storage.max") or None)
        stack.callback(node.store.close)

    await asyncio.to_thread(open_storage)
    node.source = LocalSource(node.store, verify=config.boolean("storage.verify"))
    node.hashers = Hashers()
    stack.callback(node.hashers.close)
