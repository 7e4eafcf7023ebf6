"""HTML and script in every name and message, in real browsers: nothing runs, all of it is shown as it was written.

The pages keep a content security policy that would refuse most of it; what counts here is that it never comes to that:
the policy has nothing to report, no element was made of a text, and nothing was asked of the network.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.daemon.calls.caller import Caller, Server
from tests.daemon.calls.fetchers import mail_server
from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox
from tests.web.media import ADDRESSES, FIREFOX_MEDIA, stand_in
from tests.web.room import LIMIT, SIGN_UP, come_in, inside
from tests.web.test_calls import person, press, press_link, ring, rings, says
from tests.web.worker import Shown, worker_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-markup"),
]

IMAGE = "<img src=/ran onerror=window.ran=1>"
SHORT = "<img src=x onerror=ran=1>"
SCRIPT = '"><script>window.ran=1</script>'
STYLE = "'><style>*{color:red}</style>{name}$&"
LINK = '<a href="javascript:window.ran=1">press</a>'
TITLE, HOST, GUEST, FILE = SCRIPT, IMAGE, STYLE, f"a{IMAGE.replace('/', '')}.txt"
RECEIVED = FILE.replace("<", "_").replace(">", "_")  # as a file that any system can keep
LINES = [IMAGE, SCRIPT, LINK, '<iframe srcdoc="<script>parent.ran=1</script>"></iframe>', "<svg onload=window.ran=1>"]
WATCH = """(() => {
  window.reports = [];
  document.addEventListener("securitypolicyviolation", (event) =>
    window.reports.push([event.violatedDirective, event.blockedURI]));
})()"""
FOUND = """() => [window.ran ?? 0, window.reports,
  document.querySelectorAll(`body script, main style, [onerror], [onload], img[src="/ran"], iframe,
    a[href^=javascript]`).length]"""
OPEN_ROOM = """async (title) => {
  const { session } = await import("/calls/session.js");
  const { remember } = await import("/rooms/known-rooms.js");
  const made = await session.value.ask("room-open", { title, waiting: true, keep_chat: 3600 });
  remember({ room: made.room, link: made.link, title });
  return made.link;
}"""
# What the page of somebody who wrote it themselves could send straight to the others.
RAW = """async (texts) => {
  const { current } = await import("/rooms/current.js");
  const meeting = current.value.meeting.value;
  for (const what of texts) {
    meeting.tell({ type: "reaction", what });
    meeting.tell({ type: "state", microphone: what, camera: what, screen: what, hand: what });
    meeting.tell({ type: what, what });
    meeting.tell({ type: "text", text: what });
  }
  meeting.react("👍");
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with running_firefox(tmp_path_factory.mktemp("firefox"), FIREFOX_MEDIA) as browser:
        yield browser


async def harmless(visit: Visit) -> None:
    """Nothing ran, nothing was refused, nothing was fetched, and no element was made."""
    assert await visit.page.evaluate(FOUND) == [0, [], 0]
    assert [each for each in visit.requests if "/ran" in each] == []


async def literally(page: Page, *texts: str) -> None:
    for text in texts:
        await expect(page.get_by_text(text, exact=False).first).to_be_visible(timeout=LIMIT)


async def test_markup_in_rooms_stays_text_in_both_browsers(
    chromium: Chromium, firefox: Firefox, daemon: WebDaemon, tmp_path: Path
) -> None:
    path = tmp_path / FILE
    path.write_text("harmless\n")
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(chromium.visit(daemon, "markup-host"))
        bob = await stack.enter_async_context(chromium.visit(daemon, "markup-guest", size="phone", scheme="dark"))
        for who, visit in ((11, ann), (12, bob)):
            visit.page.set_default_timeout(LIMIT)
            await visit.page.add_init_script(stand_in(who, 40 * who))
            await visit.page.add_init_script(WATCH)
        await ann.open("rooms")
        await ann.page.evaluate(SIGN_UP, "markup")
        link = await ann.page.evaluate(OPEN_ROOM, TITLE)
        await ann.page.reload()
        await literally(ann.page, TITLE)
        await ann.page.locator("li", has_text=TITLE).get_by_role("button").click()
        await literally(ann.page, f"Invite to {TITLE}")
        await ann.page.keyboard.press("Escape")
        await ann.open(f"rooms/{link}")
        await come_in(ann.page, HOST)
        await inside(ann.page)
        assert await ann.page.title() == f"{TITLE} · zwerm"
        await bob.open(f"rooms/{link}")
        await come_in(bob.page, GUEST)
        await literally(ann.page, f"{GUEST} wants to come in")
        await ann.shot("door")
        await ann.page.get_by_role("button", name=f"Let {GUEST} in", exact=True).click()
        await inside(bob.page)

        script = f"() => {{ {stand_in(3, 900, hums=True)}; {WATCH} }}"
        await firefox.command("script.addPreloadScript", functionDeclaration=script)
        await firefox.open(f"{daemon.url}/#/rooms/{link}")
        await firefox.until("document.querySelector('.mirror video')")
        await firefox.run(
            f"(() => {{ const field = document.querySelector('#own-label'); field.value = {json.dumps(LINK)};"
            " field.dispatchEvent(new Event('input', {bubbles: true})); return true; })()"
        )
        await firefox.click("button[type=submit]", "Come in")
        await literally(ann.page, f"{LINK} wants to come in")
        await ann.page.get_by_role("button", name=f"Let {LINK} in", exact=True).click()

        for page, others in ((ann.page, (GUEST, LINK)), (bob.page, (HOST, LINK))):
            for other in others:
                figure = page.locator("figure").filter(has=page.get_by_text(other, exact=True))
                await expect(figure).to_have_attribute("data-state", "connected", timeout=LIMIT)
                assert await figure.get_attribute("aria-label") == other
        for text in LINES:
            await bob.page.evaluate("async (text) => (await import('/rooms/current.js')).current.value.say(text)", text)
        await ann.page.keyboard.press("c")
        await literally(ann.page, *LINES)
        await firefox.click("button", "Chat")
        for text in (*LINES, HOST, GUEST):
            await firefox.text(text)
        await ann.page.locator(".stage-side").get_by_role("button", name="Close").click()
        await ann.page.keyboard.press("u")
        await ann.page.locator(".panel-files input[type=file]").set_input_files(path)
        await literally(ann.page, FILE)
        await literally(bob.page, RECEIVED)
        await firefox.text(RECEIVED)
        await bob.shot("file")
        await bob.page.get_by_role("button", name=f"Receive {RECEIVED}").click()
        await bob.page.get_by_role("button", name=f"Save {RECEIVED}").wait_for()
        await ann.page.locator(".stage-side").get_by_role("button", name="Close").click()
        await ann.page.keyboard.press("p")
        await literally(ann.page, GUEST, LINK)
        await ann.page.get_by_role("button", name=f"What you can ask of {GUEST}", exact=True).click()
        await ann.page.get_by_role("menuitem", name="Ask to turn the microphone off").click()
        await literally(ann.page, f"{GUEST} was asked.")
        await bob.page.evaluate(RAW, LINES)
        signs = ann.page.locator(".reactions span")
        await expect(signs).to_have_text(["👍"])  # the last thing said, after all that is none
        await ann.shot("people")
        for visit in (ann, bob):
            assert await visit.overflow() <= 0
            await harmless(visit)
        await ann.page.goto(f"{daemon.url}/#/internals")  # lists the connections by those names
        await literally(ann.page, GUEST)
        await harmless(ann)
        found = await firefox.run(f"({FOUND})()")
        assert found == [0, [], 0]
        await firefox.open("about:blank")


async def test_markup_in_names_of_devices_and_callers_stays_text(chromium: Chromium, daemon: WebDaemon) -> None:
    server = cast(
        "Server",
        SimpleNamespace(
            where=f"localhost:{daemon.port}", socket_url=f"ws://localhost:{daemon.port}/api/calls/v1/socket"
        ),
    )
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())

        async def caller(label: str) -> Caller:
            made = Caller(server, client, label)
            stack.push_async_callback(made.close)
            return await made.connect(Origin=daemon.url)

        ann = await stack.enter_async_context(person(chromium, daemon, "marked", 51))
        page = ann.page
        await page.evaluate(WATCH)
        eve = await caller(IMAGE)
        await eve.register("markeve")
        await page.evaluate(
            "async (key) => (await import('/calls/known-keys.js')).remember("
            "{name: 'markeve', device: 'd_0.x', key, label: 'x'})",
            "K" * 87,
        )
        call = (await eve.ask("ring", to="marked", media=["audio"]))["call"]
        await expect(rings(page, "markeve")).to_contain_text(f"Another device than before: {IMAGE}")
        await ann.shot("caller")
        await eve.ask("cancel", call=call)
        await says(page, "Missed call from markeve")

        token = (await page.evaluate("async () => (await import('/calls/account.js')).ask('device-link')"))["token"]
        other = await caller(SCRIPT)
        await other.redeem(token)
        await press_link(page, "Account and devices")
        await literally(page, SCRIPT)
        await page.get_by_role("button", name=f"Remove {SCRIPT}", exact=True).click()
        await expect(page.get_by_text(SCRIPT)).to_have_count(0)
        await harmless(ann)

        for name in (IMAGE, SCRIPT, "Marked", "a b", "marked\r\nBcc: eve@example.org"):
            stranger = await caller("Browser")
            message = {"type": "register", "id": 1, "name": name, "key": stranger.key, "label": "x"}
            await stranger.send_text(json.dumps(message))
            assert await stranger.closed() == "bad-message"
        await press_link(page, "Back to calls")
        await page.get_by_label("Name of a contact").fill(SHORT)
        await press(page, "Add")
        await says(page, "Nobody here has that name.")
        await ring(page, SHORT)
        await says(page, f"Nobody here is called {SHORT}.")
        await ann.shot("nobody")
        await press(page, "Close")
        await ring(page, "markeve")  # the session lived on
        await says(page, "It rings at markeve")
        await harmless(ann)


async def test_an_address_with_a_line_break_makes_no_second_header(tmp_path: Path, chromium: Chromium) -> None:
    async with mail_server() as mails:
        daemon = WebDaemon(tmp_path / "repository", overrides={"calls.smtp": mails.url})
        daemon.wait_ready()
        try:
            async with chromium.visit(daemon, "markup-mail") as visit:
                await visit.page.add_init_script(WATCH)
                await visit.open("calls")
                hostile = "async (email) => (await import('/calls/session.js')).register('header', email, 'en')"
                for address in (
                    "a@example.org\r\nBcc: eve@example.org",
                    "a@example.org\nSubject: x",
                    "<script>@example.org",
                    '"><img>@example.org',
                ):
                    refused = f"([email]) => ({hostile})(email).catch((failure) => failure.code)"
                    assert await visit.page.evaluate(refused, [address]) in ("bad-message", "offline")
                assert mails.attempts == 0
                assert await visit.page.evaluate(hostile, "a@example.org") == "mailed"
                mail, _ = await mails.token()
                assert mail["To"] == "a@example.org"
                assert (mail["Bcc"], mail["Cc"], len(mail.get_all("Subject", []))) == (None, None, 1)
                await harmless(visit)
        finally:
            assert daemon.stop() == 0, daemon.errors


async def test_markup_in_a_push_message_is_a_title_as_it_was_written(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "markup-push") as visit:
        await visit.page.context.grant_permissions(["notifications"], origin=daemon.url)
        await visit.open()
        worker = await worker_of(visit.page)
        shown = await Shown.of(worker)
        for number, name in enumerate((IMAGE, SCRIPT, "$& $1 {name}")):
            data = json.dumps({"type": "ringing", "call": f"../c_{number}?x#y", "caller": name})
            await worker.evaluate("(data) => void self.dispatchEvent(new PushEvent('push', { data }))", data)
            titles = [each["title"] for each in await shown.after(number + 1)]
            assert f"{name} rings" in titles
        opened = await worker.evaluate(
            """async () => {
              self.clients.matchAll = async () => [];
              const opened = new Promise((resolve) => { self.clients.openWindow = async (url) => resolve(url); });
              const [notification] = (await self.registration.getNotifications())
                .filter(({ tag }) => tag.startsWith("zwerm"));
              self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: "answer" }));
              return opened;
            }"""
        )
        assert opened.startswith("/#/calls/answer/..%2Fc_")
