"""Two people who talk: one link after the other, chat and files across them.

`begin` makes a code, `connect` takes the other's. When a link is lost without a word the conversation makes the next
code by itself; the files go on where they stood once both have pasted again.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from zwerm.apps.connect import chat
from zwerm.apps.connect.desk import Desk, FileEntry
from zwerm.apps.connect.link import Link, LinkState, Reach, send
from zwerm.core.errors import LocalProtocolError, TransportError, WireError

_RETRY: Final = 2.0  # seconds


@dataclasses.dataclass(frozen=True, slots=True)
class CodeMade:
    """Give this to the other person."""

    code: str


@dataclasses.dataclass(frozen=True, slots=True)
class StateChanged:
    """The link stands like this now."""

    state: LinkState


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """The other side says something."""

    saying: chat.Saying


@dataclasses.dataclass(frozen=True, slots=True)
class FileChanged:
    """A file is offered, moved, or is over."""

    entry: FileEntry


@dataclasses.dataclass(frozen=True, slots=True)
class Left:
    """The other side left on purpose; the conversation is over."""


News: TypeAlias = CodeMade | StateChanged | Said | FileChanged | Left


class Conversation:
    """See the module. `tell` is called from the loop with each piece of news; `close` ends everything."""

    def __init__(
        self, reach: Reach, folder: Path, *, accepts_all: bool, program: str, tell: Callable[[News], None]
    ) -> None:
        """Begin nothing yet.

        Args:
            reach: how far links look.
            folder: where received files go.
            accepts_all: take every file without asking.
            program: what the other side is told that this is, with its version.
            tell: is told everything.
        """
        self._reach = reach
        self._program = program
        self._tell = tell
        self._link: Link | None = None
        self._renewal: asyncio.Task[None] | None = None
        self.has_left = False
        self._attached: Link | None = None  # the link whose files the desk moves
        self.desk = Desk(folder, accepts_all=accepts_all, tell=lambda entry: tell(FileChanged(entry)))

    @property
    def state(self) -> LinkState:
        return LinkState.LOST if self._link is None else self._link.state

    async def begin(self) -> None:
        """Give up the link there is, and make a code for the next one.

        Raises:
            TransportError: this machine has no address.
        """
        await self._drop()
        link = self._link = Link(self._reach, self._state_changed)
        link.chat.on("message", self._hear)
        code = await link.make_code()
        if link is self._link:
            self._tell(CodeMade(code))

    async def connect(self, pasted: str) -> None:
        """Take the other side's code.

        Raises:
            PasteError: it cannot be used; nothing changed.
            LocalProtocolError: this is not the moment.
        """
        if self._link is None:
            raise LocalProtocolError("there is no link that a code could be for")
        await self._link.connect(pasted)

    def say(self, saying: chat.Saying) -> None:
        """Tell the other side.

        Raises:
            LocalProtocolError: there is no link, or the text is too long.
        """
        if isinstance(saying, chat.Text) and len(saying.text) > chat.MAX_TEXT:
            raise LocalProtocolError(f"a line of {len(saying.text)} characters, expected at most {chat.MAX_TEXT}")
        if self._link is None or not send(self._link.chat, str(saying)):
            raise LocalProtocolError("nobody is connected; what you wrote was not sent")

    async def close(self) -> None:
        """Say goodbye where somebody hears it, and be gone. Twice is harmless."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
        if self._link is not None and send(self._link.chat, str(chat.Bye())):
            await asyncio.sleep(0)  # one turn of the loop, in which it goes out
        await self._drop()

    async def _drop(self) -> None:
        link, self._link = self._link, None
        await self.desk.detach()
        if link is not None:
            await link.close()

    async def _renew(self) -> None:
        """Make the next code; while this machine has no address at all, try again now and then."""
        while True:
            try:
                return await self.begin()
            except TransportError:
                await asyncio.sleep(_RETRY)

    def _state_changed(self, state: LinkState) -> None:
        link = self._link
        if link is None:
            return
        if state is LinkState.CONNECTED and link is not self._attached:
            self._attached = link
            send(link.chat, str(chat.Hello(self._program)))
            self.desk.attach(link.files)
        self._tell(StateChanged(state))
        if state is LinkState.LOST and not self.has_left:
            self._renewal = asyncio.get_running_loop().create_task(self._renew())

    def _hear(self, message: str | bytes) -> None:
        try:
            saying = chat.parse(message) if isinstance(message, str) else None
        except WireError:
            return  # a line that nobody can read is a line less
        if isinstance(saying, chat.Bye):
            self.has_left = True
            self._tell(Left())
        elif saying is not None:
            self._tell(Said(saying))
