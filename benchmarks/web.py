"""The web app in a Chromium that has never seen it, from a node that has just started: light, quick, and nothing jumps.

A page is interactive when its answer stands there, no skeleton is left, and the main thread has drawn it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.harness import Row
from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon

PAGES: Final = ("home", "files", "calls", "rooms", "peers")
WATCH: Final = """
  window.shifts = 0;
  const count = (list) => list.getEntries().forEach((entry) => { if (!entry.hadRecentInput) shifts += entry.value; });
  new PerformanceObserver(count).observe({type: 'layout-shift', buffered: true});
  const isThere = () =>
    document.querySelector('main .answer')?.textContent && !document.querySelector('main .skeleton');
  window.interactive = new Promise((resolve) => {
    const look = () => {
      if (!isThere()) return;
      seer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    };
    const seer = new MutationObserver(look);
    seer.observe(document, {childList: true, subtree: true, characterData: true});
  });
"""
LOADED: Final = """() => ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))
  .filter((entry) => !entry.name.includes('/api/')).reduce((sum, entry) => sum + entry.transferSize, 0)"""

Figures = dict[str, list[float]]


def measure(*, quick: bool) -> list[Row]:
    """Each page first of all, from a node and a browser of its own."""
    rows = []
    for page in PAGES:
        figures = asyncio.run(load(page, rounds=1 if quick else 5))
        rows.append(row(f"{page}: interactive", "ms", statistics.median(figures["interactive"]), 1000))
        rows.append(row("  since the node was told to start", "ms", statistics.median(figures["since start"]), 2000))
        rows.append(row("  carried, compressed", "kB", max(figures["carried"]), 200))
        rows.append(row("  layout shift (score x 1,000)", "", max(figures["shift"]), 10))
    return rows


def row(what: str, unit: str, ours: float, bar: float) -> Row:
    return Row(what, unit, ours, "the bar", bar, 1, higher_is_better=False)


async def load(page: str, *, rounds: int) -> Figures:
    """Open a page so many times, each from a cold start of node and browser."""
    figures: Figures = {"interactive": [], "since start": [], "carried": [], "shift": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
            async with running_chromium() as chromium:
                began = time.perf_counter()
                daemon = WebDaemon(Path(folder) / "repository")
                try:
                    daemon.wait_ready()
                    await visit(chromium, daemon, page, figures, began)
                finally:
                    daemon.stop()
    return figures


async def visit(chromium: Chromium, daemon: WebDaemon, page: str, figures: Figures, began: float) -> None:
    async with chromium.visit(daemon, "bench") as visit:
        await visit.page.add_init_script(WATCH)
        await visit.page.goto(f"{daemon.url}/#/{page}", wait_until="commit")
        figures["interactive"].append(await visit.page.evaluate("interactive"))
        figures["since start"].append((time.perf_counter() - began) * 1000)
        await visit.settled()
        figures["carried"].append(await visit.page.evaluate(LOADED) / 1000)
        figures["shift"].append(await visit.page.evaluate("shifts * 1000"))
