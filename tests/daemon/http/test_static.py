"""Static files over a real listener: known types only, nothing outside the folder, 304 for what has not changed."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.http.server import HttpServer
from zwerm.daemon.http.static import StaticFiles

Ask = Callable[..., "asyncio.Future[aiohttp.ClientResponse]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "web"
    (inside / "parts" / ".git").mkdir(parents=True)
    (inside / "index.html").write_text("<p>welcome")
    (inside / "parts" / "large.js").write_text("/* the same again */\n" * 100)
    (inside / "parts" / "picture.png").write_bytes(bytes(2_000))
    (inside / "parts" / "notes.md").write_text("no type of ours")
    (inside / "parts" / ".git" / "secret.txt").write_text("secret")
    (inside / ".hidden.txt").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return inside


@pytest.fixture
async def ask(folder: Path) -> AsyncIterator[Ask]:
    files = StaticFiles(folder)

    async def answer(exchange: Exchange) -> None:
        await files.answer(exchange, {"X-Of-All": "yes"})

    listener = socket.create_server(("127.0.0.1", 0))
    server = HttpServer("test", answer, idle=30.0)
    await server.start([listener])
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def request(path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
            fields = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): text for name, text in headers.items()}
            async with session.request(method, URL(base + path, encoded=True), headers=fields) as response:
                assert response.headers["X-Of-All"] == "yes"
                return response, await response.read()

        yield request
    await server.stop(1.0)


async def test_the_root_is_the_index(ask: Ask) -> None:
    response, body = await ask("/")
    assert (response.status, body) == (200, b"<p>welcome")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-cache"
    assert (await ask("/index.html"))[1] == body


async def test_head_is_get_without_a_body(ask: Ask) -> None:
    response, body = await ask("/", "HEAD")
    assert (response.status, body, response.headers["Content-Length"]) == (200, b"", "10")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_files_are_only_read(ask: Ask, method: str) -> None:
    response, _ = await ask("/", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/none.txt",
        "/parts",
        "/parts/",
        "/parts/notes.md",
        "/.hidden.txt",
        "/parts/.git/secret.txt",
        "/../outside.txt",
        "/parts/../../outside.txt",
        "/parts/%2e%2e/%2e%2e/outside.txt",
        "/parts/..%2f..%2foutside.txt",
        "/..%5coutside.txt",
        "//index.html",
        "/parts//large.js",
        "/./index.html",
        "/index.html%00.js",
        "/%ff.html",
        "/" + "a" * 300 + ".html",
    ],
)
async def test_what_is_not_offered_is_not_found(ask: Ask, path: str) -> None:
    response, body = await ask(path)
    assert response.status == 404
    assert b"secret" not in body


async def test_text_is_compressed_where_that_helps_and_the_client_asks(ask: Ask, folder: Path) -> None:
    plain = (folder / "parts" / "large.js").read_bytes()
    response, body = await ask("/parts/large.js", Accept_Encoding="br, gzip")
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain)
    assert (await ask("/parts/large.js"))[1] == plain
    for path in ("/", "/parts/picture.png"):  # too small, and compressed already
        assert "Content-Encoding" not in (await ask(path, Accept_Encoding="gzip"))[0].headers


async def test_what_has_not_changed_is_not_sent_again(ask: Ask, folder: Path) -> None:
    tag = (await ask("/"))[0].headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        response, body = await ask("/", If_None_Match=given)
        assert (response.status, body, response.headers["ETag"]) == (304, b"", tag)
    assert (await ask("/", If_None_Match='"other"'))[0].status == 200
    (folder / "index.html").write_text("<p>changed now")
    response, body = await ask("/", If_None_Match=tag)
    assert (response.status, body) == (200, b"<p>changed now")
    assert response.headers["ETag"] != tag


async def test_a_file_is_read_once_until_it_changes_on_the_disk(ask: Ask, folder: Path) -> None:
    index = folder / "index.html"
    await ask("/")
    before = index.stat()
    index.write_text("<p>WELCOME")
    os.utime(index, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await ask("/"))[1] == b"<p>welcome", "same size and time: taken for the same"
    os.utime(index, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert (await ask("/"))[1] == b"<p>WELCOME"


async def test_a_file_that_went_away_is_gone(ask: Ask, folder: Path) -> None:
    await ask("/")
    (folder / "index.html").unlink()
    assert (await ask("/"))[0].status == 404
