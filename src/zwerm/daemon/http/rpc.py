"""The commands of `zwerm.daemon.rpc` as Kubo's HTTP API (Kubo documentation, "RPC API v0").

POST `/api/v0/COMMAND?arg=...&option=...`; uploads are multipart. Answers are one JSON document, a stream of them
(`X-Chunked-Output`), or bytes (`X-Stream-Output`); with `encoding=text` documents come as the command line prints them.
An error before the first byte is a status and a JSON body; one after it is the trailer `X-Stream-Error`. Most clients
look at no trailers and would take the part for the whole, so bytes end that way only for those who say `TE: trailers`
(RFC 9110 section 6.5.1); for others the connection is cut.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

from zwerm.core.errors import ZwermError
from zwerm.core.escaped import json_bytes
from zwerm.daemon.http import security
from zwerm.daemon.http.exchange import Exchange, Writer
from zwerm.daemon.http.transfer import Transfer
from zwerm.daemon.http.upload import Upload
from zwerm.daemon.rpc.errors import CommandNotFound, UsageError, error_body
from zwerm.daemon.rpc.invoke import invoke
from zwerm.daemon.rpc.registry import Command, Context, RawStream, find
from zwerm.daemon.rpc.requests import Requests
from zwerm.node.events import origin

if TYPE_CHECKING:
    from zwerm.node.node import Node

log = logging.getLogger("zwerm.rpc")

PREFIX: Final = "/api/v0/"
STREAM_ERROR: Final = "X-Stream-Error"
ESCAPED: Final = (
    "X-Zwerm-Escaped"  # a request's header: bytes of names that are no UTF-8 come as `\udcff`, not as U+FFFD
)
TAG: Final = "X-Zwerm-Tag"  # a request's header: by it `stats/fetches` says how what is fetched for it stands
_TAG_LONGEST: Final = 64  # characters
_FLUSH: Final = 32_768  # bytes of JSON gathered while the command goes on without waiting
_EXPOSED: Final = "X-Stream-Output, X-Chunked-Output, X-Content-Length"
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


class TextForm(Protocol):
    """How documents read as text. They are closed by whoever asked, also when not all was read."""

    def __call__(
        self,
        command: Command,
        arguments: Sequence[str],
        options: Mapping[str, Any],
        documents: AsyncGenerator[Any, None],
    ) -> AsyncGenerator[bytes, None]: ...


class RpcHandler:
    """Answers requests below `/api/v0/`, after deciding who may ask."""

    def __init__(self, node: Node, port: int, stopping: asyncio.Event, text: TextForm | None = None) -> None:
        """`stopping` is set by whoever ends the daemon, `shutdown` too; without `text` there is JSON only."""
        self._node = node
        self._stopping = stopping
        self._text = text
        self._requests = Requests()
        self._own_origins = security.own_origins(port)

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request of the RPC listener."""
        headers = dict(_TEXT)
        refusal = self._refusal(exchange)
        if refusal:
            await exchange.send(403, headers, f"403 - Forbidden: {refusal}\n".encode())
            return
        headers.update(self._cors(exchange))
        if exchange.method == "OPTIONS":
            await exchange.send(204, headers)
            return
        context = Context(
            self._node,
            stop=self._stopping.set,
            stopping=self._stopping,
            requests=self._requests,
            tag=exchange.headers.get(TAG, "")[:_TAG_LONGEST] or None,
            kubo_version=self._node.config.text("api.version") or None,
        )
        await answer_command(context, exchange, self._cors(exchange), self._text)

    def _refusal(self, exchange: Exchange) -> str | None:
        """Say why this request is not answered, or None."""
        config = self._node.config
        if not security.is_known_host(exchange.host, config.texts("api.hosts")):
            return f"host {security.host_name(exchange.host)!r} is not known here; add it to api.hosts"
        allowed = self._own_origins | set(config.texts("api.cors"))
        if not security.is_allowed_origin(exchange.headers, allowed):
            return "this web page may not use the node; add its origin to api.cors"
        token = config.text("api.token")
        if token:
            if exchange.method != "OPTIONS" and not security.has_bearer(exchange.headers, token):
                return "the secret of api.token is missing (Authorization: Bearer SECRET)"
        elif not security.is_loopback_peer(exchange.peer):
            return "other machines need a secret; set api.token"
        return None

    def _cors(self, exchange: Exchange) -> dict[str, str]:
        origin = exchange.headers.get("Origin")
        headers = {"Vary": "Origin"}
        if origin is None:
            return headers
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = _EXPOSED
        if exchange.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = "POST"
            asked = exchange.headers.get("Access-Control-Request-Headers")
            headers["Access-Control-Allow-Headers"] = asked or _EXPOSED
            headers["Access-Control-Max-Age"] = "600"
        return headers


async def answer_command(
    context: Context, exchange: Exchange, headers: dict[str, str], text: TextForm | None = None
) -> None:
    """Run the command that the path names; whoever asks has been let in already."""
    if not exchange.raw_path.startswith(PREFIX):
        await exchange.send(404, {**_TEXT, **headers}, b"404 page not found\n")
        return
    if exchange.method != "POST":
        allow = {"Allow": "OPTIONS, POST"}
        await exchange.send(405, {**_TEXT, **headers, **allow}, b"405 - Method Not Allowed\n")
        return
    origin.set("rpc")
    as_text = False
    try:
        command = find(exchange.raw_path[len(PREFIX) :].strip("/"))
        if command.local_only:
            raise CommandNotFound(command.path)
        arguments, options = _parameters(exchange)
        as_text = text is not None and _takes_text(options)
        with _listed(context, command, arguments, options), Transfer(context.node, command.path, exchange) as transfer:
            body = Upload.of(exchange, transfer) if command.takes_body else None
            result = await invoke(command, context, arguments, options, body)
            if as_text and text is not None and result is not None and not isinstance(result, RawStream):
                await _send_bytes(exchange, headers, RawStream(text(command, arguments, options, _documents(result))))
            else:
                await _send_result(exchange, headers, result)
    except CommandNotFound:
        await exchange.send(404, {**_TEXT, **headers}, b"404 page not found\n")
    except UsageError as error:
        await exchange.send(400, {**_TEXT, **headers}, f"{error}\n".encode("utf-8", "surrogateescape"))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        if exchange.is_answered:
            raise
        log_if_bug(error, exchange)
        status, document = error_body(error)
        if as_text:
            line = f"Error: {document['Message']}\n"
            await exchange.send(status, {**_TEXT, **headers}, line.encode("utf-8", "surrogateescape"))
            return
        await exchange.send(status, {**headers, "Content-Type": "application/json"}, _encoder(exchange)(document))


def _takes_text(options: dict[str, Any]) -> bool:
    """Whether text is asked for; the command itself is not told, its documents are the same."""
    if options.get("encoding", options.get("enc")) != "text":
        return False
    for name in ("encoding", "enc"):
        options.pop(name, None)
    return True


def _listed(
    context: Context, command: Command, arguments: list[str], options: dict[str, Any]
) -> AbstractContextManager[Any]:
    return nullcontext() if context.requests is None else context.requests.entered(command.path, arguments, options)


async def _documents(result: Any) -> AsyncGenerator[Any, None]:
    if not hasattr(result, "__aiter__"):
        yield result
        return
    async with aclosing(result):
        async for document in result:
            yield document


def _parameters(exchange: Exchange) -> tuple[list[str], dict[str, Any]]:
    """Return the query's arguments, and its options: text, or a list where a name comes again."""
    arguments: list[str] = []
    options: dict[str, Any] = {}
    for name, value in exchange.parameters():
        if name == "arg":
            arguments.append(value)
        elif name in options:
            options[name] = [*(options[name] if isinstance(options[name], list) else [options[name]]), value]
        else:
            options[name] = value
    return arguments, options


def log_if_bug(error: BaseException, exchange: Exchange) -> None:
    """Log what no command should raise."""
    if not isinstance(error, (ZwermError, OSError, TimeoutError)):
        log.error("%s %s failed", exchange.method, exchange.raw_path, exc_info=error)


async def _send_result(exchange: Exchange, headers: dict[str, str], result: Any) -> None:
    if isinstance(result, RawStream):
        await _send_bytes(exchange, headers, result)
    elif hasattr(result, "__aiter__"):
        await _send_items(exchange, headers, result)
    elif result is None:
        await exchange.send(200, {**headers, **_TEXT})
    else:
        await exchange.send(200, {**headers, "Content-Type": "application/json"}, _encoder(exchange)(result))


async def _send_items(exchange: Exchange, headers: dict[str, str], items: AsyncGenerator[Any, None]) -> None:
    """Send JSON documents as they come; those that come without a pause share a chunk."""
    encode = _encoder(exchange)
    async with aclosing(items):
        first = await anext(items, _END)
        writer = await exchange.start(
            200,
            {**headers, "Content-Type": "application/json", "X-Chunked-Output": "1"},
            trailers=(STREAM_ERROR,),
        )
        if first is _END:
            await writer.finish()
            return
        gathered = _Gathered(writer)
        await gathered.add(encode(first))

        async def rest() -> None:
            try:
                async for item in items:
                    await gathered.add(encode(item))
            except Exception:
                await gathered.flush()  # what came before the failure is sent before it
                raise
            await gathered.flush()

        await _finish(exchange, writer, rest())


async def _send_bytes(exchange: Exchange, headers: dict[str, str], stream: RawStream) -> None:
    async with aclosing(stream.chunks) as chunks:
        first = await anext(chunks, b"")
        headers = {**headers, "Content-Type": stream.content_type, "X-Stream-Output": "1"}
        if stream.length is not None:
            headers["X-Content-Length"] = str(stream.length)
        writer = await exchange.start(200, headers, trailers=(STREAM_ERROR,))
        await writer.write(first)

        async def rest() -> None:
            async for chunk in chunks:
                await writer.write(chunk)

        await _finish(exchange, writer, rest(), cut="trailers" not in exchange.headers.get("TE", "").lower())


async def _finish(exchange: Exchange, writer: Writer, rest: Any, *, cut: bool = False) -> None:
    """Send what is left; an error from here on goes into the trailer, or with `cut` ends the connection."""
    try:
        await rest
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:  # noqa: BLE001 -- told to the caller, and logged when it is a bug
        log_if_bug(error, exchange)
        if cut:
            log.warning("%s broke off after %d bytes: %s", exchange.raw_path, writer.sent, error)
            return
        await writer.finish({STREAM_ERROR: error_body(error)[1]["Message"]})
        return
    await writer.finish()


class _Gathered:
    """Small pieces that go out together as soon as the loop gets to run something else."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []
        self._size = 0
        self._scheduled: asyncio.Handle | None = None

    async def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _FLUSH:
            await self.flush()
        elif self._scheduled is None:
            self._scheduled = asyncio.get_running_loop().call_soon(self._flush_now)

    async def flush(self) -> None:
        self._flush_now()
        await self._writer.drain()

    def _flush_now(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        if self._pieces:
            pieces, self._pieces, self._size = self._pieces, [], 0
            self._writer.write_nowait(b"".join(pieces))


_END: Final = object()


def _encoder(exchange: Exchange) -> Callable[[Any], bytes]:
    return _escaped if ESCAPED in exchange.headers else _json


def _json(document: Any) -> bytes:
    return json_bytes(document) + b"\n"


def _escaped(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
