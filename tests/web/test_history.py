"""History: the timeline, two versions compared, and bringing things back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon
from tests.web.samples import dusk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-history")]

FIRST = "".join(f"{number}. a line that stays\n" for number in range(1, 21)) + "Call Bram about the ladder.\n"
SECOND = FIRST.replace("\n7. a line that stays", "\n7. a line that changed") + "Buy seeds.\n"


@pytest.fixture(scope="module", autouse=True)
def kept(daemon: WebDaemon) -> None:
    daemon.keep("/notes.txt", FIRST)
    daemon.keep("/photos/dusk.png", dusk(1))
    daemon.keep("/notes.txt", SECOND)
    daemon.keep("/photos/dusk.png", dusk(2))
    daemon.ask("POST", "files/move", {"from": ["/photos/dusk.png"], "to": "/photos/evening.png"})
    daemon.ask("POST", "files/delete", {"paths": ["/photos"]})


async def test_timeline_says_what_happened_newest_first(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "history") as visit:
        page = visit.page
        await visit.open("history")
        await expect(page.locator(".answer")).to_contain_text("6 versions, the newest just now.")
        await expect(page.locator(".timeline .message")).to_have_text(
            [
                "Deleted “photos”",
                "Renamed “dusk.png” to “evening.png”",
                "Changed “dusk.png”",
                "Changed “notes.txt”",
                "Added “photos”",
                "Added “notes.txt”",
            ]
        )
        await page.get_by_role("link", name="Changed “notes.txt”").click()
        await expect(page.locator(".difference .path")).to_have_text(["notes.txt"])
        lines = page.locator(".diff")
        await expect(lines.locator(".removed code")).to_contain_text(["7. a line that stays"])
        await expect(lines.locator(".added code")).to_contain_text(["7. a line that changed", "Buy seeds."])
        await expect(lines.locator(".gap")).to_have_text(["3 lines the same", "8 lines the same"])
        await visit.shot("text")


async def test_any_two_versions_are_compared_and_pictures_stand_beside_each_other(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "history", scheme="dark", language="nl-NL") as visit:
        page = visit.page
        await visit.open("history")
        await page.get_by_role("link", name="“dusk.png” gewijzigd").click()
        await page.locator(".chooser select").first.select_option(index=5)
        await expect(page.locator(".difference")).to_have_count(2)
        await page.get_by_role("button", name="Gewijzigd notes.txt").click()
        await expect(page.locator(".diff .added")).to_have_count(2)
        await page.locator(".chooser select").first.select_option(index=4)
        await page.get_by_role("button", name="Gewijzigd photos/dusk.png").click()  # of the new comparison
        await expect(page.locator(".half img")).to_have_count(1 + 1)
        await page.wait_for_function("() => [...document.querySelectorAll('.half img')].every((i) => i.naturalWidth)")
        await visit.shot("pictures-dark-nl")


async def test_file_that_was_deleted_comes_back_and_that_can_be_undone(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "history") as visit:
        page = visit.page
        await visit.open("history")
        await page.get_by_role("link", name="Deleted “photos”").click()
        await page.get_by_role("button", name="Bring back as before").click()
        await expect(page.get_by_text("is as it was then.", exact=False)).to_be_visible()
        assert "photos" in daemon.names("/")
        await visit.shot("restored")
        await page.get_by_role("button", name="Undo", exact=True).click()
        await expect(page.locator(".timeline li li")).to_have_count(8)
        assert "photos" not in daemon.names("/")


async def test_one_file_has_a_history_of_its_own_and_an_old_version_comes_back_whole(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "history") as visit:
        page = visit.page
        await visit.open("history/notes.txt")
        await expect(page.locator("h1")).to_have_text("History of notes.txt")
        await expect(page.locator(".timeline li li")).to_have_count(2)
        await page.locator(".timeline a").nth(1).click()
        await page.get_by_role("button", name="Bring this version back").click()
        await expect(page.get_by_text("“notes.txt” is as it was then.")).to_be_visible()
        await expect(page.locator(".timeline li li")).to_have_count(3)
        entry = next(entry for entry in daemon.ask("GET", "files", path="/")["entries"] if entry["name"] == "notes.txt")
        assert entry["size"] == len(FIRST)


async def test_on_a_phone_the_versions_come_first_and_one_opens_over_them(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "history", size="phone", language="nl-NL") as visit:
        page = visit.page
        await visit.open("history")
        await expect(page.locator(".comparison")).to_be_hidden()
        await visit.shot("timeline-phone-nl")
        await page.locator(".timeline a").nth(1).click()
        await expect(page.locator(".comparison")).to_be_visible()
        await expect(page.locator(".timeline")).to_be_hidden()
        await visit.shot("version-phone-nl")
        await page.get_by_role("link", name="Alle versies").click()
        await expect(page.locator(".timeline")).to_be_visible()


async def test_signatures_of_the_history_are_checked_on_demand(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "history") as visit:
        await visit.open("history")
        await visit.page.get_by_role("button", name="Check the history").click()
        await expect(visit.page.get_by_text("signed and unbroken", exact=False)).to_be_visible()
