"""Whether others can reach a file: said where it is shared, where it is looked at, and in its menu."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium, Scheme, Size
from tests.web.daemon import WebDaemon
from tests.web.test_peers import tcp_address

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-reach")]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    running = WebDaemon(tmp_path_factory.mktemp("other") / "repository")
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


async def test_a_node_that_knows_nobody_says_so_where_a_file_is_shared_and_in_its_menu(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    daemon.keep("/reach/garden.txt", "Tomatoes, beans.\n")
    async with chromium.visit(daemon, "reach") as visit:
        page = visit.page
        await visit.open("files/reach")
        await page.get_by_role("button", name="Actions for garden.txt").click()
        await page.get_by_role("menuitem", name="Share").click()
        reach = page.locator("dialog .reach")
        await expect(reach).to_contain_text("Not reachable")
        await expect(reach).to_contain_text("This node knows no other one")
        await visit.shot("share")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Actions for garden.txt").click()
        await page.get_by_role("menuitem", name="Can others reach it?").click()
        await expect(page.get_by_role("heading", name="Can others reach “garden.txt”?")).to_be_visible()
        await expect(page.locator("dialog .reach .facts")).to_contain_text("TCP")
        await expect(page.locator("dialog .reach .facts")).to_contain_text("this network only")
        assert await visit.axe() == []


@pytest.mark.parametrize(
    ("size", "scheme", "language", "word"),
    [
        pytest.param("wide", "light", "en-GB", "Not reachable", id="wide light English"),
        pytest.param("wide", "dark", "nl-NL", "Niet bereikbaar", id="wide dark Dutch"),
        pytest.param("phone", "light", "nl-NL", "Niet bereikbaar", id="phone light Dutch"),
        pytest.param("small", "dark", "en-GB", "Not reachable", id="small dark English"),
    ],
)
async def test_a_file_that_is_looked_at_shows_the_word_and_tells_the_rest_on_a_click(
    chromium: Chromium,
    daemon: WebDaemon,
    other: WebDaemon,
    size: Size,
    scheme: Scheme,
    language: str,
    word: str,
) -> None:
    daemon.keep("/looked/garden.txt", "Tomatoes, beans.\n")
    daemon.ask("POST", "peers/connect", {"address": tcp_address(other)})
    name = f"reach-{size}-{scheme}-{language[:2]}"
    async with chromium.visit(daemon, name, size=size, scheme=scheme, language=language, motion="reduce") as visit:
        page = visit.page
        await visit.open("files/looked")
        await page.get_by_role("link", name="garden.txt").click()
        button = page.locator(".reach-word")
        await expect(button).to_contain_text(word)
        await visit.shot("preview")
        await button.click()
        await expect(page.locator("dialog .reach .facts")).to_contain_text("/ip4/127.0.0.1/tcp/")
        await visit.shot("why")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0


async def test_a_node_without_a_network_says_how_to_start_one(chromium: Chromium, tmp_path: Path) -> None:
    alone = WebDaemon(tmp_path / "alone", online=False)
    alone.wait_ready()
    try:
        cid = alone.keep("/garden.txt", "Tomatoes, beans.\n")
        assert alone.ask("GET", "reach", cid=cid)["standing"] == "offline"
        async with chromium.visit(alone, "reach-alone") as visit:
            await visit.open("files")
            await visit.page.get_by_role("link", name="garden.txt").click()
            await visit.page.locator(".reach-word").click()
            await expect(visit.page.locator("dialog .reach")).to_contain_text("runs without a network")
            await expect(visit.page.locator("dialog .reach details")).to_have_count(0)
    finally:
        assert alone.stop() == 0, alone.errors
