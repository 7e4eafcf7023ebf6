"""The service worker of a page, as a test needs it."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page, Worker

_REGISTER = """async () => {
  const { register } = await import("/push.js");
  await register();
  if (!navigator.serviceWorker.controller)
    await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done, { once: true }));
  const { active } = await navigator.serviceWorker.ready; // it has the page while it still activates
  while (active.state !== "activated")
    await new Promise((done) => active.addEventListener("statechange", done, { once: true }));
}"""


async def worker_of(page: Page) -> Worker:
    """Start the page's service worker, and wait until it has the page and is activated: no message comes before."""
    await page.evaluate(_REGISTER)
    (worker,) = page.context.service_workers
    return worker


_WATCH = """() => {
  const show = self.registration.showNotification.bind(self.registration);
  self.shows = [];
  self.registration.showNotification = (...words) => {
    const shown = show(...words);
    shows.push(shown);
    return shown;
  };
}"""
_SHOWN = """async (count) => {
  while (shows.length < count) await new Promise((next) => setTimeout(next, 20));
  await Promise.all(shows);
  return (await self.registration.getNotifications())
    .filter(({ tag }) => tag.startsWith("zwerm")) // the browser shows one of its own for a silent message
    .map(({ title, body, tag, actions }) => ({ title, body, tag, actions: actions.map((each) => each.title) }));
}"""


class Shown:
    """The notifications that a service worker shows.

    Chromium forgets one that is asked about while it is being shown: it has stored it, finds it not on the screen, and
    takes it for one that the person has closed. So they are asked for when the worker has finished showing.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @classmethod
    async def of(cls, worker: Worker) -> Shown:
        """Watch a worker from now on."""
        await worker.evaluate(_WATCH)
        return cls(worker)

    async def after(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many were shown in all; return `title`, `body`, `tag` and `actions` of those that stand."""
        async with asyncio.timeout(20):
            shown: list[dict[str, Any]] = await self._worker.evaluate(_SHOWN, count)
            return shown
