"""Names: publish, see where it points and until when, point back, and take along as a QR code."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium, Scheme, Size
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-names")]


async def test_a_name_is_published_moved_on_and_back_and_withdrawn(chromium: Chromium, daemon: WebDaemon) -> None:
    first = daemon.keep("/site.html", b"<h1>one</h1>")
    async with chromium.visit(daemon, "names-publish") as visit:
        page = visit.page
        await visit.open("names")
        await expect(page.locator(".answer")).to_contain_text("No name points at your content yet.")
        await visit.shot("empty")
        await page.get_by_label("Name", exact=True).fill("my site")
        await page.get_by_label("Points at a file, folder or address").fill("/site.html")
        await page.keyboard.press("Enter")
        card = page.get_by_role("region", name="my site")
        await expect(card).to_contain_text(first)
        await expect(page.locator(".answer")).to_contain_text("1 name points at your content.")
        second = daemon.keep("/site.html", b"<h1>two</h1>")
        await page.get_by_label("Points at a file, folder or address").fill("/site.html")
        await page.keyboard.press("Enter")
        await expect(card.locator(".facts")).to_contain_text(second)
        await expect(card.locator(".name-history li")).to_have_count(1)
        await card.get_by_role("button", name="QR code").click()
        await expect(page.locator(".qr path").first).to_be_visible()
        await page.keyboard.press("Escape")
        await card.get_by_role("button", name="Point back here").click()
        await expect(card.locator(".facts")).to_contain_text(first)
        await card.get_by_role("button", name="Withdraw").click()
        await expect(card).to_have_count(0)


async def test_a_change_made_elsewhere_shows_at_once(chromium: Chromium, daemon: WebDaemon) -> None:
    cid = daemon.keep("/elsewhere.txt", b"elsewhere")
    async with chromium.visit(daemon, "names-live") as visit:
        await visit.open("names")
        daemon.ask("POST", "names/publish", {"key": "elsewhere", "path": f"/ipfs/{cid}"})
        await expect(visit.page.get_by_role("region", name="elsewhere")).to_contain_text(cid)


async def test_what_cannot_be_published_says_why(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "names-failure") as visit:
        page = visit.page
        visit.expected.append(r"Failed to load resource.*names/publish")
        await visit.open("names")
        await page.get_by_label("Name", exact=True).fill("x")
        await page.get_by_label("Points at a file, folder or address").fill("/no/such/file")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("/no/such/file")


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
    chromium: Chromium, daemon: WebDaemon, size: Size, scheme: Scheme, language: str
) -> None:
    for version in (b"one", b"two"):
        cid = daemon.keep("/seen.html", version)
        daemon.ask("POST", "names/publish", {"key": "holiday photographs", "path": f"/ipfs/{cid}"})
    name = f"names-{size}-{scheme}-{language[:2]}"
    async with chromium.visit(daemon, name, size=size, scheme=scheme, language=language, motion="reduce") as visit:
        await visit.open("names")
        await expect(visit.page.locator(".name-card").first).to_be_visible()
        await visit.shot("page")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
