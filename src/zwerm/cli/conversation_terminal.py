"""A conversation in a terminal: lines in, lines out, a progress line for files; or JSON documents, one a line.

Standard input is read by a thread, for an ordinary terminal cannot be read without blocking unless its output changes
too. The thread waits in a system call and holds nothing that the end of the process needs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import shutil
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import zwerm
from zwerm.apps.connect import chat
from zwerm.apps.connect.conversation import CodeMade, Conversation, FileChanged, Left, News, Said, StateChanged
from zwerm.apps.connect.desk import FileEntry, FileState, Way
from zwerm.apps.connect.link import LinkState, Reach
from zwerm.cli.output import Output, complain, human_size, safe
from zwerm.cli.progress import Progress
from zwerm.core.errors import LocalProtocolError, StorageError
from zwerm.webrtc.paste.text import WORD, Incomplete, PasteError, read, wrap
from zwerm.webrtc.transfer.message import Reason

_MAX_LINE: Final = 1 << 16  # bytes of input without a line's end
_HELP: Final = (
    "/send PATH   offer a file         /accept [N]  take a file        /stop N  decline or stop a file",
    "/files       list the files       /code        show my code       /qr      show it as a QR code",
    "/new         make a new code      /quit        leave              //text   say a line that begins with /",
)
_STATES: Final = {
    LinkState.CONNECTING: "Waiting for the other side. They have to paste your code too.",
    LinkState.CONNECTED: "Connected. What you type is said; /help lists what else there is.",
    LinkState.INTERRUPTED: "The other side does not answer. Waiting; /new makes a new code.",
    LinkState.LOST: "The connection is lost. A new code follows; files go on where they stood.",
}
_REASONS: Final = {
    Reason.UNKNOWN: "it broke off",
    Reason.DECLINED: "it was declined",
    Reason.STOPPED: "it was stopped",
    Reason.DISK_FULL: "the receiver's disk is full",
    Reason.CANNOT_WRITE: "the receiver cannot write it",
    Reason.CANNOT_READ: "the sender cannot read it",
    Reason.CHANGED: "it was changed at the sender's while it was sent",
    Reason.DAMAGED: "what arrived was not what was offered; send it again",
    Reason.TOO_MANY: "the receiver takes no more files at once",
    Reason.TOO_LARGE: "it is larger than the receiver takes",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asks for."""

    folder: Path
    accepts_all: bool
    send: Sequence[Path]
    shows_qr: bool
    is_json: bool


class Terminal:
    """Runs one conversation; `run` returns the exit status."""

    def __init__(self, output: Output, plan: Plan, reach: Reach) -> None:
        self._output = output
        self._plan = plan
        self._conversation = Conversation(
            reach, plan.folder, accepts_all=plan.accepts_all, program=f"zwerm {zwerm.__version__}", tell=self._tell
        )
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._is_over = asyncio.Event()
        self._pasted = ""  # the beginning of a code of several lines
        self._code = ""
        self._told: dict[int, FileState] = {}
        self._documented: dict[int, tuple[FileState, int]] = {}
        self._bars: dict[int, Progress] = {}
        self._has_failed = False
        self._is_unread = False
        self._can_paste = True  # as long as there is input

    async def run(self) -> int:
        """Talk until either side leaves, the input ends, or all files of `--send` are over."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._is_over.set)
        self._read_input(loop)
        try:
            await self._conversation.begin()
            for path in self._plan.send:
                await self._conversation.desk.send(path)
            await self._talk()
        finally:
            await self._conversation.close()
            for bar in self._bars.values():
                bar.close()
            loop.remove_signal_handler(signal.SIGTERM)
        if self._is_unread:
            raise BrokenPipeError
        is_unfinished = bool(self._plan.send) and not self._conversation.desk.is_all_over
        return int(is_unfinished or (self._has_failed and bool(self._plan.send or self._plan.accepts_all)))

    async def _talk(self) -> None:
        over = asyncio.create_task(self._is_over.wait())
        try:
            while not over.done():
                line = asyncio.create_task(self._lines.get())
                await asyncio.wait((line, over), return_when=asyncio.FIRST_COMPLETED)
                if not line.done():
                    line.cancel()
                elif (typed := line.result()) is None:
                    await self._input_ended(over)
                else:
                    await self._obey(typed)
        finally:
            over.cancel()

    async def _input_ended(self, over: asyncio.Task[Any]) -> None:
        """Without a terminal, files may still be on their way; with one it is Ctrl-D."""
        self._can_paste = False
        is_moving = self._plan.accepts_all or self._plan.send
        if is_moving and self._conversation.state not in (LinkState.NEW, LinkState.LOST):
            await over
        elif is_moving:
            self._has_failed = True  # nobody will paste a code any more
        self._is_over.set()
        await over

    # What is typed.

    async def _obey(self, line: str) -> None:
        try:
            if self._conversation.state is LinkState.NEW or self._is_code(line):
                await self._paste(line)
            elif line.startswith("//"):
                self._conversation.say(chat.Text(line[1:]))
            elif line.startswith("/"):
                await self._command(line)
            elif line.strip():
                self._conversation.say(chat.Text(line))
        except (LocalProtocolError, StorageError) as error:
            self._complain(str(error))
        except OSError as error:
            self._complain(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "))

    def _is_code(self, line: str) -> bool:
        """After a break the other side's new code may come before anybody asks for it."""
        is_there = self._conversation.state in (LinkState.INTERRUPTED, LinkState.LOST)
        return is_there and line.strip().startswith(WORD)

    async def _paste(self, line: str) -> None:
        if line.startswith("/"):
            await self._command(line)
            return
        if not line.strip() and not self._pasted:
            return
        self._pasted += line + "\n"
        try:
            read(self._pasted)
        except Incomplete:
            if line.strip():
                return  # the next line has the rest; an empty one says that this was all
        except PasteError:
            pass  # said below, as everything that the conversation finds wrong
        pasted, self._pasted = self._pasted, ""
        try:
            if self._conversation.state is not LinkState.NEW:
                await self._conversation.begin()
            await self._conversation.connect(pasted)
        except PasteError as error:
            self._complain(str(error))

    async def _command(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        desk = self._conversation.desk
        match word:
            case "/send" if rest:
                await desk.send(_path(rest))
            case "/accept":
                waiting = [one.number for one in desk.entries if one.state is FileState.OFFERED and one.way is Way.IN]
                desk.accept(_number(rest) if rest else next(iter(waiting), 0))
            case "/stop" | "/decline":
                desk.decline(_number(rest))
            case "/files":
                for entry in desk.entries:
                    self._line(f"{entry.number}  {_described(entry)}")
            case "/code":
                self._show_code()
            case "/qr":
                self._show_qr()
            case "/new":
                await self._conversation.begin()
            case "/quit":
                self._is_over.set()
            case _:
                for text in _HELP:
                    self._line(text)

    # What is told.

    def _tell(self, news: News) -> None:
        try:
            self._show(news)
        except BrokenPipeError:  # nobody reads any more; said when all is closed
            self._is_unread = True
            self._is_over.set()

    def _show(self, news: News) -> None:
        if self._plan.is_json and self._is_worth_telling(news):
            document = _document(news)
            if document is not None:
                self._output.json(document)
                self._output.flush()
        match news:
            case CodeMade(code):
                self._code = code
                self._pasted = ""
                if not self._plan.is_json:
                    self._show_code()
            case StateChanged(state):
                self._tell_link(state)
            case Said(chat.Text(text)) if not self._plan.is_json:
                for line in text.split("\n"):
                    self._line(f"< {safe(line)}")
            case FileChanged(entry):
                self._tell_file(entry)
            case Left():
                if not self._plan.is_json:
                    self._line("The other side left.")
                self._is_over.set()

    def _is_worth_telling(self, news: News) -> bool:
        """A file that moves is told of at each hundredth."""
        if not isinstance(news, FileChanged):
            return True
        entry = news.entry
        state, moved = self._documented.get(entry.number, (None, 0))
        if state is entry.state and entry.moved < entry.size and entry.moved - moved < entry.size / 100:
            return False
        self._documented[entry.number] = entry.state, entry.moved
        return True

    def _tell_link(self, state: LinkState) -> None:
        if not self._plan.is_json:
            self._line(_STATES[state])
        if state is LinkState.LOST and not self._can_paste:
            self._has_failed = True
            self._is_over.set()  # nobody could paste the next code

    def _tell_file(self, entry: FileEntry) -> None:
        if not self._plan.is_json:
            self._show_progress(entry)
            if self._told.get(entry.number) is not entry.state:
                self._told[entry.number] = entry.state
                self._tell_state(entry)
        if entry.state is FileState.ENDED:
            self._has_failed = self._has_failed or entry.reason is not Reason.DECLINED or entry.way is Way.OUT
        if self._plan.send and self._conversation.desk.is_all_over:
            self._is_over.set()

    def _tell_state(self, entry: FileEntry) -> None:
        if entry.state is FileState.OFFERED and entry.way is Way.IN:
            if not self._plan.accepts_all and not entry.is_wanted:
                self._line(f"{_described(entry)}. /accept {entry.number} takes it, /stop {entry.number} does not.")
        elif entry.state is not FileState.MOVING or entry.size == 0:
            self._line(_described(entry))

    def _show_progress(self, entry: FileEntry) -> None:
        bar = self._bars.get(entry.number)
        if entry.state is not FileState.MOVING:
            if bar is not None:
                del self._bars[entry.number]
                bar.close()
            return
        if bar is None:
            if self._bars:
                return  # one at a time; the list has the others
            shown = self._output.is_terminal
            bar = self._bars[entry.number] = Progress(safe(entry.name), entry.size, shown=shown)
        bar.update(entry.moved)

    def _show_code(self) -> None:
        self._line("Your code; give it to the other person:")
        self._line()
        self._line(wrap(self._code, min(72, shutil.get_terminal_size().columns - 1)))
        self._line()
        if self._plan.shows_qr:
            self._show_qr()
        self._line("Paste theirs here, and press Enter:")

    def _show_qr(self) -> None:
        import io

        import segno

        drawn = io.StringIO()
        segno.make(self._code, micro=False, error="l").terminal(drawn, border=2, compact=True)
        self._line(drawn.getvalue().rstrip("\n"))

    def _line(self, text: str = "") -> None:
        for bar in self._bars.values():
            bar.line(self._output, text)
            break
        else:
            self._output.line(text)
        self._output.flush()

    def _complain(self, text: str) -> None:
        if self._plan.is_json:
            self._output.json({"Type": "error", "Message": text})
            self._output.flush()
        else:
            complain(safe(text))

    def _read_input(self, loop: asyncio.AbstractEventLoop) -> None:
        def give(line: str | None) -> None:
            try:
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            except RuntimeError:
                return  # the loop is closed: nobody listens any more

        def read_lines() -> None:
            kept = b""
            while data := _read_some():
                *lines, kept = (kept + data).split(b"\n")
                for line in lines:
                    give(line.decode(errors="replace").rstrip("\r"))
                if len(kept) > _MAX_LINE:
                    kept = b""
            if kept:
                give(kept.decode(errors="replace"))
            give(None)

        threading.Thread(target=read_lines, name="input", daemon=True).start()


def _read_some() -> bytes:
    try:
        return os.read(0, 65_536)
    except OSError:
        return b""


def _path(text: str) -> Path:
    """A path as people type it, or drop it on a terminal."""
    return Path(text.strip().strip("'\"")).expanduser()


def _number(text: str) -> int:
    if not text.strip().isdecimal():
        raise LocalProtocolError(f"{text!r} is no number of a file; /files lists them")
    return int(text)


def _described(entry: FileEntry) -> str:
    name, size = safe(entry.name), human_size(entry.size)
    is_out = entry.way is Way.OUT
    match entry.state:
        case FileState.OFFERED:
            return f"You offer {name} ({size})" if is_out else f"They offer {name} ({size})"
        case FileState.MOVING:
            return f"{name}: {human_size(entry.moved)} of {size}"
        case FileState.WAITING:
            return f"{name}: {human_size(entry.moved)} of {size}; goes on with the next connection"
        case FileState.DONE:
            return f"{name} arrived" if is_out else f"{name} is here: {safe(str(entry.path))}"
        case FileState.ENDED:
            return f"{name} did not arrive: {_REASONS[entry.reason]}"


def _document(news: News) -> dict[str, Any] | None:
    match news:
        case CodeMade(code):
            return {"Type": "code", "Code": code}
        case StateChanged(state):
            return {"Type": "state", "State": state.name.lower()}
        case Said(chat.Text(text)):
            return {"Type": "text", "Text": text}
        case Said(chat.Hello(program)):
            return {"Type": "hello", "Program": program}
        case FileChanged(entry):
            return {
                "Type": "file",
                "Number": entry.number,
                "Way": entry.way.value,
                "Name": entry.name,
                "Size": entry.size,
                "Sha256": entry.sha256.hex(),
                "State": entry.state.value,
                "Moved": entry.moved,
                "Reason": entry.reason.name.lower() if entry.state is FileState.ENDED else None,
                "Path": str(entry.path) if entry.way is Way.IN and entry.path else None,
            }
        case Left():
            return {"Type": "left"}
        case _:
            return None
