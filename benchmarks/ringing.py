"""Two people ring each other in two Chromiums: from the press of a button to what the other one sees.

Both pages read the one clock of the machine (`performance.timeOrigin + performance.now()`), so the figures hold what
people wait for: the click, both pages, the service, ICE and DTLS, encoder and decoder, until a picture is drawn.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from benchmarks.harness import Row
from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES, stand_in

REGISTER: Final = "async (name) => (await import('/calls/session.js')).register(name, '', 'en')"
WATCH: Final = """(other) => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = new WeakSet();
  window.pressed = window.rung = window.pictured = null;
  const watch = (video) => {
    if (seen.has(video)) return;
    seen.add(video);
    video.requestVideoFrameCallback(() => { pictured ??= now(); });
  };
  addEventListener('click', () => { pressed = now(); }, {capture: true});
  new MutationObserver(() => {
    if (document.querySelector('section[aria-label$=" rings"]')) rung ??= now();
    document.querySelectorAll(`figure[aria-label="${other}"] video`).forEach(watch);
  }).observe(document, {childList: true, subtree: true, attributes: true});
}"""


def measure(*, quick: bool) -> list[Row]:
    """Ring to ringing, and answer to the first picture on both sides."""
    ringing, pictures = asyncio.run(calls(3 if quick else 5))

    def row(what: str, ours: float, bar: float) -> Row:
        return Row(what, "ms", ours, "the bar", bar, 1, higher_is_better=False)

    return [
        row("ring to ringing, in the pages", statistics.median(ringing), 100),
        row("answer to first picture of the other", statistics.median(pictures), 1000),
        row("  slowest", max(pictures), 1000),
    ]


async def calls(rounds: int) -> tuple[list[float], list[float]]:
    """Let Ann ring Bob so many times; milliseconds."""
    ringing: list[float] = []
    pictures: list[float] = []
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        daemon = WebDaemon(Path(folder) / "repository")
        try:
            daemon.wait_ready()
            async with AsyncExitStack() as stack:
                people = []
                for number, name in enumerate(("ann", "bob"), 1):
                    browser = await stack.enter_async_context(running_chromium(*ADDRESSES))
                    people.append(await person(stack, browser, daemon, name, number))
                for _ in range(rounds):
                    await call(*people, ringing, pictures)
        finally:
            daemon.stop()
    return ringing, pictures


async def person(stack: AsyncExitStack, chromium: Chromium, daemon: WebDaemon, name: str, number: int) -> Page:
    visit = await stack.enter_async_context(chromium.visit(daemon, name, motion="reduce"))
    page = visit.page
    page.set_default_timeout(30_000)
    await page.add_init_script(stand_in(number, 300 * number, size=(640, 384), frames=30))
    await visit.open("calls")
    await page.evaluate(REGISTER, name)
    await page.get_by_label("Whom do you want to ring?").wait_for()
    await page.evaluate(WATCH, "bob" if name == "ann" else "ann")
    return page


async def call(ann: Page, bob: Page, ringing: list[float], pictures: list[float]) -> None:
    """Ring, answer, see each other, hang up."""
    for page in (ann, bob):
        await page.evaluate("pressed = rung = pictured = null")
    await ann.get_by_label("Whom do you want to ring?").fill("bob")
    await ann.get_by_role("button", name="Ring with picture").click()
    await bob.wait_for_function("() => rung !== null")
    ringing.append(await bob.evaluate("rung") - await ann.evaluate("pressed"))
    await bob.get_by_role("button", name="Answer with picture", exact=True).click()
    answered = await bob.evaluate("pressed")
    for page in (ann, bob):
        await page.wait_for_function("() => pictured !== null")
        pictures.append(await page.evaluate("pictured") - answered)
    await ann.get_by_role("button", name="Leave", exact=True).click()
    await ann.get_by_label("Whom do you want to ring?").wait_for()
    await bob.get_by_label("Whom do you want to ring?").wait_for()
