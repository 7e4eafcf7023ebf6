"""The app as one that is installed: it opens without the node, and rings while no page is open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Worker, expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon
from tests.web.worker import Shown, worker_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-installed"),
]

_ENTER = """async (name) => {
  const { register, session } = await import("/calls/session.js");
  await register(name, "", "en");
  globalThis.mine = session.value;
  globalThis.ends = [];
  mine.on("ended", (event) => ends.push(event.reason));
  await new Promise((done) => mine.state.subscribe((state) => state === "online" && done()));
}"""
_CLICK = """async (action) => {
  const shown = await self.registration.getNotifications();
  const notification = shown.find(({ tag }) => tag.startsWith("zwerm"));
  self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action }));
}"""
_PUSH = """(data) => void self.dispatchEvent(new PushEvent("push", { data }))"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    running = WebDaemon(tmp_path_factory.mktemp("web") / "repository", overrides={"calls.enabled": "true"})
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


class Push:
    """A message that came, decrypted, as the browser hands it to the worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def deliver(self, data: str) -> None:
        await self._worker.evaluate(_PUSH, data)


async def test_browser_finds_all_that_installing_needs(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "installed") as visit:
        await visit.open()
        session = await visit.page.context.new_cdp_session(visit.page)
        manifest = await session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        found: dict[str, Any] = json.loads(manifest["data"])
        assert (found["display"], found["scope"]) == ("standalone", "/")
        # An incognito window can never install, and each visit is one.
        errors = (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
        assert [each["errorId"] for each in errors if each["errorId"] != "in-incognito"] == []
        for icon in found["icons"]:
            size = int(icon["sizes"].partition("x")[0])
            script = "async (src) => { const i = new Image(); i.src = src; await i.decode(); return i.naturalWidth; }"
            assert await visit.page.evaluate(script, icon["src"]) == size


async def test_app_opens_without_the_node_and_keeps_neither_answers_nor_content(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "offline") as visit:
        visit.expected += [r"net::ERR_INTERNET_DISCONNECTED", r"Failed to fetch", "ERR_FAILED"]
        await visit.open()
        await worker_of(visit.page)
        await visit.page.reload()  # everything passes the worker now
        await visit.settled()
        kept = await visit.page.evaluate(
            "async () => (await (await caches.open('zwerm-app-1')).keys()).map(({url}) => new URL(url).pathname)"
        )
        assert {"/", "/app.js", "/styles/base.css", "/vendor/preact.js"} <= set(kept)
        assert [path for path in kept if path.startswith(("/api/", "/ipfs/", "/health", "/metrics"))] == []
        await visit.page.context.set_offline(True)
        await visit.page.reload()
        await expect(visit.page.locator("h1")).to_have_text("Home")
        await expect(visit.page.get_by_text("The node does not answer.", exact=False).first).to_be_visible()
        await visit.shot("away")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en-GB", ["bram rings", "Answer", "Decline"]), ("nl-NL", ["bram belt", "Opnemen", "Weigeren"])],
    ids=["en", "nl"],
)
async def test_push_message_rings_with_two_buttons_and_anything_else_does_not(
    chromium: Chromium, daemon: WebDaemon, language: str, words: list[str]
) -> None:
    async with chromium.visit(daemon, "push", language=language) as visit:
        await visit.page.context.grant_permissions(["notifications"], origin=daemon.url)
        await visit.open()
        worker = await worker_of(visit.page)
        push, shown = Push(worker), await Shown.of(worker)
        await push.deliver('{"type": "ringing", "call": "c_1", "caller": "bram", "name": "anna"}')
        title, *actions = words
        (first,) = await shown.after(1)
        assert (first["title"], first["tag"], first["actions"]) == (title, "zwerm c_1", actions)
        await push.deliver("no JSON")
        await push.deliver('{"type": "other"}')
        assert await shown.after(1) == [first]
        await visit.page.evaluate(
            "async () => { globalThis.asked = []; (await import('/push.js')).onAnswer((call) => asked.push(call)); }"
        )
        await worker.evaluate(_CLICK, "answer")
        await visit.page.wait_for_function("() => asked.length === 1 && asked[0] === 'c_1'")
        assert await shown.after(1) == []


async def test_page_that_a_notification_opens_hears_which_call_to_answer(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "push-opens") as visit:
        visit.expected += ["ERR_FAILED", "bell.js"]
        await visit.page.route("**/calls/bell.js", lambda route: route.abort())  # which would hear it first, or not
        await visit.page.goto(f"{daemon.url}/#/calls/answer/c_9")
        script = "async () => new Promise(async (done) => (await import('/push.js')).onAnswer(done))"
        assert await visit.page.evaluate(script) == "c_9"
        assert visit.page.url.endswith("#/calls")


async def test_call_is_declined_without_a_page(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "push-anna") as anna, chromium.visit(daemon, "push-bram") as bram:
        await anna.page.context.grant_permissions(["notifications"], origin=daemon.url)
        for visit, name in ((anna, "anna"), (bram, "bram")):
            await visit.open()
            await visit.page.evaluate(_ENTER, name)
        worker = await worker_of(anna.page)
        shown = await Shown.of(worker)
        value = await bram.page.evaluate("() => mine.ask('ring', {to: 'anna', media: ['audio']})")
        message = {"type": "ringing", "call": value["call"], "caller": "bram", "name": "anna"}
        await Push(worker).deliver(json.dumps(message))
        await shown.after(1)
        await worker.evaluate(_CLICK, "decline")
        await bram.page.wait_for_function("() => ends.length === 1 && ends[0] === 'declined'")
