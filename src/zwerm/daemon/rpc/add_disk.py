"""Adding what lies on this machine's disk: the importer reads it in a thread, and tells what it finished."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.add import AddPlan, event, keep
from zwerm.daemon.rpc.body import DiskBody
from zwerm.daemon.rpc.disk import check_named, follows, ignore_rules, is_stream, named_status, path_name
from zwerm.daemon.rpc.registry import Context

if TYPE_CHECKING:
    from zwerm.ipfs.unixfs.builder import BlockSink
    from zwerm.ipfs.unixfs.entry import Entry

_REPORT: Final = 0.2  # seconds between two progress items
_RELEASE: Final = 1.0  # seconds between two syncs for the sake of telling what was added
_GATHERED: Final = 512  # entries; more blocks than the importer gathers before it gives them to the store


class DiskAdder:
    """One `add` of named paths."""

    def __init__(self, context: Context, plan: AddPlan, body: DiskBody) -> None:
        self._context = context
        self._plan = plan
        self._body = body
        self._finished: deque[tuple[str, Entry]] = deque()  # filled by the thread
        self._bytes = 0
        self._told = 0  # bytes

    async def run(self) -> AsyncIterator[dict[str, Any]]:
        """Yield events; every address in them is durable, every root kept."""
        from zwerm.ipfs.unixfs.builder import NoStore

        context, plan = self._context, self._plan
        check_named(self._body)
        sink = NoStore() if plan.only_hash else context.node.store
        roots: list[tuple[str, Entry]] = []
        for index, path in enumerate(self._body.paths):
            name = self._body.names[index] if self._body.names else path_name(path)
            work = asyncio.ensure_future(self._import(sink, path, name))
            try:
                async for told in self._watch(work):
                    yield told
                roots.append((name, await work))
            finally:
                if not work.done():
                    work.cancel()
                    await asyncio.wait([work])
            if not plan.wrap and plan.to_files is None:
                await keep(context, plan, roots[-1:])
                for told in self._rest():
                    yield told
        if plan.progress and self._bytes:
            yield {"Name": "", "Bytes": self._bytes}
        if plan.wrap:
            roots = [("", await asyncio.to_thread(_wrap, sink, plan, roots))]
            self._finished.append(roots[0])
        if plan.wrap or plan.to_files is not None:
            await keep(context, plan, roots)
            for told in self._rest():
                yield told
        if plan.quieter and not plan.silent:
            for name, entry in roots:
                yield event(context, plan, name, entry)

    async def _watch(self, work: asyncio.Future[Entry]) -> AsyncIterator[dict[str, Any]]:
        """Tell how far the thread is, until it is done."""
        since = 0.0
        while not (await asyncio.wait([work], timeout=_REPORT))[0]:
            since += _REPORT
            if since >= _RELEASE:
                since = 0.0
                for told in await self._release():
                    yield told
            if self._plan.progress and self._bytes > self._told:
                self._told = self._bytes
                yield {"Name": "", "Bytes": self._bytes}

    async def _import(self, sink: BlockSink, path: Path, name: str) -> Entry:
        from zwerm.ipfs.unixfs.importer import Follow, Importer
        from zwerm.node.importing import in_stoppable_thread

        body, plan = self._body, self._plan
        follow = Follow.ARGUMENT if follows(body, path) else Follow.NOTHING
        if body.dereference_symlinks:
            follow = Follow.EVERYTHING
        before = self._bytes

        def work(check: Callable[[], None]) -> Entry:
            def progress(size: int, _files: int) -> None:
                check()
                self._bytes = before + size

            def on_entry(relative: str, entry: Entry) -> None:
                self._finished.append((f"{name}/{relative}" if relative else name, entry))

            importer = Importer(
                sink,
                plan.profile,
                hashers=self._context.node.hashers,
                progress=progress,
                on_entry=None if plan.silent or plan.quieter else on_entry,
            )
            if is_stream(named_status(path, follow=follow is not Follow.NOTHING)):
                with path.open("rb", buffering=0) as file:
                    return importer.add_file(iter(lambda: file.read(1 << 20) or b"", b""))
            return importer.add_path(
                path,
                recursive=body.recursive,
                hidden=body.hidden,
                ignore=ignore_rules(body),
                follow=follow,
            )

        return await in_stoppable_thread(work)

    async def _release(self) -> list[dict[str, Any]]:
        """Make what was finished durable and return it.

        The newest are held back: their blocks may still be gathered by the importer.
        """
        if self._plan.profile.inline_limit is not None:
            return []  # entries without a block of their own say nothing about how far the importer is
        count = len(self._finished) - _GATHERED
        if count <= 0:
            return []
        ready = [self._finished.popleft() for _ in range(count)]
        if not self._plan.only_hash:
            await asyncio.to_thread(self._context.node.store.sync)
        return [event(self._context, self._plan, name, entry) for name, entry in ready]

    def _rest(self) -> Iterator[dict[str, Any]]:
        """Tell everything that is left; all of it is durable, and roots are kept."""
        while self._finished and not (self._plan.quieter or self._plan.silent):
            name, entry = self._finished.popleft()
            yield event(self._context, self._plan, name, entry)


def _wrap(sink: BlockSink, plan: AddPlan, roots: list[tuple[str, Entry]]) -> Entry:
    from zwerm.ipfs.unixfs.directory import DirectoryWriter

    writer = DirectoryWriter(sink, plan.profile)
    for name, entry in dict(roots).items():
        writer.add(name, entry.cid, entry.total_size)
    return writer.finish()
