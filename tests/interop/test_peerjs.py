"""PeerJS itself, in two pages of a real Chromium, with only host and port changed: data and media between them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Page

from tests.cli.harness import Harness
from tests.cli.test_signal import Signal
from tests.web.browser import running_chromium
from tests.web.media import ADDRESSES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PEERJS = Path(__file__).parents[1] / "peers" / "node_modules" / "peerjs" / "dist" / "peerjs.min.js"

COME = """([id, host, port]) => new Promise((done, failed) => {
  // No ICE servers: the ones that PeerJS comes with are public, and the tests stay on this machine.
  window.peer = id ? new Peer(id, {host, port, config: {iceServers: []}})
                   : new Peer({host, port, config: {iceServers: []}});
  window.errors = [];
  peer.on('open', done);
  peer.on('error', (error) => { errors.push(error.type); failed(error.type); });
  peer.on('connection', (link) => link.on('data', (data) => link.send({echo: data})));
  peer.on('call', (call) => {
    call.on('stream', (stream) => { window.theirs = stream; });
    call.answer(picture('rgb(0, 0, 255)'));
  });
})"""
TOOLS = """
window.picture = (colour) => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 64, height: 64});
  const pen = canvas.getContext('2d');
  setInterval(() => { pen.fillStyle = colour; pen.fillRect(0, 0, 64, 64); }, 50);
  return canvas.captureStream(20);
};
window.colour = async () => {
  const video = Object.assign(document.createElement('video'), {srcObject: window.theirs, muted: true});
  await video.play();
  const canvas = Object.assign(document.createElement('canvas'), {width: 8, height: 8});
  const pen = canvas.getContext('2d');
  for (;;) {
    await new Promise((done) => video.requestVideoFrameCallback(done));
    pen.drawImage(video, 0, 0, 8, 8);
    const [red, green, blue] = pen.getImageData(4, 4, 1, 1).data;
    if (red > 180 && blue < 80) return 'red';
    if (blue > 180 && red < 80) return 'blue';
  }
};"""
ASK = """(to) => new Promise((done) => {
  const link = peer.connect(to);
  link.on('open', () => link.send({words: 'hello', bytes: new Uint8Array([1, 2, 3])}));
  link.on('data', (data) => { done([data.echo.words, data.echo.bytes.byteLength ?? data.echo.bytes.length]); });
})"""
CALL = """(to) => new Promise((done) => {
  peer.call(to, picture('rgb(255, 0, 0)')).on('stream', (stream) => { window.theirs = stream; done(); });
})"""
MISS = """() => new Promise((done) => {
  peer.on('error', (error) => done(error.type));
  peer.connect('nobody');
})"""


async def answer(_request: web.BaseRequest) -> web.Response:
    return web.Response(text="<!doctype html><title>PeerJS</title>", content_type="text/html")


@pytest.fixture
async def page_url() -> AsyncIterator[str]:
    """Somebody's own page, of another origin than the service."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Signal]:
    given = ("--store", tmp_path / "calls.sqlite", "--peerjs")
    running = await asyncio.to_thread(Signal, Harness(tmp_path / "here"), *given)
    yield running
    if running.process.poll() is None:
        await asyncio.to_thread(running.end, signal.SIGTERM)


async def test_peerjs_sends_data_calls_and_hears_of_nobody(service: Signal, page_url: str) -> None:
    host, _, port = service.where.partition(":")
    async with running_chromium(*ADDRESSES) as chromium, asyncio.timeout(40):
        context = await chromium._browser.new_context()
        try:
            pages: list[Page] = []
            for peer in ("bob", None):
                page = await context.new_page()
                await page.goto(page_url)
                await page.add_script_tag(path=PEERJS)
                await page.add_script_tag(content=TOOLS)
                assert await page.evaluate(COME, [peer, host, int(port)])
                pages.append(page)
            bob, ann = pages
            assert await ann.evaluate(ASK, "bob") == ["hello", 3]
            await ann.evaluate(CALL, "bob")
            assert await ann.evaluate("colour()") == "blue"
            await bob.wait_for_function("() => window.theirs")
            assert await bob.evaluate("colour()") == "red"
            third = await context.new_page()
            await third.goto(page_url)
            await third.add_script_tag(path=PEERJS)
            taken = "async (given) => { try { await (" + COME + ")(given); } catch (error) { return error; } }"
            assert await third.evaluate(taken, ["bob", host, int(port)]) == "unavailable-id"
            assert await ann.evaluate(MISS) == "peer-unavailable"
        finally:
            await context.close()
