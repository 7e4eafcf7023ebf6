"""How people can be reached, as their contacts see it; and rings that cross each other, or reach somebody in a room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.test_calls import LIMIT, person, press, ring, rings, says, talk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-presence"),
]

IDLE = "async (after) => { (await import('/calls/availability.js')).patience.idle = after; }"
OPEN_ROOM = """async () => {
  const { session } = await import("/calls/session.js");
  return (await session.value.ask("room-open", { title: "Kitchen", waiting: false })).link;
}"""
SOUNDS = """async () => {
  const { incoming, isEngaged } = await import("/calls/phone.js");
  return [incoming.value.length, isEngaged.value];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


async def shows(page: Page, state: str) -> None:
    await expect(page.locator(".people-rows .presence")).to_have_text(state, timeout=LIMIT)


async def choose(page: Page, state: str) -> None:
    await page.locator(".presence-button").click()
    await page.get_by_role("menuitem", name=state).click()


async def own(page: Page, state: str) -> None:
    await expect(page.get_by_role("button", name=f"How you can be reached: {state}")).to_be_visible()


async def test_contacts_see_who_is_away_by_choice_by_idleness_and_who_is_not_to_be_disturbed(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        ann_visit = await stack.enter_async_context(person(chromium, daemon, "seeann", 21))
        bob_visit = await stack.enter_async_context(person(chromium, daemon, "seebob", 22, size="phone", scheme="dark"))
        ann, bob = ann_visit.page, bob_visit.page
        await ann.get_by_label("Name of a contact").fill("seebob")
        await press(ann, "Add")
        await shows(ann, "Can be reached")
        await own(bob, "Can be reached")

        await choose(bob, "Away from the screen")
        await shows(ann, "Away from the screen")
        await bob.reload()
        await own(bob, "Away from the screen")
        await shows(ann, "Away from the screen")
        await bob_visit.shot("away")
        assert await bob_visit.axe() == []
        assert await bob_visit.overflow() <= 0
        tab = await bob.context.new_page()  # another page of the same browser is away, too
        await tab.goto(f"{daemon.url}/#/calls")
        await own(tab, "Away from the screen")
        await choose(tab, "Can be reached")
        await own(bob, "Can be reached")
        await tab.close()
        await shows(ann, "Can be reached")

        await choose(bob, "Do not disturb")
        await own(bob, "Do not disturb")
        await says(bob, "Nobody disturbs you.")
        await shows(ann, "Do not disturb")
        await ann_visit.shot("quiet")
        await ring(ann, "seebob")
        await says(ann, "seebob cannot be reached now.")
        await expect(rings(bob, "seeann")).to_have_count(0)
        await press(ann, "Close")
        await choose(bob, "Can be reached")
        await shows(ann, "Can be reached")

        await bob.evaluate(IDLE, 200)
        await shows(ann, "Away from the screen")
        await own(bob, "Away from the screen")
        await bob.evaluate(IDLE, 60_000)
        await bob.mouse.move(100, 100)
        await bob.mouse.move(120, 100)
        await shows(ann, "Can be reached")
        await ring(ann, "seebob")  # whoever is away from the screen is rung all the same
        await expect(rings(bob, "seeann")).to_be_visible()
        await press(bob, "Answer with sound")
        await expect(ann.locator("[data-verified=verified]")).to_be_visible(timeout=LIMIT)
        third = (await stack.enter_async_context(person(chromium, daemon, "seecas", 23))).page
        await third.get_by_label("Name of a contact").fill("seebob")
        await press(third, "Add")
        await shows(third, "In a call")
        await press(bob, "Leave")
        await shows(third, "Can be reached")


async def test_two_who_press_at_the_same_moment_are_in_one_call(chromium: Chromium, daemon: WebDaemon) -> None:
    async with AsyncExitStack() as stack:
        fay = (await stack.enter_async_context(person(chromium, daemon, "crossfay", 24))).page
        gus_visit = await stack.enter_async_context(person(chromium, daemon, "crossgus", 25))
        gus = gus_visit.page
        for _ in range(3):
            for page, name in ((fay, "crossgus"), (gus, "crossfay")):
                await page.get_by_label("Whom do you want to ring?").fill(name)
            # By key: the card of whoever was faster may lie over the button.
            await asyncio.gather(fay.keyboard.press("Enter"), gus.keyboard.press("Enter"))
            await talk(fay, "crossgus", 25)
            await talk(gus, "crossfay", 24)
            for page, name in ((fay, "crossgus"), (gus, "crossfay")):
                await expect(rings(page, name)).to_have_count(0)
                await expect(page.locator(".scene")).to_have_count(1)
            await press(fay, "Leave")
            await says(gus, "The call is over.")
            for page in (fay, gus):
                await expect(page.get_by_label("Whom do you want to ring?")).to_be_visible(timeout=LIMIT)
        for page in (fay, gus):  # one call each time, and nobody missed one
            await expect(page.get_by_text("You missed")).to_have_count(0)
        await gus_visit.shot("crossed")


async def enter(visit: Visit, link: str, name: str) -> None:
    await visit.open(f"rooms/{link}")
    await visit.page.get_by_label("Your name").fill(name)
    await press(visit.page, "Come in")
    await expect(visit.page.locator(".scene")).to_be_visible(timeout=LIMIT)


async def test_whoever_is_rung_in_a_room_may_say_so_or_go_over_and_come_back(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        ann_visit = await stack.enter_async_context(person(chromium, daemon, "roomann", 26))
        bob_visit = await stack.enter_async_context(person(chromium, daemon, "roombob", 27))
        cas_visit = await stack.enter_async_context(person(chromium, daemon, "roomcas", 28))
        ann, bob, cas = ann_visit.page, bob_visit.page, cas_visit.page
        await ann.get_by_label("Name of a contact").fill("roombob")
        await press(ann, "Add")
        link = await cas.evaluate(OPEN_ROOM)
        await enter(cas_visit, link, "Cas")
        await enter(bob_visit, link, "Bob")
        await expect(cas.locator('figure[aria-label="Bob"]')).to_be_visible(timeout=LIMIT)
        await shows(ann, "In a call")

        await ring(ann, "roombob")
        await expect(rings(bob, "roomann")).to_contain_text("Answering takes you out of the room “Kitchen”.")
        assert await bob.evaluate(SOUNDS) == [1, True]  # a card, and no bell over those who talk
        await bob_visit.shot("rung-in-a-room")
        await press(bob, "I am in a room")
        await says(ann, "roombob is in another call.")
        await expect(bob.locator(".scene")).to_be_visible()
        await press(ann, "Close")

        await ring(ann, "roombob")
        await press(bob, "Answer with picture")
        await talk(ann, "roombob", 27)
        await talk(bob, "roomann", 26)
        await says(bob, "You left the room “Kitchen”.")
        await expect(cas.locator('figure[aria-label="Bob"]')).to_have_count(0, timeout=LIMIT)

        await bob.get_by_role("button", name="Back to the room").click()
        await press(bob, "Come in")
        await says(ann, "The call is over.")
        await expect(cas.locator('figure[aria-label="Bob"]')).to_be_visible(timeout=LIMIT)
