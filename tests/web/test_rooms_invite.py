"""Inviting to a room: a code that any host may show, the link to copy, and the telephone's own way of sharing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import segno
from playwright.async_api import Page, Route, expect

from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.room import Meeting, inside

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-invite"),
]

_PATH = re.compile(r'\bd="([^"]+)"')
SHARING = """(() => {
  window.shared = [];
  navigator.share = async (given) => void window.shared.push(given);
})()"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


async def shown_code(page: Page) -> list[str]:
    """The paths of the code that is shown."""
    await page.locator("dialog .qr path").first.wait_for(state="attached")
    return [str(await each.get_attribute("d")) for each in await page.locator("dialog .qr path").all()]


def code_of(link: str) -> list[str]:
    return _PATH.findall(segno.make(link, micro=False, error="m").svg_inline(border=2))


async def test_a_host_who_is_not_the_nodes_owner_shows_the_code_of_a_room(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=401, json={"error": {"code": "key", "what": "Only the owner may do this."}})

    meeting = Meeting(chromium, daemon)
    async with meeting.stack:
        host = await meeting.host("invites", 12, 440, waiting=True, size="phone", scheme="dark")
        host.expected.append("401")
        await host.page.context.route("**/api/app/**", refuse)  # what a visitor hears there
        page = host.page
        await inside(page)
        link = f"{daemon.url}/#{meeting.link}"
        await page.get_by_role("button", name="Invite").click()
        assert await shown_code(page) == code_of(link)
        await expect(page.get_by_label("Link of the room")).to_have_value(link)
        await host.shot("code")
        assert await host.overflow() <= 0
        await page.get_by_role("button", name="Copy").click()
        assert await page.evaluate("navigator.clipboard.readText()") == link
        await page.keyboard.press("Escape")
        await page.evaluate("async () => (await import('/rooms/current.js')).quit()")
        await host.open("rooms")
        await page.get_by_role("button", name="Invite to Garden plans").click()
        assert await shown_code(page) == code_of(link)
        await expect(page.get_by_text("you let them in")).to_be_visible()
        assert await host.axe() == []


async def test_a_telephone_shares_the_link_its_own_way(chromium: Chromium, daemon: WebDaemon) -> None:
    meeting = Meeting(chromium, daemon)
    async with meeting.stack:
        host = await meeting.visit("shares", 13, 440, size="small", language="nl-NL")
        page = host.page
        await page.add_init_script(SHARING)
        await host.open("rooms")
        await page.evaluate("async () => (await import('/calls/session.js')).register('shares', '', 'nl')")
        await page.get_by_role("button", name="Een kamer openen").first.click()
        await page.get_by_role("dialog").get_by_label("Naam van de kamer").fill("Tuin & <b>huis</b>")
        await page.get_by_role("dialog").get_by_role("button", name="Openen").click()
        await page.get_by_label("Je naam").fill("Sara")
        await page.get_by_role("button", name="Binnenkomen").click()
        await inside(page)
        await page.get_by_role("button", name="Uitnodigen").click()
        await page.get_by_role("button", name="Delen").click()
        link = await page.get_by_label("Link van de kamer").input_value()
        given = {"title": "Tuin & <b>huis</b>", "text": "Kom naar “Tuin & <b>huis</b>”.", "url": link}
        assert await page.evaluate("shared") == [given]
        await shown_code(page)
        await host.shot("share")
        assert await host.overflow() <= 0
