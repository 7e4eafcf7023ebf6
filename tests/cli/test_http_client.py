"""The client of a daemon, against servers that do what a real one does seldom: fail late, break off, talk nonsense."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from zwerm.cli.client import AnswerCutShort, DaemonUnreachable, RemoteError
from zwerm.cli.http_client import HttpClient
from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.rpc.body import DiskBody, StreamBody
from zwerm.daemon.rpc.errors import CommandNotFound, UsageError
from zwerm.daemon.rpc.registry import find

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
ITEMS = CHUNKED + b"Content-Type: application/json\r\n\r\n"
BYTES = CHUNKED + b"X-Stream-Output: 1\r\nX-Content-Length: 6\r\n\r\n"


class Server:
    """Answers one request with given bytes, and keeps what came."""

    def __init__(self, answer: bytes, *, read: int | None = None) -> None:
        self.request = b""
        self._answer = answer
        self._read = read  # bytes after which it answers; None: the head, and the body when there is one
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            while not self._complete() and (data := connection.recv(65_536)):
                self.request += data
            connection.sendall(self._answer)

    def _complete(self) -> bool:
        if self._read is not None:
            return len(self.request) >= self._read
        end = b"\r\n0\r\n\r\n" if b"chunked" in self.request else b"\r\n\r\n"
        return self.request.endswith(end)

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: bytes, *, read: int | None = None) -> Server:
        servers.append(Server(answer, read=read))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def items(server: Server, *arguments: str) -> list[object]:
    with closing(HttpClient(server.address, token="key").call(find("pin/ls"), arguments, {"quiet": True})) as answer:
        assert not answer.raw
        return list(answer.items())


def test_requests_carry_arguments_options_and_the_token(serve: Callable[..., Server]) -> None:
    server = serve(ITEMS + b"0\r\n\r\n")
    assert items(server, "a b", "c&d") == []
    head = server.request.decode().splitlines()
    assert head[0] == "POST /api/v0/pin/ls?arg=a+b&arg=c%26d&quiet=true HTTP/1.1"
    assert "Authorization: Bearer key" in head
    assert "Content-Length: 0" in head


def test_documents_are_split_at_lines_however_they_come(serve: Callable[..., Server]) -> None:
    server = serve(ITEMS + b'4\r\n{"a"\r\n6\r\n:1}\n{"\r\n7\r\nb":2}\n3\r\n0\r\n\r\n')
    assert items(server) == [{"a": 1}, {"b": 2}, 3]


def test_bytes_come_with_their_length(serve: Callable[..., Server]) -> None:
    server = serve(BYTES + b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
    with closing(HttpClient(server.address).call(find("cat"), ["x"])) as answer:
        assert (answer.raw, answer.length) == (True, 6)
        assert b"".join(answer.chunks()) == b"abcdef"


def test_a_late_failure_is_told_after_what_came_before(serve: Callable[..., Server]) -> None:
    server = serve(ITEMS + b"2\r\n1\n\r\n0\r\nX-Stream-Error: the disk broke\r\n\r\n")
    seen = []
    with closing(HttpClient(server.address).call(find("pin/ls"))) as answer:
        documents = answer.items()
        seen.append(next(documents))
        with pytest.raises(RemoteError, match="the disk broke"):
            next(documents)
    assert seen == [1]


@pytest.mark.parametrize("rest", [b"5\r\n123", b"2\r\n1\n\r\n", b"nonsense\r\n", b"4\r\nabc\n\r\n0\r\n\r\n"])
def test_an_answer_that_breaks_off_is_no_answer(serve: Callable[..., Server], rest: bytes) -> None:
    with pytest.raises(AnswerCutShort):
        items(serve(ITEMS + rest))


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            b'500 X\r\nContent-Type: application/json\r\n\r\n{"Message":"it is pinned","Code":0}',
            RemoteError,
            "it is pinned",
        ),
        (b"500 X\r\n\r\nplain words\n", RemoteError, "plain words"),
        (b"500 X\r\n\r\n", RemoteError, "HTTP status 500"),
        (b'500 X\r\n\r\n{"Message":"odd","Code":77}', RemoteError, "odd"),
        (b"400 X\r\n\r\nargument 'x' is required\n", UsageError, "argument 'x' is required"),
        (b"404 X\r\n\r\n404 page not found\n", CommandNotFound, "there is no command 'pin/ls'"),
        (b"403 X\r\n\r\nthe secret is missing\n", RemoteError, "give its token with --api-auth"),
    ],
)
def test_failures_become_errors(
    serve: Callable[..., Server], answer: bytes, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        items(serve(b"HTTP/1.1 " + answer))


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200"])
def test_who_speaks_no_http_is_no_daemon(serve: Callable[..., Server], answer: bytes) -> None:
    with pytest.raises((DaemonUnreachable, AnswerCutShort)):
        items(serve(answer))
    assert not HttpClient(serve(answer).address).answers()


def test_addresses_in_every_spelling() -> None:
    for address in ("127.0.0.1:1", "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/1/http", "http://127.0.0.1:1/"):
        assert not HttpClient(address).answers()
    with pytest.raises(LocalProtocolError, match="is not an address"):
        HttpClient("somewhere")


def send(server: Server, body: DiskBody | StreamBody) -> None:
    with closing(HttpClient(server.address).call(find("add"), (), {}, body)) as answer:
        list(answer.items())


def test_uploads_are_multipart_with_names_kinds_and_metadata(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a ü").write_bytes(b"content")
    (tmp_path / "d" / "a ü").chmod(0o640)
    (tmp_path / "d" / "l").symlink_to("a ü")
    server = serve(ITEMS + b"0\r\n\r\n")
    send(server, DiskBody([tmp_path / "d"], recursive=True, keep_mode=True))
    request = server.request.decode()
    assert 'filename="d%2Fa%20%C3%BC"' in request
    assert 'name="file?mode=0640"' in request
    assert request.count("Content-Type: application/x-directory") == 1
    assert request.count("Content-Type: application/symlink") == 1
    assert f"Abspath: {tmp_path}/d/a%20%C3%BC" in request


def test_a_file_that_cannot_be_read_ends_the_upload_and_is_named(serve: Callable[..., Server], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        send(serve(b""), DiskBody([tmp_path / "nothing"]))
    (tmp_path / "first").write_bytes(b"x")
    with pytest.raises(FileNotFoundError, match="nothing"):
        send(serve(b"", read=10**9), DiskBody([tmp_path / "first", tmp_path / "nothing"]))


def test_an_early_answer_decides_though_the_upload_goes_on(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3_000_000))
    refusal = b'HTTP/1.1 500 X\r\nContent-Type: application/json\r\n\r\n{"Message":"no room","Code":0}'
    with pytest.raises((RemoteError, DaemonUnreachable)):
        send(serve(refusal, read=1_000), DiskBody([tmp_path / "big"]))


def test_standard_input_is_sent_under_its_name(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"words")
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    server = serve(ITEMS + b"0\r\n\r\n")
    try:
        send(server, StreamBody(descriptor, "name"))
    finally:
        os.close(descriptor)
    assert b'filename="name"' in server.request
    assert b"\r\n5\r\nwords\r\n" in server.request
