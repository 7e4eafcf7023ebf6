"""Peers: who is connected, by which way, what goes up and down, and how this node is reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium, Scheme, Size
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-peers")]

STRANGER = "12D3KooWNv8AKkeLaTsXq2ZU9YkwDKejZGHW4fesnSNzCBp9TD9h"


def tcp_address(daemon: WebDaemon) -> str:
    addresses = daemon.ask("GET", "peers")["addresses"]
    found: str = next(own["address"] for own in addresses if own["transport"] == "tcp")
    return found


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    running = WebDaemon(tmp_path_factory.mktemp("other") / "repository")
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


async def test_nobody_is_connected_and_then_somebody_is(
    chromium: Chromium, daemon: WebDaemon, other: WebDaemon
) -> None:
    async with chromium.visit(daemon, "peers-connect") as visit:
        page = visit.page
        await visit.open("peers")
        await expect(page.locator(".answer")).to_contain_text("Connected with nobody yet.")
        await visit.shot("empty")
        await page.get_by_label("Address of a peer").fill(tcp_address(other))
        await page.keyboard.press("Enter")
        await expect(page.locator(".peers tbody tr")).to_have_count(1)
        row = page.locator(".peers tbody tr")
        await expect(row).to_contain_text("zwerm")
        await expect(row).to_contain_text("TCP")
        await expect(row).to_contain_text("We went to them")
        await expect(page.locator(".answer")).to_contain_text("Connected with 1 peer.")
        await row.get_by_role("button", name="Close the connection").click()
        await expect(page.locator(".peers tbody tr")).to_have_count(0)


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        pytest.param("wide", "light", "en-GB", id="wide light English"),
        pytest.param("wide", "dark", "nl-NL", id="wide dark Dutch"),
        pytest.param("phone", "light", "nl-NL", id="phone light Dutch"),
        pytest.param("small", "dark", "en-GB", id="small dark English"),
    ],
)
async def test_the_page_fits_and_can_be_read(
    chromium: Chromium, daemon: WebDaemon, other: WebDaemon, size: Size, scheme: Scheme, language: str
) -> None:
    daemon.ask("POST", "peers/connect", {"address": tcp_address(other)})
    name = f"peers-{size}-{scheme}-{language[:2]}"
    async with chromium.visit(daemon, name, size=size, scheme=scheme, language=language, motion="reduce") as visit:
        await visit.open("peers")
        await expect(visit.page.locator(".peers tbody tr")).to_have_count(1)
        await expect(visit.page.locator(".traffic svg")).to_be_visible(timeout=20_000)
        await visit.shot("page")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
        plot = visit.page.locator(".traffic svg")
        await plot.hover()
        await expect(visit.page.locator(".traffic .most")).to_contain_text("/s")


async def test_an_address_that_leads_nowhere_says_so(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "peers-nobody") as visit:
        page = visit.page
        visit.expected.append(r"Failed to load resource.*peers/connect")
        await visit.open("peers")
        await page.get_by_label("Address of a peer").fill("/ip4/127.0.0.1/tcp/1")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("not the address of a peer")
        await expect(page.get_by_role("button", name="Connect", exact=True)).to_be_enabled()
        await page.get_by_label("Address of a peer").fill("/ip4/127.0.0.1/tcp/1/p2p/" + STRANGER)
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("was not reached")


async def test_a_node_without_a_network_says_how_to_start_one(chromium: Chromium, tmp_path: Path) -> None:
    alone = WebDaemon(tmp_path / "alone", online=False)
    alone.wait_ready()
    try:
        async with chromium.visit(alone, "peers-alone") as visit:
            await visit.open("peers")
            await expect(visit.page.locator("main")).to_contain_text("runs without a network")
            assert await visit.axe() == []
            answer = alone.app("POST", "peers/connect", {"address": "/ip4/127.0.0.1/tcp/1"})
            assert (answer.status, answer.json["error"]["code"]) == (409, "alone")
    finally:
        assert alone.stop() == 0, alone.errors
