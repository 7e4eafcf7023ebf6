"""Start order: what a node is made of, each part given only the parts before it. Closing goes the other way round."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zwerm.node.config import Config
    from zwerm.node.node import Node


async def start(node: Node, stack: AsyncExitStack) -> None:
    """Open everything on `node`; what was opened is closed by `stack`, also when a later part fails."""
    from zwerm.ipfs.blockstore.local import LocalSource
    from zwerm.ipfs.blockstore.packstore import PackBlockstore
    from zwerm.ipfs.blockstore.repair import open_database
    from zwerm.ipfs.mfs.files import Files
    from zwerm.ipfs.names import NoNames
    from zwerm.ipfs.pins.collector import Collector
    from zwerm.ipfs.pins.pins import Pins
    from zwerm.ipfs.unixfs.hashers import Hashers
    from zwerm.ipfs.versions.history import History
    from zwerm.ipfs.versions.policy import Policy
    from zwerm.node.announce import announce
    from zwerm.node.roots import Roots
    from zwerm.node.statistics import BlockCounter, TreeCounter

    repository = node._opened
    if repository is None:
        repository = await asyncio.to_thread(node._open_repository)
    node.repository = repository
    stack.callback(repository.close)
    config = repository.config
    node.keys = repository.keystore()
    node.names = NoNames()

    def open_storage() -> None:
        node.database, node.saved = open_database(repository.index_path, save=node._save_index)
        stack.callback(node.database.close)
        node.store = PackBlockstore(repository.blocks_path, node.database, max_size=_limit(config))
        stack.callback(node.store.close)
        config.listeners.append(lambda: _follow_limit(node))
        stack.callback(config.listeners.clear)
        node.keep_reserve()
        stack.callback(node.keep_reserve)
        if node.saved is not None and node.saved.whole:
            node.store.accept_lost_pins()  # they were saved
        node.source = LocalSource(node.store, verify=config.boolean("storage.verify"))
        node.hashers = Hashers()
        stack.callback(node.hashers.close)
        node.pins = Pins(node.database, node.store)
        node.files = Files(
            node.database,
            node.store,
            node.source,
            node.import_profile(),
            hashers=node.hashers,
            names=node.names,
        )

        node.history = History(
            node.database,
            node.store,
            node.source,
            node.files,
            repository.key,
            policy=Policy.from_text(config.text("history.policy")),
            record=config.boolean("history.record"),
        )

    await asyncio.to_thread(open_storage)
    stack.push_async_callback(node.files.close)
    node.roots = Roots(node.files, node.history)
    node.collector = Collector(node.store, node.pins, node.roots)
    stack.push_async_callback(node.collector.close)
    announce(node)
    node.blocks = BlockCounter(node)
    node.tree = TreeCounter(node)
    stack.push_async_callback(node.tree.close)


def _limit(config: Config) -> int | None:
    return config.size("storage.max") or None


def _follow_limit(node: Node) -> None:
    """Let a change of `storage.max` count at once."""
    limit = _limit(node.config)
    if limit != node.store.max_size:
        node.store.set_limit(limit)
