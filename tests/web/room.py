"""People in one room, each in a browser of their own, as the tests of rooms need them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.web.browser import Chromium, Scheme, Size, Visit
from tests.web.daemon import WebDaemon
from tests.web.media import HEARD, SEEN, stand_in

LIMIT = 30_000  # milliseconds, of a busy machine
SIGN_UP = "async (name) => { const {register} = await import('/calls/session.js'); return register(name, '', 'en'); }"

# What a file is that arrived; it has to lie on the disk.
ARRIVED = """async (name) => {
  const {current} = await import('/rooms/current.js');
  const {entries} = current.value.meeting.value.shelf;
  const whole = await new Promise((done) => entries.subscribe((list) => {
    const entry = list.find((each) => each.name === name && each.whole);
    if (entry) done(entry.whole);
  }));
  if (!(whole instanceof File)) throw new Error('kept in memory');
  const digest = await crypto.subtle.digest('SHA-256', await whole.arrayBuffer());
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return {size: whole.size, sha256};
}"""


class Meeting:
    """People in one room; the first is its host."""

    def __init__(self, chromium: Chromium, daemon: WebDaemon) -> None:
        self.stack = AsyncExitStack()
        self.link = ""
        self.query = ""  # of the page's address
        self._chromium = chromium
        self._daemon = daemon

    async def visit(
        self,
        name: str,
        who: int,
        hertz: int,
        *,
        size: Size = "wide",
        scheme: Scheme = "light",
        language: str = "en-GB",
        **media: Any,
    ) -> Visit:
        opening = self._chromium.visit(self._daemon, f"rooms-{name}", size=size, scheme=scheme, language=language)
        visit = await self.stack.enter_async_context(opening)
        visit.page.set_default_timeout(LIMIT)
        await visit.page.add_init_script(stand_in(who, hertz, **media))
        return visit

    async def host(self, name: str, who: int, hertz: int, *, waiting: bool = False, **more: Any) -> Visit:
        """Make an account, open a room, and go in."""
        visit = await self.visit(name, who, hertz, **more)
        page = visit.page
        await self._go(visit, "rooms")
        await page.evaluate(SIGN_UP, name)
        await page.get_by_role("button", name="Open a room").first.click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name of the room").fill("Garden plans")
        await dialog.get_by_label("People wait at the door").set_checked(waiting)
        await dialog.get_by_role("button", name="Open it").click()
        await come_in(page, name)
        self.link = page.url.partition("#")[2]
        return visit

    async def _go(self, visit: Visit, place: str) -> None:
        await visit.page.goto(f"{self._daemon.url}/{self.query}#/{place}")
        await visit.settled()

    async def guest(self, name: str, who: int, hertz: int, **more: Any) -> Visit:
        """Follow the link, without an account."""
        visit = await self.visit(name, who, hertz, **more)
        await self._go(visit, self.link.removeprefix("/"))
        await come_in(visit.page, name)
        return visit


async def come_in(page: Page, name: str) -> None:
    await page.get_by_label("Your name").fill(name)
    await page.get_by_role("button", name="Come in").click()


async def inside(page: Page) -> None:
    await expect(page.locator(".scene")).to_be_visible(timeout=LIMIT)


def seat(page: Page, name: str) -> Locator:
    return page.locator(f'figure[aria-label="{name}"]')


async def hears_and_sees(page: Page, name: str, who: int, hertz: int) -> None:
    await page.evaluate(SEEN, [name, who])
    await page.evaluate(HEARD, [name, hertz])
