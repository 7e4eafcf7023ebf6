"""Home, as somebody sees it who is here for the first time, and again when something is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-home")]


async def test_newcomer_is_shown_how_to_begin_and_begins_with_a_folder(
    chromium: Chromium, daemon: WebDaemon, folder: Path
) -> None:
    async with chromium.visit(daemon, "home") as visit:
        page = visit.page
        await visit.open()
        await expect(page.locator(".answer")).to_have_text("Your node is well, and waits for the first thing to keep.")
        await expect(page.get_by_text("Nothing kept here yet")).to_be_visible()
        await visit.shot("empty")

        async with page.expect_file_chooser() as waiting:
            await page.get_by_role("button", name="Choose a folder").click()
        await (await waiting.value).set_files(folder)

        await expect(page.get_by_text("Kept “holiday”", exact=False)).to_be_visible()
        await expect(page.locator(".answer")).to_contain_text("It keeps 3 files")
        await expect(page.locator(".version-line .message")).to_have_text(["Added “holiday”"])
        await visit.shot("filled")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_role("link", name="holiday")).to_be_visible()


async def test_files_dropped_on_home_are_kept_at_the_top_with_empty_folders(
    chromium: Chromium, daemon: WebDaemon, folder: Path
) -> None:
    async with chromium.visit(daemon, "home", scheme="dark", language="nl-NL") as visit:
        await visit.open()
        await visit.drop(folder, folder / "notes.txt")
        await expect(visit.page.get_by_text("4 bestanden bewaard", exact=False)).to_be_visible()
        await visit.shot("dark-nl")
    assert daemon.names("/holiday") == ["day one", "nothing yet", "notes.txt"]
    assert daemon.names("/holiday/day one") == ["plan.md", "zonsopgang é.txt"]
    assert daemon.names("/") == ["holiday", "notes.txt"]


async def test_home_names_the_node_and_copies_its_identity_whole(chromium: Chromium, daemon: WebDaemon) -> None:
    identity = daemon.ask("GET", "node")["peer_id"]
    async with chromium.visit(daemon, "home", size="phone") as visit:
        page = visit.page
        await visit.open("home")
        chip = page.locator("dd .chip button").first
        await expect(chip).to_contain_text(f"{identity[:6]}…{identity[-4:]}")
        await chip.click()
        await expect(chip).to_have_class("copied")
        assert await page.evaluate("navigator.clipboard.readText()") == identity
        await page.get_by_role("button", name="Show Identity as QR code").click()
        await expect(page.locator(".qr path").first).to_be_visible()
        await visit.shot("code-phone")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_everything_one_can_do_is_one_click_away_and_home_says_from_where_it_is_reached(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "home-doings") as visit:
        page = visit.page
        await visit.open("home")
        reached = page.locator(".reached li")
        await expect(reached).to_have_count(3)
        await expect(reached.nth(0)).to_contain_text(f"localhost:{daemon.port}")
        await expect(reached.nth(1)).to_contain_text("Start the node with --lan")
        links = page.get_by_role("navigation", name="What you can do here").get_by_role("link")
        places = await links.evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        assert places == [f"#/{name}" for name in ("files", "names", "calls", "rooms", "connect", "fetch", "peers")]
        for place in places:
            await page.locator(f".doings a[href='{place}']").click()
            await expect(page.locator("h1")).not_to_have_text("Home")
            await visit.settled()
            await page.go_back()
            await expect(page.locator("h1")).to_have_text("Home")
        await visit.shot("doings")
