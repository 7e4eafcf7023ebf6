"""Settings: the page's own, kept in the browser, and the node's, checked before they are taken."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon
from zwerm.node.settings import SETTINGS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-settings")]


DENIED = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
AS_STARTED = "1 setting is different from how it comes."  # the profile `test`, with which every test's node starts


async def test_language_and_colours_change_at_once_and_stay(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "settings") as visit:
        page = visit.page
        await visit.open("settings")
        await expect(page.locator(".answer")).to_have_text(AS_STARTED)
        await visit.shot("plain")
        await page.get_by_role("button", name="Nederlands").click()
        await expect(page.locator("h1")).to_have_text("Instellingen")
        await page.get_by_role("button", name="Donker").click()
        await expect(page.locator(":root")).to_have_attribute("data-theme", "dark")
        await page.reload()
        await visit.settled()
        await expect(page.locator("h1")).to_have_text("Instellingen")
        await expect(page.locator(":root")).to_have_attribute("lang", "nl")
        assert await page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
        await visit.shot("dark-nl")


async def test_relay_that_does_not_run_says_how_to_start_it(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "settings") as visit:
        await visit.open("settings")
        card = visit.page.locator(".relay")
        await expect(card).to_contain_text("It does not run")
        await expect(card).to_contain_text("zwerm up --turn")
        await expect(visit.page.get_by_role("switch", name="Relay", exact=True)).not_to_be_checked()


async def test_value_that_cannot_be_is_refused_with_a_sentence_and_nothing_changes(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "settings") as visit:
        visit.expected.append("422")
        page = visit.page
        await visit.open("settings")
        await page.get_by_role("textbox", name="Most space on the disk").fill("rather a lot")
        await page.get_by_label("Keep a history").uncheck()
        await expect(page.get_by_role("region", name="not saved")).to_contain_text("2 changes not saved")
        await page.get_by_role("button", name="Save").click()
        fault = page.locator("#row-storage\\.max .fault")
        await expect(fault).to_contain_text("not a size; expected a form like 500MB or 10GiB")
        await expect(page.get_by_role("textbox", name="Most space on the disk")).to_be_focused()
        await expect(page.get_by_role("textbox", name="Most space on the disk")).to_have_attribute(
            "aria-invalid", "true"
        )
        await visit.shot("invalid")
        await page.get_by_role("button", name="Discard").click()
        await expect(page.get_by_role("textbox", name="Most space on the disk")).to_have_value("0")
    assert [setting["key"] for setting in daemon.ask("GET", "settings")["settings"] if setting["set"]] == ["profile"]


async def test_setting_is_saved_said_to_differ_and_taken_back(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "settings", size="phone", scheme="dark") as visit:
        page = visit.page
        await visit.open("settings")
        await page.get_by_role("textbox", name="Most space on the disk").fill("10GB")
        await page.get_by_role("textbox", name="Not shown").fill(f"{DENIED}\n\n")
        await visit.shot("unsaved-phone-dark")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("2 settings saved.")).to_be_visible()
        await expect(page.locator(".answer")).to_have_text("3 settings are different from how they come.")
        await expect(page.get_by_text("Some changes take effect when the node is started anew.")).to_be_visible()
        stored = {setting["key"]: setting["value"] for setting in daemon.ask("GET", "settings")["settings"]}
        assert stored["storage.max"] == "10GB"
        assert stored["gateway.denylist"] == [DENIED]
        await page.get_by_role("button", name="Most space on the disk: back to how it came").click()
        await page.get_by_role("button", name="Not shown: back to how it came").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".answer")).to_have_text(AS_STARTED)


async def test_every_setting_of_the_node_is_explained_here(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "settings", language="nl-NL") as visit:
        await visit.open("settings")
        rows = await visit.page.locator(".setting .origin code").all_text_contents()
        assert sorted(rows) == sorted(setting.key for setting in SETTINGS)
        await expect(visit.page.get_by_role("heading", name="Overige")).to_have_count(0)
