"""Internals: what the connections of this browser and of the node do, drawn, written down, saved and opened again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, Scheme, Size
from tests.web.daemon import WebDaemon
from zwerm.webrtc import RecordedPeerConnection, RTCConfiguration

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-internals")]

LOOPBACK = RTCConfiguration(includeLoopback=True)

TWO_ENDS = """async () => {
  const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
  a.onicecandidate = ({candidate}) => b.addIceCandidate(candidate);
  b.onicecandidate = ({candidate}) => a.addIceCandidate(candidate);
  const channel = a.createDataChannel("chat");
  const opened = new Promise((resolve) => { channel.onopen = resolve; });
  for (let round = 0; round < 2; round += 1) {
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription);
    await opened;
    if (round === 0) a.addTransceiver("audio");
  }
  window.ends = [a, b];
  window.talk = setInterval(() => channel.send("x".repeat(1000)), 50);
}"""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    only = {"addresses.swarm": ["/ip4/127.0.0.1/udp/0/webrtc-direct"]}
    running = WebDaemon(tmp_path_factory.mktemp("other") / "repository", overrides=only)
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


def connect_nodes(daemon: WebDaemon, other: WebDaemon) -> None:
    daemon.ask("POST", "peers/connect", {"address": other.ask("GET", "peers")["addresses"][0]["address"]})


def read(path: str | Path) -> bytes:
    return Path(path).read_bytes()


async def saved_dump(page: Page) -> Path:
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Save a dump").click()
    return Path(await (await waiting.value).path())


async def test_connections_of_this_browser_are_shown_saved_and_opened_again(
    chromium: Chromium, daemon: WebDaemon, tmp_path: Path
) -> None:
    async with chromium.visit(daemon, "internals") as visit:
        page = visit.page
        await visit.open("internals")
        await expect(page.locator(".answer")).to_contain_text("No WebRTC connection is open now.")
        await expect(page.locator(".empty b").first).to_have_text("Nothing to look at yet")
        await visit.shot("empty")
        await page.evaluate(TWO_ENDS)
        await expect(page.locator(".connections li")).to_have_count(2)
        await expect(page.locator(".answer")).to_contain_text("This browser has 2 connections open.")
        await expect(page.locator(".connections li").first).to_contain_text("Straight, by UDP")
        await expect(page.locator(".connections li").first).to_contain_text("connected")
        plots = page.locator(".line-plot figcaption b")
        await expect(plots.filter(has_text="Bit rate").first).to_be_visible()
        await expect(plots.filter(has_text="Round trip").first).to_be_visible()
        await expect(page.locator(".events")).to_contain_text("setLocalDescription")
        await page.get_by_label("Find in the events").fill("signalingstatechange")
        await expect(page.locator(".events li")).to_have_count(4)
        await page.get_by_role("button", name="Descriptions").click()
        described = page.locator(".described")
        await expect(described).to_have_count(4)
        await described.nth(2).locator("summary").click()
        await expect(described.nth(2).locator(".added code").first).to_be_visible()
        await page.get_by_role("button", name="All records").click()
        await (
            page.locator(".records summary", has_text="sctp-transport")
            .or_(page.locator(".records summary", has_text="data-channel"))
            .first.click()
        )
        await expect(page.locator(".records dl:visible").first).to_contain_text("bytesReceived")
        await visit.shot("browser")

        file = tmp_path / "dump.txt"
        file.write_bytes(read(await saved_dump(page)))
        dump = json.loads(file.read_bytes())
        assert len(dump["PeerConnections"]) == 2
        one = dump["PeerConnections"]["1-1"]
        series = next(stat for name, stat in one["stats"].items() if name.endswith("-messagesSent"))
        assert series["statsType"] == "data-channel"
        assert sorted(json.loads(series["values"])) == json.loads(series["values"])
        told = {entry["type"]: json.loads(entry["value"]) if entry["value"] else "" for entry in one["updateLog"]}
        assert told["createDataChannel"] == "chat"
        assert told["onconnectionstatechange"] == "connected"
        assert told["setRemoteDescription"]["type"] == "answer"

        await page.evaluate("() => { clearInterval(window.talk); for (const end of window.ends) end.close(); }")
        await expect(page.locator(".connections .state", has_text="over")).to_have_count(2)
        await page.locator("input[type=file]").set_input_files(file)
        await expect(page.locator(".connections li")).to_have_count(4)
        await expect(page.locator(".connections [aria-pressed=true]")).to_contain_text("From a file")
        await expect(plots.filter(has_text="Bit rate").first).to_be_visible()
        await expect(page.locator(".events")).to_contain_text("createDataChannel")


async def test_a_dump_of_a_python_program_is_opened(chromium: Chromium, daemon: WebDaemon, tmp_path: Path) -> None:
    ours, theirs = RecordedPeerConnection(LOOPBACK), RecordedPeerConnection(LOOPBACK)
    channel = ours.createDataChannel("chat")
    opened = asyncio.Event()
    channel.on("open", opened.set)
    await ours.setLocalDescription(await ours.createOffer())
    await theirs.setRemoteDescription(ours.localDescription)
    await theirs.setLocalDescription()
    await ours.setRemoteDescription(theirs.localDescription)
    await opened.wait()
    dump = ours.dump()
    await ours.close()
    await theirs.close()
    (tmp_path / "dump.txt").write_text(json.dumps(dump))
    async with chromium.visit(daemon, "internals-python") as visit:
        page = visit.page
        await visit.open("internals")
        await page.locator("input[type=file]").set_input_files(tmp_path / "dump.txt")
        await expect(page.locator(".connections li")).to_contain_text("Straight, by UDP")
        await expect(page.locator(".connections li")).to_contain_text("connected")
        await page.get_by_role("button", name="Descriptions").click()
        await expect(page.locator(".described")).to_have_count(2)


async def test_what_is_no_dump_is_refused_in_words(chromium: Chromium, daemon: WebDaemon, tmp_path: Path) -> None:
    async with chromium.visit(daemon, "internals-bad") as visit:
        await visit.open("internals")
        for text in ("no dump", "[]", '{"PeerConnections": {"1": {"stats": {"a-b": {"values": "["}}}}}'):
            (tmp_path / "bad.txt").write_text(text)
            await visit.page.locator("input[type=file]").set_input_files(tmp_path / "bad.txt")
            await expect(visit.page.locator(".failure")).to_contain_text("This is not a dump of WebRTC connections.")


async def test_another_tab_is_looked_into(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "internals-tabs") as visit:
        await visit.open("home")
        await visit.page.evaluate(TWO_ENDS)
        second = await visit.page.context.new_page()
        await second.goto(f"{daemon.url}/#/internals")
        await expect(second.locator(".connections li")).to_have_count(2)
        await expect(second.locator(".connections li").first).to_contain_text("connected")
        await expect(second.locator(".events")).to_contain_text("setLocalDescription")
        await expect(second.locator(".line-plot").first).to_be_visible()


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        pytest.param("wide", "light", "en-GB", id="wide light English"),
        pytest.param("phone", "dark", "nl-NL", id="phone dark Dutch"),
    ],
)
async def test_the_node_is_looked_into_and_captured(
    chromium: Chromium, daemon: WebDaemon, other: WebDaemon, size: Size, scheme: Scheme, language: str
) -> None:
    connect_nodes(daemon, other)
    name = f"internals-{size}-{scheme}-{language[:2]}"
    async with chromium.visit(daemon, name, size=size, scheme=scheme, language=language, motion="reduce") as visit:
        page = visit.page
        await visit.open("internals")
        await expect(page.locator(".connections li")).to_have_count(1)
        await expect(page.locator(".connections li")).to_contain_text("zwerm")
        await expect(page.locator(".line-plot").first).to_be_visible()
        await expect(page.locator(".way-picture svg")).to_be_visible()
        await page.evaluate(TWO_ENDS)
        await expect(page.locator(".connections li")).to_have_count(3)
        await page.wait_for_function("() => document.querySelectorAll('.line-plot').length > 1")
        await visit.shot("page")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
        capture = page.locator("section.card").last
        await capture.get_by_role("button").first.click()
        await expect(capture.get_by_role("status")).to_be_visible()
        await capture.get_by_role("button").first.click()
        kept = capture.locator("li")
        await expect(kept).to_have_count(1)
        async with page.expect_download() as waiting:
            await kept.get_by_role("button").first.click()
        assert read(await (await waiting.value).path()).startswith(b"\n\r\r\n")
        await kept.get_by_role("button").last.click()
        await expect(kept).to_have_count(0)
