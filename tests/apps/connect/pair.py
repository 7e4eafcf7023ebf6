"""Two conversations in one process, and what tests wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from zwerm.apps.connect.conversation import CodeMade, Conversation, FileChanged, News, StateChanged
from zwerm.apps.connect.desk import FileEntry, FileState
from zwerm.apps.connect.link import LinkState, Reach

HERE = Reach(loopback=True)
LIMIT = 60.0  # seconds, of a busy machine

NewsT = TypeVar("NewsT")


class Person:
    """A conversation and what it told."""

    def __init__(self, folder: Path, *, accepts_all: bool = True) -> None:
        self.news: asyncio.Queue[News] = asyncio.Queue()
        self.folder = folder
        self.moves: list[tuple[str, FileState, int]] = []
        self.talk = Conversation(HERE, folder, accepts_all=accepts_all, program="zwerm test", tell=self._keep)

    def _keep(self, news: News) -> None:
        if isinstance(news, FileChanged):
            self.moves.append((news.entry.name, news.entry.state, news.entry.moved))
        self.news.put_nowait(news)

    async def told(self, kind: type[NewsT], when: Callable[[NewsT], bool] = lambda _: True) -> NewsT:
        """Wait for a piece of news."""
        async with asyncio.timeout(LIMIT):
            while True:
                news = await self.news.get()
                if isinstance(news, kind) and when(news):
                    return news

    async def is_connected(self) -> None:
        await self.told(StateChanged, lambda news: news.state is LinkState.CONNECTED)

    async def file(self, state: FileState, name: str = "") -> FileEntry:
        """Wait until a file stands like that, as it may do already."""

        def found() -> FileEntry | None:
            entries = self.talk.desk.entries
            return next((one for one in entries if one.state is state and name in one.name), None)

        while (entry := found()) is None:
            await self.told(FileChanged)
        return entry

    async def moved(self, entry: FileEntry, size: int) -> None:
        """Wait until so much of a file has moved."""
        while entry.moved < size:
            await self.told(FileChanged)


@asynccontextmanager
async def people(folder: Path, *, accepts_all: bool = True) -> AsyncIterator[tuple[Person, Person]]:
    """Two who have not begun yet."""
    left, right = Person(folder / "left", accepts_all=accepts_all), Person(folder / "right", accepts_all=accepts_all)
    try:
        yield left, right
    finally:
        await left.talk.close()
        await right.talk.close()


async def paste(left: Person, right: Person) -> None:
    """Make codes, carry both, wait until both are connected."""
    for one in (left, right):
        if one.talk.state in (LinkState.LOST, LinkState.CONNECTED, LinkState.INTERRUPTED):
            await one.talk.begin()
    codes = [(await one.told(CodeMade)).code for one in (left, right)]
    await left.talk.connect(codes[1])
    await right.talk.connect(codes[0])
    await left.is_connected()
    await right.is_connected()
