"""The repository itself as the one who does the work: the node runs in this process while a command does.

One task of the node's loop reads the answer and fills a small queue; the loop turns only while somebody waits for the
next item, so what is read ahead is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from zwerm.daemon.rpc.body import DiskBody, StreamBody
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Command, Context, RawStream

if TYPE_CHECKING:
    from zwerm.cli.session import Settings
    from zwerm.node.node import Node

_T = TypeVar("_T")
_AHEAD: Final = 512  # items read ahead
_AHEAD_BYTES: Final = 8 << 20
_PATIENCE: Final = 10.0  # seconds for another command on the same repository to finish


class LocalAnswer:
    """The answer of a command that runs in this process."""

    def __init__(self, runner: asyncio.Runner, result: Any) -> None:
        self._runner = runner
        self._result = result
        self._ready: deque[Any] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self.raw = isinstance(result, RawStream)
        self.length = result.length if isinstance(result, RawStream) else None

    def items(self) -> Iterator[Any]:
        if hasattr(self._result, "__aiter__"):
            yield from self._iterate(self._result)
        elif self._result is not None:
            yield self._result

    def chunks(self) -> Iterator[bytes]:
        assert isinstance(self._result, RawStream)  # noqa: S101 -- the command's table says what it gives
        return self._iterate(self._result.chunks)

    def _iterate(self, stream: AsyncIterator[_T]) -> Iterator[_T]:
        try:
            while self._runner.run(self._more(stream)):
                while self._ready:
                    item = self._ready.popleft()
                    yield item
                self._size = 0
                self._room.set()
        finally:
            self.close()

    async def _more(self, stream: AsyncIterator[Any]) -> bool:
        if self._pump is None:
            self._pump = asyncio.create_task(self._fill(stream))
        while not self._ready and not self._pump.done():
            self._wake.clear()
            await self._wake.wait()
        if not self._ready:
            await self._pump
        return bool(self._ready)

    async def _fill(self, stream: AsyncIterator[Any]) -> None:
        try:
            async for item in stream:
                self._ready.append(item)
                self._size += len(item) if isinstance(item, bytes) else 0
                self._wake.set()
                if len(self._ready) >= _AHEAD or self._size >= _AHEAD_BYTES:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._wake.set()

    def close(self) -> None:
        if self._pump is not None and not self._pump.done():
            self._runner.run(self._stop(self._pump))
        stream = self._result.chunks if isinstance(self._result, RawStream) else self._result
        if hasattr(stream, "aclose"):
            self._runner.run(stream.aclose())
        self._result = None

    @staticmethod
    async def _stop(task: asyncio.Task[None]) -> None:
        task.cancel()
        await asyncio.wait([task])


class _Impatient(ThreadPoolExecutor):
    """Threads that are not waited for in the end: one may hang on a pipe that nobody fills."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 -- see above
        super().shutdown(wait=False, cancel_futures=True)


class LocalClient:
    """Opens the repository when the first command needs it, and closes it with the client."""

    is_local = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_default_executor(_Impatient(thread_name_prefix="zwerm"))
        self._stack = AsyncExitStack()
        self._node: Node | None = None
        self._running = False  # whether its services run

    def call(
        self,
        command: Command,
        arguments: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        body: DiskBody | StreamBody | None = None,
    ) -> LocalAnswer:
        """Start a command; errors before its first item come from here or from the answer."""
        return self._runner.run(self._start(command, arguments, options, body))

    def node(self) -> Node:
        """Return the open node, for the few commands that are no RPC command."""
        return self._runner.run(self._open())

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine on the node's loop."""
        return self._runner.run(work)

    async def _start(
        self,
        command: Command,
        arguments: Sequence[str],
        options: Mapping[str, Any] | None,
        body: DiskBody | StreamBody | None,
    ) -> LocalAnswer:
        context = Context(await self._node_for(command), in_process=True)
        return LocalAnswer(self._runner, await invoke(command, context, arguments, options, body))

    async def _node_for(self, command: Command) -> Node:
        """Return as much of a node as a command looks at: nothing, its settings and keys, or all of it running."""
        if command.without_node:
            return cast("Node", None)  # opening would make a repository for `cid format`
        if command.repository_only:
            return self._repository()
        return await self._open(save_index=command.path == "repo/repair")  # which is for what opens in no other way

    def _repository(self, *, save_index: bool = False) -> Node:
        """Open the repository; the node on it has its settings and keys, and nothing that runs."""
        if self._node is None:
            from zwerm.node.node import Node
            from zwerm.node.repository import Repository

            settings = self._settings
            repository = Repository.open(settings.repository, purpose=settings.purpose, patience=_PATIENCE)
            self._stack.callback(repository.close)
            self._node = Node.on(repository, save_index=save_index, lazy=True)
        return self._node

    async def _open(self, *, save_index: bool = False) -> Node:
        node = self._repository(save_index=save_index)
        if not self._running:
            await self._stack.enter_async_context(node)
            self._running = True
        return node

    def close(self) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()
