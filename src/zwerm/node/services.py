"""Start order: what a node is made of, each part given only the parts before it. Closing goes the other way round.

The mutable files with what rests on them are a part of their own: a command that adds or reads content by its address
has no use for them, and opening them takes longer than such a command does.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zwerm.ipfs.mfs.files import Files
    from zwerm.ipfs.pins.collector import Collector
    from zwerm.ipfs.versions.history import History
    from zwerm.node.config import Config
    from zwerm.node.node import Node
    from zwerm.node.roots import Roots
    from zwerm.node.statistics import TreeCounter


class FileServices(NamedTuple):
    """The mutable files, their versions, and who must know both."""

    files: Files
    history: History
    roots: Roots
    collector: Collector
    counter: TreeCounter

    async def close(self) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.files.close)
            stack.push_async_callback(self.collector.close)
            stack.push_async_callback(self.counter.close)


async def start(node: Node, stack: AsyncExitStack) -> None:
    """Open everything on `node`; what was opened is closed by `stack`, also when a later part fails."""
    from zwerm.ipfs.blockstore.local import LocalSource
    from zwerm.ipfs.blockstore.packstore import PackBlockstore
    from zwerm.ipfs.blockstore.repair import open_database
    from zwerm.ipfs.exchange.switch import SwitchedSource
    from zwerm.ipfs.pins.pins import Pins
    from zwerm.ipfs.unixfs.hashers import Hashers
    from zwerm.node.announce import Announcer
    from zwerm.node.names import NodeNames
    from zwerm.node.statistics import BlockCounter

    repository = node._opened
    if repository is None:
        repository = await asyncio.to_thread(node._open_repository)
    node.repository = repository
    stack.callback(repository.close)
    config = repository.config
    node.names = NodeNames(node)
    node.announcer = Announcer(node.events, asyncio.get_running_loop())

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
        node.source = SwitchedSource(LocalSource(node.store, verify=config.boolean("storage.verify")))
        node.hashers = Hashers()
        stack.callback(node.hashers.close)
        node.pins = Pins(node.database, node.store)
        node.pins.listeners.append(node.announcer.pin_changed)
        node.blocks = BlockCounter(node)
        # In a new repository they are made at once: later the disk may be full, and reading must need no room on it.
        if not node._lazy or not node.database.has("versions"):
            node.open_files()
        if not node.database.has("ipns"):
            from zwerm.ipfs.ipns.store import RecordStore

            RecordStore(node.database)

    await asyncio.to_thread(open_storage)
    stack.push_async_callback(node.names.close)
    stack.push_async_callback(node._close_files)
    if node._online:
        from zwerm.node.network import join

        node.network = await join(node, stack)


def open_files(node: Node) -> FileServices:
    """Open the mutable files. Blocks for the disk; any thread."""
    from zwerm.ipfs.mfs.files import Files
    from zwerm.ipfs.pins.collector import Collector
    from zwerm.ipfs.versions.history import History
    from zwerm.ipfs.versions.policy import Policy
    from zwerm.node.roots import Roots
    from zwerm.node.statistics import TreeCounter

    config = node.config
    files = Files(node.database, node.store, node.source, node.import_profile(), hashers=node.hashers, names=node.names)
    history = History(
        node.database,
        node.store,
        node.source,
        files,
        node.repository.key,
        policy=Policy.from_text(config.text("history.policy")),
        record=config.boolean("history.record"),
    )
    roots = Roots(files, history)
    collector = Collector(node.store, node.pins, roots)
    files.listeners.append(node.announcer.files_changed)
    collector.listeners.append(node.announcer.collected)
    return FileServices(files, history, roots, collector, TreeCounter(node))


def _limit(config: Config) -> int | None:
    return config.size("storage.max") or None


def _follow_limit(node: Node) -> None:
    """Let a change of `storage.max` count at once."""
    limit = _limit(node.config)
    if limit != node.store.max_size:
        node.store.set_limit(limit)
