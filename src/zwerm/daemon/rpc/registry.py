"""The table of RPC commands: names, arguments, options, what they take and what they give (Kubo, "RPC API").

A family module declares functions with `@command`; the same declaration serves HTTP, the command line, `commands` and
the reference pages. `find` gets a command by its path; `invoke.invoke` binds text arguments and options to it and
runs it.

A function gets the `Context` first and then its arguments and options by keyword: `-` becomes `_`, and a name that
Python or its builtins use gets a trailing `_` (`hash_`). An argument of kind FILE is not passed by its name: the
function gets the whole upload as `body`. What it may return:

* an async generator of JSON values: a stream (NDJSON; HTTP header `X-Chunked-Output`);
* a coroutine that gives `RawStream`: bytes (`X-Stream-Output`);
* a coroutine that gives any other JSON value: one document; None: an empty answer.

Nothing is sent before the first item or chunk exists, so that an early failure can still be an error status. A stream
that fails later ends with the `X-Stream-Error` trailer. This module imports nothing heavy: `zwerm --help` reads it.
"""

from __future__ import annotations

import builtins
import dataclasses
import enum
import importlib
import keyword
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.absent import why_absent
from zwerm.daemon.rpc.errors import CommandAbsent, CommandError, CommandNotFound, UsageError
from zwerm.daemon.rpc.values import parse_bool, parse_int, parse_unsigned

if TYPE_CHECKING:
    import asyncio

    from zwerm.daemon.rpc.requests import Requests
    from zwerm.ipfs.ipld.path import ContentPath
    from zwerm.multiformats.cid import CID
    from zwerm.node.node import Node

# The module that declares the commands of each first word; longer paths go first.
FAMILIES: Final[dict[str, str]] = {
    "add": "add",
    "bitswap": "bitswap",
    "bitswap/reprovide": "older",
    "block": "block",
    "bootstrap": "bootstrap",
    "cat": "content",
    "cid": "cid",
    "commands": "commands",
    "config": "config",
    "dag": "dag",
    "dag/export": "archive",
    "dag/import": "archive",
    "dht": "older",
    "dht/query": "routing",
    "diag": "commands",
    "diag/reach": "reach",
    "diff": "history",
    "dns": "older",
    "files": "files",
    "get": "content",
    "history": "history",
    "id": "identity",
    "key": "key",
    "log": "log",
    "ls": "content",
    "multibase": "multibase",
    "name": "name",
    "name/get": "records",
    "name/put": "records",
    "name/pubsub/cancel": "pubsub",
    "name/pubsub/state": "pubsub",
    "name/pubsub/subs": "pubsub",
    "pin": "pin",
    "ping": "ping",
    "provide": "routing",
    "provide/clear": "older",
    "pubsub": "pubsub",
    "refs": "refs",
    "repo": "repo",
    "resolve": "refs",
    "restore": "history",
    "routing": "routing",
    "routing/reprovide": "older",
    "shutdown": "commands",
    "stats": "stats",
    "stats/dht": "routing",
    "stats/fetches": "fetches",
    "stats/provide": "routing",
    "stats/reprovide": "routing",
    "swarm": "swarm",
    "swarm/addrs/autonat": "swarm_state",
    "swarm/filters": "swarm_filters",
    "swarm/filters/add": "swarm_filters",
    "swarm/filters/rm": "swarm_filters",
    "swarm/resources": "swarm_state",
    "version": "identity",
}


class OptionKind(enum.Enum):
    """The type of an option's value, by Kubo's name for it."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    STRING = "string"
    STRINGS = "array"


_PARSERS: Final[dict[OptionKind, Callable[[str], Any]]] = {
    OptionKind.BOOL: parse_bool,
    OptionKind.INT: parse_int,
    OptionKind.UINT: parse_unsigned,
    OptionKind.FLOAT: float,
    OptionKind.STRING: str,
    OptionKind.STRINGS: str,
}
_EXPECTED: Final = {
    OptionKind.BOOL: "true or false",
    OptionKind.INT: "a whole number",
    OptionKind.UINT: "a whole number from 0 up",
    OptionKind.FLOAT: "a number",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One option; over HTTP each of `names` is a query parameter."""

    names: tuple[str, ...]  # the long name first
    kind: OptionKind
    description: str
    default: Any = None  # None: not given
    display: bool = False  # is about how a person is shown the answer; accepted, and not passed to the function

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def keyword(self) -> str:
        """The parameter that carries it in Python."""
        return python_name(self.name)

    def parse(self, text: str) -> Any:
        """Read the text of a value as Kubo does.

        Raises:
            UsageError: it is not of this kind.
        """
        try:
            return _PARSERS[self.kind](text)
        except ValueError:
            raise UsageError(
                f"--{self.name} is {text!r}, expected {_EXPECTED.get(self.kind, self.kind.value)}"
            ) from None


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """One positional argument; over HTTP the `arg` parameters in order, or the upload."""

    name: str
    description: str
    required: bool = True
    variadic: bool = False
    file: bool = False  # comes as the upload, the function gets `body`
    recursive: bool = False  # folders are welcome too
    stdin: bool = False  # the command line reads it from standard input when it is not given

    @property
    def keyword(self) -> str:
        return python_name(self.name)


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    path: str  # words joined by `/`, as in the URL after `/api/v0/`
    summary: str  # one line
    run: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    local_only: bool = False  # never over HTTP
    experimental: bool = False
    without_node: bool = False  # `Context.node` is not used, so no repository need be open
    repository_only: bool = False  # of the node only its settings and keys are used, so no service need run

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    @property
    def takes_body(self) -> bool:
        return any(argument.file for argument in self.arguments)

    def option(self, name: str) -> Option | None:
        """Find an option by any of its names, the global ones included."""
        for option in (*self.options, *GLOBAL_OPTIONS):
            if name in option.names:
                return option
        return None


@dataclasses.dataclass(slots=True)
class RawStream:
    """Bytes for the caller; `chunks` is closed by whoever got it, also when it was not read to the end."""

    chunks: AsyncGenerator[bytes, None]
    length: int | None = None  # bytes; sent as `X-Content-Length` when known
    content_type: str = "text/plain"  # Kubo's, so that no browser renders content on the RPC origin


@dataclasses.dataclass(slots=True)
class Context:
    """What a command may use: the node, and how its caller wants CIDs written."""

    node: Node
    cid_base: str | None = None  # a multibase name, or None: base58btc for version 0, base32 for version 1
    upgrade_cid_v0: bool = False
    offline: bool = False
    in_process: bool = False  # the caller is the person at this machine; paths on disk may be read and written
    stop: Callable[[], None] | None = None  # ends the daemon; None where there is none
    stopping: asyncio.Event | None = None  # set when the daemon ends
    requests: Requests | None = None  # those to the daemon
    tag: str | None = None  # by which the caller asks how its retrieval stands, with `stats/fetches`
    kubo_version: str | None = None  # what `version` says, where a client insists on an older one

    async def resolve(self, path: str) -> CID:
        """Return the CID that a caller's path ends at.

        Raises:
            CommandError: it is no path at all; the message shows it.
            NotFoundError: something on the way does not exist or is not here.
        """
        from zwerm.core.errors import WireError

        content = await self.content_path(path)
        try:
            return await self.node.resolve(content)
        except WireError as error:
            raise CommandError(f"invalid path {path!r}: {error}") from None

    async def content_path(self, path: str) -> ContentPath:
        """Return the immutable path that a caller's path stands for now. Errors as `resolve`."""
        from zwerm.core.errors import WireError
        from zwerm.ipfs.mfs.errors import FileMissing
        from zwerm.node.paths import content_path

        try:
            return await content_path(self.node, path)
        except FileMissing as error:
            text = str(error)
            raise FileMissing(text if path in text else f"{path}: {text}") from None
        except WireError as error:
            if path.startswith("/") or "://" in path:
                raise CommandError(f"invalid path {path!r}: {error}") from None
            what = "neither an address nor a path in the node's own tree, which begins with /"
            raise CommandError(f"invalid path {path!r}: {what} ({error})") from None

    def text(self, cid: CID) -> str:
        """Write a CID the way the caller asked."""
        if self.cid_base is None:
            return str(cid)
        if cid.version == 0:
            if not self.upgrade_cid_v0 and self.cid_base != "base58btc":
                return str(cid)
            cid = cid.to_v1() if self.upgrade_cid_v0 else cid
        return cid.encode(self.cid_base)


COMMANDS: Final[dict[str, Command]] = {}

_RESERVED: Final = {*keyword.kwlist, *dir(builtins), "context", "body"}


def python_name(name: str) -> str:
    """The keyword parameter that carries the option or argument `name`."""
    text = name.replace("-", "_")
    return text + "_" if text in _RESERVED else text


def argument(
    name: str, description: str, *, required: bool = True, variadic: bool = False, stdin: bool = False
) -> Argument:
    """Declare an argument that is text."""
    return Argument(name, description, required=required, variadic=variadic, stdin=stdin)


def file_argument(
    name: str, description: str, *, required: bool = True, variadic: bool = False, recursive: bool = False
) -> Argument:
    """Declare an argument that is an upload; on the command line standard input when no path is given."""
    return Argument(name, description, required=required, variadic=variadic, file=True, recursive=recursive, stdin=True)


def flag(*names: str, text: str, default: bool | None = None, display: bool = False) -> Option:
    """Declare an option that is true or false."""
    return Option(names, OptionKind.BOOL, text, default, display)


def option(
    *names: str, text: str, kind: OptionKind = OptionKind.STRING, default: Any = None, display: bool = False
) -> Option:
    """Declare an option with a value."""
    return Option(names, kind, text, default, display)


def command(
    path: str,
    summary: str,
    *,
    arguments: Sequence[Argument] = (),
    options: Sequence[Option] = (),
    local_only: bool = False,
    experimental: bool = False,
    without_node: bool = False,
    repository_only: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated function into `COMMANDS`."""

    def enter(run: Callable[..., Any]) -> Callable[..., Any]:
        COMMANDS[path] = Command(
            path,
            summary,
            run,
            tuple(arguments),
            tuple(options),
            local_only=local_only,
            experimental=experimental,
            without_node=without_node,
            repository_only=repository_only,
        )
        return run

    return enter


GLOBAL_OPTIONS: Final = (
    option(
        "encoding",
        "enc",
        text="How the answer is written: json, or text as the command line prints it.",
        default="json",
    ),
    flag("stream-channels", text="Send the items of an answer one by one as they come."),
    option("timeout", text="Give up after this long: 300ms, 1.5s, 2m, 1h."),
    flag("offline", text="Ask nobody on the network."),
    option("cid-base", text="Multibase that CIDs of version 1 are written in."),
    flag("upgrade-cidv0-in-output", text="Write CIDs of version 0 as version 1."),
)


FAST_PROVIDE: Final = tuple(
    flag(f"fast-provide-{what}", text="Accepted as Kubo does; there is no network yet.", display=True)
    for what in ("root", "dag", "wait")
)


def find(path: str) -> Command:
    """Return the command of `path`, importing its family on first use.

    Raises:
        CommandNotFound: there is none.
        CommandAbsent: Kubo has one.
    """
    found = COMMANDS.get(path)
    if found is None:
        module = FAMILIES.get(path) or FAMILIES.get(path.partition("/")[0])
        if module is not None:
            importlib.import_module(f"zwerm.daemon.rpc.{module}")
            found = COMMANDS.get(path)
    if found is None:
        reason = why_absent(path)
        raise CommandNotFound(path) if reason is None else CommandAbsent(reason)
    return found


def load_all() -> dict[str, Command]:
    """Import every family and return the whole table, sorted by path."""
    for module in FAMILIES.values():
        importlib.import_module(f"zwerm.daemon.rpc.{module}")
    return dict(sorted(COMMANDS.items()))
