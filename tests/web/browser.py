"""Chromium as a person uses it, and what every visit must not have: console errors, refused content, broken scripts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, Playwright, async_playwright

from tests.web.daemon import WebDaemon

CHROMIUM = "/usr/bin/chromium"
SCREENSHOTS = Path(__file__).parents[1] / "screenshots" / "web"
AXE = Path(__file__).parents[1] / "peers" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"wide": (1280, 860), "narrow": (900, 860), "phone": (390, 844), "small": (360, 640)}

Size = Literal["wide", "narrow", "phone", "small"]
Scheme = Literal["light", "dark"]


class Visit:
    """A page in a browser of its own, with everything that went wrong on it."""

    def __init__(self, page: Page, daemon: WebDaemon, name: str) -> None:
        self.page = page
        self.daemon = daemon
        self.faults: list[str] = []
        self.expected: list[str] = []  # patterns of console lines that belong to what is tested
        self.requests: list[str] = []
        self._name = name
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: ConsoleMessage) -> None:
        text = f"{message.type}: {message.text} {message.location.get('url', '')}"
        if message.type in ("error", "warning") and not any(re.search(known, text) for known in self.expected):
            self.faults.append(text)

    async def open(self, place: str = "") -> None:
        """Go to a page of the app: `files/photos`; wait until nothing is on its way."""
        await self.page.goto(f"{self.daemon.url}/#/{place}")
        await self.settled()

    async def settled(self) -> None:
        """Wait until the page shows its answer and no skeleton."""
        await self.page.wait_for_selector("main .answer", state="attached")
        await self.page.wait_for_function("() => !document.querySelector('main .skeleton, dialog .skeleton')")

    async def shot(self, name: str) -> None:
        """Leave a picture for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{self._name}-{name}.png", animations="disabled")

    async def drop(self, *paths: Path) -> None:
        """Drag files or folders from the desktop onto the page, as the system's file manager does."""
        session = await self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await session.send("Input.dispatchDragEvent", {"type": kind, "x": 640, "y": 400, "data": data})
        await session.detach()

    async def axe(self) -> list[str]:
        """Return what axe-core finds that is serious or critical."""
        await self.page.evaluate(AXE.read_text())
        result: dict[str, Any] = await self.page.evaluate(
            "async () => { await Promise.all(document.getAnimations().map((a) => a.finished.catch(() => 0)));"
            " return axe.run(document, {resultTypes: ['violations'], iframes: false}) }"
        )
        return [
            f"{violation['id']}: {node['html'][:160]} ({node['failureSummary'][:300]})"
            for violation in result["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    async def overflow(self) -> float:
        """Return how many pixels the page is wider than the window."""
        return float(await self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))


class Chromium:
    """One running Chromium; each visit is a fresh profile."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @asynccontextmanager
    async def visit(
        self,
        daemon: WebDaemon,
        name: str,
        *,
        size: Size = "wide",
        scheme: Scheme = "light",
        language: str = "en-GB",
        motion: Literal["reduce", "no-preference"] = "no-preference",
    ) -> AsyncIterator[Visit]:
        """Open an empty page; at the end nothing may have gone wrong on it."""
        width, height = SIZES[size]
        phone = size in ("phone", "small")
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=language,
            timezone_id="Europe/Amsterdam",
            has_touch=phone,
            is_mobile=phone,
            reduced_motion=motion,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(15_000)
        visit = Visit(await context.new_page(), daemon, name)
        try:
            yield visit
            assert visit.faults == [], visit.faults
        finally:
            await context.close()


@asynccontextmanager
async def running_chromium(*arguments: str) -> AsyncIterator[Chromium]:
    """Start Chromium, and end it."""
    playwright: Playwright
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        try:
            yield Chromium(browser)
        finally:
            await browser.close()


async def until(page: Page, script: str) -> None:
    """Wait until an async function of the page says yes: `wait_for_function` takes its promise for one."""
    await page.evaluate(
        f"""async () => {{
          const asked = {script};
          for (const begun = performance.now(); !(await asked()); await new Promise((next) => setTimeout(next, 20)))
            if (performance.now() - begun > 20_000) throw new Error('never');
        }}"""
    )
