"""The daemon as the one who does the work: its RPC over HTTP, answers read while the upload still runs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from zwerm import __version__
from zwerm.cli.client import AnswerCutShort, DaemonUnreachable, RemoteError
from zwerm.cli.multipart import MEDIA_TYPE, Upload
from zwerm.daemon.rpc.body import DiskBody, StreamBody
from zwerm.daemon.rpc.errors import CommandError, CommandNotFound, ErrorCode, UsageError
from zwerm.daemon.rpc.registry import Command
from zwerm.node.address import Address

_CHUNK: Final = 1 << 20  # bytes read at once
_PATIENCE: Final = 5.0  # seconds for a daemon to say that it is there
_TAG: Final = "X-Zwerm-Tag"
_ESCAPED: Final = "X-Zwerm-Escaped"  # asks for the bytes of names, so that they can be printed


class _Response(http.client.HTTPResponse):
    """A response that keeps its trailers: Kubo tells there how a stream failed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.trailers: dict[str, str] = {}
        self._ended = False  # the last chunk was seen

    @property
    def is_whole(self) -> bool:
        """Whether the end was marked, once nothing more comes: http.client takes a lost connection for one."""
        return self._ended if self.chunked else self.length == 0

    def _read_and_discard_trailer(self) -> None:
        self._ended = True
        while (line := self.fp.readline(65_537).strip()) != b"":
            name, _, value = line.decode("utf-8", "surrogateescape").partition(":")
            self.trailers[name.strip().lower()] = value.strip()


class HttpAnswer:
    """The answer to one request; `length` is the server's `X-Content-Length`."""

    def __init__(self, connection: http.client.HTTPConnection, response: _Response, upload: Upload | None) -> None:
        self._connection = connection
        self._response = response
        self._upload = upload
        self.raw = response.headers.get("X-Stream-Output") == "1"
        length = response.headers.get("X-Content-Length")
        self.length = int(length) if length and length.isdecimal() else None

    def items(self) -> Iterator[Any]:
        line = b""
        for piece in self._pieces(self._response.readline):
            line += piece
            if line.endswith(b"\n"):
                yield _document(line)
                line = b""
        if line.strip():
            yield _document(line)

    def chunks(self) -> Iterator[bytes]:
        return self._pieces(lambda: self._response.read1(_CHUNK))

    def _pieces(self, read: Any) -> Iterator[bytes]:
        try:
            while piece := read():
                yield piece
        except (http.client.HTTPException, OSError, ValueError) as error:
            self._check_upload()
            raise AnswerCutShort(str(error) or type(error).__name__) from error
        self._check_upload()
        if not self._response.is_whole:
            raise AnswerCutShort("it ended in the middle")
        if failure := self._response.trailers.get("x-stream-error"):
            raise RemoteError(failure)

    def _check_upload(self) -> None:
        if self._upload is not None:
            self._upload.check()

    def close(self) -> None:
        self._connection.close()
        if self._upload is not None:
            self._upload.wait()


class HttpClient:
    """Runs commands on the daemon at an address."""

    is_local = False

    def __init__(self, address: str, *, token: str | None = None, patience: float | None = None) -> None:
        """Take the address in any spelling; a LocalProtocolError when it is none.

        `patience` is how many seconds the daemon may say nothing; None: any time.
        """
        text = address.removeprefix("http://").rstrip("/").removesuffix("/http")
        self._address = Address.from_text(text)
        self._token = token
        self._patience = patience
        self.tag: str | None = None  # sent with every command, so that `stats/fetches` can be asked about it

    def watcher(self) -> HttpClient:
        """Return another client of the same daemon, for use by another thread."""
        return HttpClient(str(self._address), token=self._token, patience=_PATIENCE)

    def answers(self) -> bool:
        """Whether something that speaks the RPC listens there."""
        connection = self._connection(_PATIENCE)
        try:
            connection.request("POST", "/api/v0/version", headers=self._headers())
            response = connection.getresponse()
            body = response.read(_CHUNK)
        except (http.client.HTTPException, OSError):
            return False
        finally:
            connection.close()
        return response.status in (401, 403) or (response.status == 200 and b'"Version"' in body)

    def call(
        self,
        command: Command,
        arguments: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        body: DiskBody | StreamBody | None = None,
    ) -> HttpAnswer:
        """Send a command and wait for the head of its answer.

        Raises:
            UsageError: the daemon does not understand the request.
            RemoteError: the command failed before its first item.
            DaemonUnreachable: the connection was refused.
        """
        query = urlencode(
            [("arg", argument) for argument in arguments] + _parameters(options or {}), errors="surrogateescape"
        )
        connection = self._connection(self._patience)
        upload = None
        try:
            connection.putrequest("POST", f"/api/v0/{command.path}?{query}", skip_accept_encoding=True)
            for name, value in self._headers().items():
                connection.putheader(name, value)
            if body is None:
                connection.putheader("Content-Length", "0")
                connection.endheaders()
            else:
                upload = Upload(body)
                connection.putheader("Content-Type", f"{MEDIA_TYPE}; boundary={upload.boundary}")
                connection.putheader("Transfer-Encoding", "chunked")
                connection.endheaders()
                assert connection.sock is not None  # noqa: S101 -- endheaders connected it
                upload.start(connection.sock)
            response = connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            if upload is not None:
                upload.wait()
                upload.check()
            raise DaemonUnreachable(f"the daemon at {self._address} does not answer: {error}") from error
        except BaseException:
            connection.close()
            raise
        answer = HttpAnswer(connection, response, upload)  # type: ignore[arg-type]
        if response.status != 200:
            try:
                raise _failure(response, command, upload)
            finally:
                answer.close()
        return answer

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def _connection(self, patience: float | None) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=patience)
        connection.response_class = _Response
        return connection

    def _headers(self) -> dict[str, str]:
        headers = {"User-Agent": f"zwerm-cli/{__version__}", "TE": "trailers", _ESCAPED: "1"}
        if self.tag:
            headers[_TAG] = self.tag
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers


def _parameters(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, str(item).lower() if isinstance(item, bool) else str(item))
        for name, value in options.items()
        for item in (value if isinstance(value, (list, tuple)) else [value])
    ]


def _document(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        raise AnswerCutShort(f"{line[:80]!r} is not JSON") from None


def _failure(response: http.client.HTTPResponse, command: Command, upload: Upload | None) -> CommandError:
    try:
        text = response.read(_CHUNK).decode("utf-8", "surrogateescape")
    except (http.client.HTTPException, OSError):
        text = ""  # it hung up on our upload; the status is all there is
    if upload is not None:
        upload.abandon()
        upload.check()
    try:
        document = json.loads(text)
        message, code = str(document["Message"]), ErrorCode(document.get("Code", 0))
    except (ValueError, KeyError, TypeError):
        message, code = text.strip() or f"HTTP status {response.status}", ErrorCode.NORMAL
    if response.status == 404 and "Message" not in text:
        return CommandNotFound(command.path)
    if response.status == 400:
        return UsageError(message)
    if response.status in (401, 403):
        return RemoteError(f"the daemon refuses: {message}; give its token with --api-auth", ErrorCode.FORBIDDEN)
    return RemoteError(message, code)
