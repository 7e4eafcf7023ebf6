"""Requests of the app API as its functions see them: parameters and bodies, checked; and the table of routes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from zwerm.core.errors import WireError
from zwerm.core.escaped import from_portable
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.http.exchange import Exchange
from zwerm.ipfs.mfs.path import FilePath
from zwerm.multiformats.cid import CID

if TYPE_CHECKING:
    from zwerm.daemon.app.api import AppApi
    from zwerm.node.node import Node

MAX_BODY: Final = 1024 * 1024  # bytes of JSON
DEFAULT_LIMIT: Final = 200  # entries of a page
MAX_LIMIT: Final = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not status 200 with JSON."""

    body: bytes | dict[str, Any]
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


class Stream(NamedTuple):
    """An answer without an end."""

    chunks: AsyncIterator[bytes]
    content_type: str


class Request:
    """One request; every reading method raises an `AppError` that names what is wrong."""

    def __init__(self, api: AppApi, exchange: Exchange, rest: str) -> None:
        self.api = api
        self.exchange = exchange
        self.rest = rest  # of the path, behind the route's own

    @property
    def node(self) -> Node:
        return self.api.node

    def text(self, name: str, default: str | None = None) -> str:
        """A query parameter that has to be there, unless there is a default."""
        value = self.exchange.parameter(name)
        if value:
            return value
        if default is None:
            raise AppError("bad-request", f"The parameter {name} is missing", name)
        return default

    def optional(self, name: str) -> str | None:
        return self.exchange.parameter(name) or None

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number, brought into its bounds."""
        text = self.exchange.parameter(name)
        if not text:
            return default
        try:
            value = int(text)
        except ValueError:
            raise AppError("bad-request", f"{name} is {text[:40]!r}, expected a whole number", name) from None
        return min(max(value, low), high)

    def limit(self) -> int:
        return self.number("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)

    def choice(self, name: str, *choices: str) -> str:
        """One of the words; the first is the default."""
        value = self.exchange.parameter(name) or choices[0]
        if value not in choices:
            raise AppError("bad-request", f"{name} is {value[:40]!r}, expected {', '.join(choices)}", name)
        return value

    def path(self, name: str = "path", default: str | None = None) -> FilePath:
        """A files path from the query."""
        return file_path(self.text(name, default))

    def cid(self, name: str = "cid") -> CID:
        return parse_cid(self.text(name))

    async def json(self) -> dict[str, Any]:
        """The body, an object."""
        try:
            document = json.loads(await self.exchange.body(MAX_BODY) or b"{}")
        except (ValueError, RecursionError) as error:
            if isinstance(error, WireError):
                raise
            raise AppError("bad-request", "The request's body is not JSON", str(error)[:200]) from None
        if not isinstance(document, dict):
            raise AppError("bad-request", "The request's body is not a JSON object")
        return document


def field(document: dict[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    """Return a field of a JSON body, checked to be of `kind`."""
    value = document.get(name, default)
    if value is ...:
        raise AppError("bad-request", f"The field {name} is missing", name)
    if value is not default and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise AppError("bad-request", f"The field {name} is not of the kind {kind.__name__}", name)
    return value


def path_list(document: dict[str, Any], name: str) -> list[FilePath]:
    """Return a field that lists files paths, at least one."""
    values = field(document, name, list)
    if not values or not all(isinstance(value, str) for value in values):
        raise AppError("bad-request", f"The field {name} has to list at least one path", name)
    return [file_path(value) for value in values]


def file_path(text: str) -> FilePath:
    """Read a files path as the API writes it; `BadPath` when it is none."""
    return FilePath.from_text(from_portable(text))._replace(directory=False)


def parse_cid(text: str) -> CID:
    try:
        return CID.from_text(text)
    except WireError as error:
        raise AppError("bad-cid", str(error), text[:200]) from None


def time_text(seconds: float | None) -> str | None:
    """Return RFC 3339 text in UTC; None for a time that has none, as content of others may say."""
    if seconds is None:
        return None
    try:
        when = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):  # beyond the years 1 to 9999
        return None
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Read RFC 3339 text as seconds since 1970."""
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError:
        raise AppError("bad-request", f"{text[:40]!r} is not a time", text[:40]) from None
    return (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp()


Route: TypeAlias = Callable[[Request], Awaitable[dict[str, Any] | Reply | Stream]]

ROUTES: Final[dict[str, dict[str, Route]]] = {}  # path below /api/app/ -> method -> function


def route(method: str, path: str) -> Callable[[Route], Route]:
    """Enter a function into the table. A path that ends in `/` takes what follows as `Request.rest`."""

    def enter(function: Route) -> Route:
        ROUTES.setdefault(path, {})[method] = function
        return function

    return enter
