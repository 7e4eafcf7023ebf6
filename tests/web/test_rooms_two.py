"""Two on the stage: the other one large, oneself in a corner that can be moved and put away; and a third comes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.room import LIMIT, Meeting, inside, seat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-two"),
]

BOXES = """() => ['.scene', '.stage-head', '.stage-bar', 'main h1', '.rail, .topbar'].map((each) => {
  const {x, y, width, height} = document.querySelector(each).getBoundingClientRect();
  return [each, x, y, width, height];
})"""
# What moves on the stage is what comes and goes; nothing around it may.
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const {sources} of list.getEntries())
      for (const {node} of sources)
        if (node && !(node.nodeType === 1 ? node : node.parentElement)?.closest('.seats'))
          window.shifts.push(node.outerHTML?.slice(0, 80) ?? node.textContent);
  }).observe({type: 'layout-shift'});
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def meeting(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Meeting]:
    made = Meeting(chromium, daemon)
    async with made.stack:
        yield made


async def box(page: Page, selector: str) -> dict[str, float]:
    found: Any = await page.locator(selector).bounding_box()
    return {side: float(value) for side, value in found.items()}


async def corner(page: Page) -> tuple[str, str]:
    """In which corner of the other's picture one's own lies; all of it lies on it."""
    own, other = await box(page, ".own-corner"), await box(page, ".seat.main")
    assert own["x"] >= other["x"]
    assert own["y"] >= other["y"]
    assert own["x"] + own["width"] <= other["x"] + other["width"]
    assert own["y"] + own["height"] <= other["y"] + other["height"]
    assert own["width"] * own["height"] < other["width"] * other["height"] / 5
    is_top = own["y"] - other["y"] < other["height"] / 4
    is_left = own["x"] - other["x"] < other["width"] / 4
    return ("top" if is_top else "bottom", "left" if is_left else "right")


async def drag(page: Page, to: tuple[float, float]) -> None:
    """Drag one's own picture to a place on the other's: 0 to 1 across and down."""
    own, other = await box(page, ".own-corner"), await box(page, ".seat.main")
    await page.mouse.move(own["x"] + own["width"] / 2, own["y"] + own["height"] / 2)
    await page.mouse.down()
    await page.mouse.move(other["x"] + to[0] * other["width"], other["y"] + to[1] * other["height"], steps=5)
    await page.mouse.up()


async def pair(page: Page) -> None:
    await expect(page.locator(".scene")).to_have_attribute("data-view", "pair", timeout=LIMIT)


async def test_the_other_one_is_large_and_ones_own_picture_goes_where_it_is_put(meeting: Meeting) -> None:
    ann = await meeting.host("pairann", 11, 440)
    page = ann.page
    await inside(page)
    await expect(page.locator(".scene")).to_have_attribute("data-view", "grid")
    await page.evaluate(SHIFTS)
    before = await page.evaluate(BOXES)
    bob = await meeting.guest("Bob", 12, 520, size="phone", scheme="dark")
    await pair(page)
    await expect(seat(page, "Bob").locator("video")).to_be_visible()
    assert await page.evaluate(BOXES) == before
    assert await corner(page) == ("bottom", "right")
    await ann.shot("pair")
    for place, wanted in (
        ((0.2, 0.2), ("top", "left")),
        ((0.7, 0.3), ("top", "right")),
        ((0.1, 0.8), ("bottom", "left")),
    ):
        await drag(page, place)
        assert await corner(page) == wanted
    await page.get_by_role("button", name="Move your own picture to another corner").focus()
    for key, wanted in (("ArrowUp", ("top", "left")), ("ArrowRight", ("top", "right")), ("Enter", ("bottom", "right"))):
        await page.keyboard.press(key)
        assert await corner(page) == wanted
    await drag(page, (0.1, 0.1))
    assert await ann.axe() == []
    await page.get_by_role("button", name="Put your own picture away").click()
    await expect(seat(page, "You")).to_have_count(0)
    await ann.shot("away")
    await page.get_by_role("button", name="Show your own picture").click()
    assert await corner(page) == ("top", "left")
    await page.keyboard.press("l")
    await expect(page.locator(".scene")).to_have_attribute("data-view", "grid")
    await page.keyboard.press("l")
    await pair(page)

    cas = await meeting.guest("Cas", 13, 600)
    await expect(seat(page, "Cas")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await expect(page.locator(".scene")).to_have_attribute("data-view", "grid")
    assert await page.evaluate(BOXES) == before
    await cas.page.get_by_role("button", name="Leave").click()
    await pair(page)
    assert await corner(page) == ("top", "left")
    await bob.page.get_by_role("button", name="Leave").click()
    await expect(page.locator(".scene")).to_have_attribute("data-view", "grid")
    assert await page.evaluate(BOXES) == before
    assert await page.evaluate("window.shifts") == []


async def test_two_on_telephones_upright_and_on_their_side(meeting: Meeting) -> None:
    await meeting.host("pairdirk", 14, 440)
    eva = await meeting.guest("Eva", 15, 520, size="phone", scheme="dark")
    page = eva.page
    await pair(page)
    await expect(seat(page, "pairdirk").locator("video")).to_be_visible()
    await corner(page)
    assert await eva.overflow() <= 0
    await eva.shot("pair-upright")
    await page.set_viewport_size({"width": 844, "height": 390})
    await corner(page)
    scene = await box(page, ".scene")
    assert (scene["x"], scene["y"], scene["width"], scene["height"]) == (0, 0, 844, 390)
    assert (await box(page, ".seat.main"))["height"] > 390 / 2
    for name in ("Leave", "Turn the microphone off"):
        await expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert await eva.overflow() <= 0
    await eva.shot("pair-side")
