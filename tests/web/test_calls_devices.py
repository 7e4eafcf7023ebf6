"""Without camera, microphone, permission, WebRTC or a secure page: what pages say; one takes part all the same.

Nothing stands in for the devices here: the browsers themselves have none, or were told to refuse them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.firefox import running_firefox
from tests.web.media import ADDRESSES
from tests.web.room import LIMIT, SIGN_UP, come_in, inside, seat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-calls-devices"),
]

CAMERA, MICROPHONE = "No camera was found.", "No microphone was found."
NO_CAMERA, NO_MICROPHONE = "The browser may not use the camera.", "The browser may not use the microphone."
NO_CALLS = "This browser cannot make calls"
WITHOUT = "delete window.RTCPeerConnection;"
OPEN_ROOM = """async () => {
  const { session } = await import("/calls/session.js");
  return (await session.value.ask("room-open", { title: "Attic", waiting: false })).link;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    """A browser on a machine without camera and microphone, as a server is."""
    async with running_chromium(*ADDRESSES, "--host-resolver-rules=MAP zwerm.test 127.0.0.1") as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def equipped() -> AsyncIterator[Chromium]:
    """A browser with devices, which gives them to nobody unless it is told to."""
    async with running_chromium(*ADDRESSES, "--use-fake-device-for-media-stream") as browser:
        yield browser


async def enter(visit: Visit, name: str, *allowed: str) -> Page:
    """Sign somebody up at the page Calls, whose browser allows this."""
    page = visit.page
    page.set_default_timeout(LIMIT)
    await page.context.grant_permissions(list(allowed), origin=visit.daemon.url)
    await visit.open("calls")
    await page.evaluate(SIGN_UP, name)
    await expect(page.get_by_text(f"{name}.").first).to_be_visible()
    return page


async def ring(page: Page, name: str) -> None:
    await page.get_by_label("Whom do you want to ring?").fill(name)
    await page.get_by_role("button", name="Ring with picture").click()


async def test_two_without_camera_and_microphone_are_told_and_talk_in_writing(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        ann_visit = await stack.enter_async_context(chromium.visit(daemon, "bare-ann"))
        bob_visit = await stack.enter_async_context(chromium.visit(daemon, "bare-bob", size="phone", scheme="dark"))
        ann = await enter(ann_visit, "bareann", "camera", "microphone")
        bob = await enter(bob_visit, "barebob", "camera", "microphone")
        await ring(ann, "barebob")
        for words in (CAMERA, MICROPHONE):
            await expect(ann.get_by_text(words)).to_be_visible()
        await ann_visit.shot("ringing")
        await bob.get_by_role("button", name="Answer with picture").click()
        for page, visit, other in ((ann, ann_visit, "barebob"), (bob, bob_visit, "bareann")):
            await expect(page.locator("[data-verified=verified]")).to_be_visible(timeout=LIMIT)
            await expect(seat(page, other)).to_have_attribute("data-state", "connected", timeout=LIMIT)
            await expect(page.locator(".stage-note").get_by_text(MICROPHONE)).to_be_visible()
            await visit.shot("talking")
            assert await visit.axe() == []
            assert await visit.overflow() <= 0
            await page.locator(".stage-note").get_by_role("button", name="Dismiss").click()
            await expect(page.locator(".stage-note")).to_have_count(0)
        await ann.keyboard.press("c")
        await ann.get_by_role("textbox").fill("I hear and see nothing, but I read.")
        await ann.keyboard.press("Enter")
        await bob.get_by_role("button", name="Chat (1)").click()
        await expect(bob.get_by_text("I hear and see nothing, but I read.")).to_be_visible()


async def test_what_is_allowed_after_all_opens_by_itself(equipped: Chromium, daemon: WebDaemon) -> None:
    async with equipped.visit(daemon, "allowed-late") as visit:
        page = visit.page
        page.set_default_timeout(LIMIT)
        await visit.open(f"rooms/{'A' * 32}")
        for words in (NO_CAMERA, NO_MICROPHONE):
            await expect(page.get_by_text(words)).to_be_visible()
        await page.context.grant_permissions(["camera", "microphone"], origin=daemon.url)
        await expect(page.locator(".mirror video")).to_be_visible(timeout=LIMIT)
        await expect(page.get_by_role("switch", name="Microphone")).to_have_attribute("aria-checked", "true")
        for words in (NO_CAMERA, NO_MICROPHONE):
            await expect(page.get_by_text(words)).to_have_count(0)


@pytest.mark.parametrize(
    ("allowed", "said", "unsaid"),
    [
        ([], [NO_CAMERA, NO_MICROPHONE], []),
        (["microphone"], [NO_CAMERA], [NO_MICROPHONE]),
        (["camera"], [NO_MICROPHONE], [NO_CAMERA]),
    ],
    ids=["none", "microphone", "camera"],
)
async def test_whoever_was_not_allowed_devices_is_told_which_and_comes_into_a_room(
    equipped: Chromium, daemon: WebDaemon, allowed: list[str], said: list[str], unsaid: list[str]
) -> None:
    name = f"d-{'-'.join(allowed) or 'none'}"
    async with AsyncExitStack() as stack:
        visit = await stack.enter_async_context(equipped.visit(daemon, name))
        page = await enter(visit, name, *allowed)
        link = await page.evaluate(OPEN_ROOM)
        await visit.open(f"rooms/{link}")
        for words in said:
            await expect(page.get_by_text(words)).to_be_visible()
        for words in unsaid:
            await expect(page.get_by_text(words)).to_have_count(0)
        await visit.shot("before")
        await come_in(page, "Host")
        await inside(page)
        await expect(page.locator(".stage-note")).to_have_count(0)  # it was said before the door
        guest = await stack.enter_async_context(equipped.visit(daemon, f"{name}-guest"))
        guest.page.set_default_timeout(LIMIT)
        await guest.open(f"rooms/{link}")
        await expect(guest.page.get_by_text(NO_MICROPHONE)).to_be_visible()
        await come_in(guest.page, "Guest")
        await expect(seat(guest.page, "Host")).to_have_attribute("data-state", "connected", timeout=LIMIT)
        await expect(seat(page, "Guest")).to_have_attribute("data-state", "connected", timeout=LIMIT)
        await expect(seat(guest.page, "Host").locator("video")).to_have_count(1 if "camera" in allowed else 0)


async def test_a_browser_without_webrtc_says_so_on_calls_and_cannot_answer(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(chromium.visit(daemon, "old"))
        await old.page.add_init_script(WITHOUT)
        await old.open("calls")
        await expect(old.page.get_by_text(NO_CALLS)).to_be_visible()  # before one makes an account
        page = await enter(old, "old")
        await expect(page.locator("main").get_by_text(NO_CALLS)).to_be_visible()
        await expect(page.get_by_label("Whom do you want to ring?")).to_have_count(0)
        caller = await stack.enter_async_context(chromium.visit(daemon, "rings-old"))
        ringing = await enter(caller, "ringsold")
        await ring(ringing, "old")
        await expect(page.get_by_text("Answer on another device of yours.")).to_be_visible()
        await expect(page.get_by_role("button", name="Answer with picture")).to_have_count(0)
        await old.shot("calls")
        await page.get_by_role("button", name="Decline").click()
        await expect(ringing.get_by_text("old cannot talk now.")).to_be_visible()
        assert await old.axe() == []
        nl = await stack.enter_async_context(
            chromium.visit(daemon, "old-nl", size="small", scheme="dark", language="nl-NL")
        )
        await nl.page.add_init_script(WITHOUT)
        await nl.open("calls")
        await expect(nl.page.get_by_text("Deze browser kan niet bellen")).to_be_visible()
        assert await nl.overflow() <= 0
        await nl.shot("calls")


@pytest.mark.parametrize("place", ["calls", "rooms", f"rooms/{'A' * 32}"], ids=["calls", "rooms", "link"])
async def test_a_page_that_is_not_secure_says_what_to_do(chromium: Chromium, daemon: WebDaemon, place: str) -> None:
    daemon.ask("PUT", "settings", {"api.hosts": ["zwerm.test"]})
    name = f"insecure-{place[:9].replace('/', '-')}"
    async with chromium.visit(daemon, name, size="phone", scheme="dark", language="nl-NL") as visit:
        visit.expected += ["Cross-Origin-Opener-Policy", "401"]  # heeded on secure pages only; no owner is there
        await visit.page.goto(f"http://zwerm.test:{daemon.port}/#/{place}")
        await expect(visit.page.get_by_text("Bellen kan alleen op een beveiligde pagina.").first).to_be_visible()
        await expect(visit.page.get_by_text("zwerm up --lan")).to_be_visible()
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
        await visit.shot("page")


@pytest.mark.parametrize(
    ("preferences", "words"),
    [
        (
            {
                "media.navigator.streams.fake": True,
                "permissions.default.camera": 2,
                "permissions.default.microphone": 2,
            },
            [NO_CAMERA, NO_MICROPHONE],
        ),
        ({"media.navigator.permission.disabled": True}, [CAMERA, MICROPHONE]),
        ({"media.peerconnection.enabled": False}, [NO_CALLS]),
    ],
    ids=["denied", "none", "unsupported"],
)
async def test_a_firefox_says_what_is_missing(
    daemon: WebDaemon, tmp_path: Path, preferences: dict[str, object], words: list[str]
) -> None:
    async with running_firefox(tmp_path, preferences) as firefox:
        await firefox.open(f"{daemon.url}/#/rooms/{'A' * 32}")
        for each in words:
            await firefox.text(each)
        name = "-".join(words[0].split()[:4]).rstrip(".").lower()
        await firefox.shot(f"devices-{name}")
        await firefox.open("about:blank")
