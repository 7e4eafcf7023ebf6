"""Push messages: asked for at a fitting moment, subscribed to, sent, decrypted, shown, answered and declined.

Chromium's push service is its maker's and cannot be had here; and it has none for windows without history, as those of
tests are. So the browser's `subscribe` is the one thing that is stood in for: what it gives out leads to a push service
of the tests, which takes the message and decrypts it. What it decrypted is given to the browser's service worker over
the DevTools protocol, as its own push service would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import CDPSession, Page, expect

from tests.daemon.calls.caller import Server, serving
from tests.daemon.calls.fetchers import PushService, push_service
from tests.web.browser import Chromium, Visit, running_chromium, until
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES, stand_in
from tests.web.test_calls import LIMIT, REGISTER, press, press_link, ring, says, talk
from tests.web.way import Way, way_to
from tests.web.worker import Shown
from zwerm.calls.push.aio import WebPush

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-push"),
]

SUBSCRIBE = """(({endpoint, p256dh, auth}) => {
  PushManager.prototype.subscribe = async (options) => {
    window.subscribed = {own: options.userVisibleOnly, key: options.applicationServerKey};
    return {endpoint, toJSON: () => ({keys: {p256dh, auth}}), unsubscribe: async () => true};
  };
  const asked = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => { window.gesture = navigator.userActivation.isActive; return asked(); };
})(GIVEN)"""
CLICK = """async (action) => {
  const [notification] = (await self.registration.getNotifications()).filter(({ tag }) => tag.startsWith("zwerm"));
  const opened = new Promise((resolve) => { self.clients.openWindow = async (address) => resolve(address); });
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
  return action === "answer" ? opened : null;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def pushes() -> AsyncIterator[PushService]:
    async with push_service() as service:
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A calls service that reaches push services of this machine."""
    pusher = WebPush("mailto:ann@example.org", allow_private=True, schemes=("http://",))
    async with serving(tmp_path / "calls.sqlite", pusher=pusher) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def way(daemon: WebDaemon, server: Server) -> AsyncIterator[Way]:
    """The pages of a node, and that service behind them."""
    async with way_to(daemon.port) as made:
        made.sockets_to = int(server.where.rpartition(":")[2])
        yield made


async def enter(visit: Visit, way: Way, name: str, who: int) -> Page:
    page = visit.page
    page.set_default_timeout(LIMIT)
    await page.context.add_init_script(stand_in(who, 300 * who))
    await page.goto(f"http://localhost:{way.port}/#/calls")
    await page.evaluate(REGISTER, name)
    await expect(page.get_by_label("Whom do you want to ring?")).to_be_visible()
    return page


class Inbox:
    """What a browser's push service hands to its service worker."""

    def __init__(self, session: CDPSession, origin: str) -> None:
        self._session = session
        self._origin = origin
        self._registration = ""
        self._is_found = asyncio.Event()
        session.on("ServiceWorker.workerRegistrationUpdated", self._found)

    def _found(self, event: dict[str, Any]) -> None:
        for each in event["registrations"]:
            if each["scopeURL"].startswith(self._origin) and not each["isDeleted"]:
                self._registration = each["registrationId"]
                self._is_found.set()

    async def deliver(self, message: dict[str, Any]) -> None:
        await self._session.send("ServiceWorker.enable")
        async with asyncio.timeout(20):
            await self._is_found.wait()
        fields = {"origin": self._origin, "registrationId": self._registration, "data": json.dumps(message)}
        await self._session.send("ServiceWorker.deliverPushMessage", fields)
        await self._session.send("ServiceWorker.disable")


@pytest.mark.parametrize("action", ["answer", "decline"])
async def test_whoever_closed_the_page_is_fetched_by_a_push_message(
    chromium: Chromium, daemon: WebDaemon, way: Way, pushes: PushService, action: str
) -> None:
    async with AsyncExitStack() as stack:
        ann_visit = await stack.enter_async_context(chromium.visit(daemon, f"push-ann-{action}", size="phone"))
        bob_visit = await stack.enter_async_context(chromium.visit(daemon, f"push-bob-{action}"))
        origin = f"http://localhost:{way.port}"
        context = ann_visit.page.context
        await context.add_init_script(SUBSCRIBE.replace("GIVEN", json.dumps(pushes.browser("ann").fields())))
        await context.grant_permissions(["notifications"], origin=origin)
        # Chromium without a window has no dialog to press; it answers "default" until the page asks.
        await context.add_init_script(
            "const given = {now: 'default'}; Object.defineProperty(Notification, 'permission', {get: () => given.now});"
            "const real = Notification.requestPermission.bind(Notification);"
            "Notification.requestPermission = async () => (given.now = await real());"
        )
        bob = await enter(bob_visit, way, "pushbob", 42)
        ann = await enter(ann_visit, way, "pushann", 41)
        await expect(ann.get_by_role("button", name="Allow")).to_have_count(0)  # nobody could ring yet
        await ann.get_by_label("Name of a contact").fill("pushbob")
        await press(ann, "Add")
        await says(ann, "Tell you who rings while this page is closed?")
        await ann_visit.shot("asks")
        assert await ann_visit.axe() == []
        assert await ann_visit.overflow() <= 0
        await press(ann, "Allow")
        await expect(ann.get_by_role("button", name="Allow")).to_have_count(0)
        await ann.wait_for_function("() => window.subscribed")
        key = "async () => (await import('/calls/session.js')).session.value.welcome.value.push"
        assert await ann.evaluate("window.subscribed") == {"own": True, "key": await ann.evaluate(key)}
        assert await ann.evaluate("window.gesture") is True
        await until(ann, "async () => (await import('/push.js')).pushState.value === 'on'")

        inbox_page = await context.new_page()  # of the same browser, and none of ours
        inbox = Inbox(await context.new_cdp_session(inbox_page), origin)
        await ann.close()
        await ring(bob, "pushann")
        message, headers = await pushes.message()
        assert (message["type"], message["caller"], message["name"]) == ("ringing", "pushbob", "pushann")
        assert headers["urgency"] == "high"
        await says(bob, "A message has been sent to their devices.")
        worker = next(each for each in context.service_workers if each.url.startswith(origin))
        shown = await Shown.of(worker)
        await inbox.deliver(message)
        (first,) = await shown.after(1)
        assert (first["title"], first["body"]) == ("pushbob rings", "Answer, or decline on all your devices.")
        assert first["actions"] == ["Answer", "Decline"]
        opened = await worker.evaluate(CLICK, action)
        if action == "decline":
            await says(bob, "pushann cannot talk now.")
            return
        assert opened == f"/#/calls/answer/{message['call']}"
        page = await context.new_page()
        page.set_default_timeout(LIMIT)
        await page.goto(origin + opened)
        await talk(page, "pushbob", 42)
        await talk(bob, "pushann", 41)
        assert await shown.after(1) == []


async def test_a_browser_without_a_push_service_says_so(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "push-none", scheme="dark", language="nl-NL") as visit:
        page = visit.page
        visit.expected.append("Push API in incognito mode")
        page.set_default_timeout(LIMIT)
        await page.context.grant_permissions(["notifications"], origin=daemon.url)
        await visit.open("calls")
        await page.evaluate(REGISTER, "pushnone")
        await press_link(page, "Account en apparaten")
        script = "async () => (await import('/calls/notifications.js')).allow()"
        await page.evaluate(script)  # the browser's own subscribe, which reaches nobody
        await says(page, "De browser bereikt geen pushdienst.")
        await visit.shot("account")
        found = "async () => (await (await navigator.serviceWorker.ready).pushManager.getSubscription()) === null"
        assert await page.evaluate(found)
