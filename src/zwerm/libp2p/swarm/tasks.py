"""Tasks with an owner that ends them.

An `asyncio.TaskGroup` ends all when one fails, and must be left by the task that entered it; a swarm lives on when one
handler of one peer fails, and is closed by whoever closes the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from zwerm.core.errors import LocalProtocolError

T = TypeVar("T")


class Tasks:
    """The tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    def spawn(self, coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run `coroutine` in a task that ends with the owner.

        Raises:
            LocalProtocolError: the owner is closed.
        """
        if self._is_closed:
            coroutine.close()
            raise LocalProtocolError(f"closed before the task {name!r} began")
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel every task and wait until all have ended. The caller may be one of them, and goes on."""
        self._is_closed = True
        current = asyncio.current_task()
        while waiting := {task for task in self._tasks if task is not current}:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)

    def __len__(self) -> int:
        return len(self._tasks)
