"""Before a room: what is wrong with camera and microphone is said, and one takes part all the same."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium
from tests.web.daemon import WebDaemon
from tests.web.media import stand_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-devices"),
]

PLACE = f"rooms/{'A' * 32}"


async def test_what_is_wrong_with_the_devices_is_said_in_words(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "devices") as visit:
        page = visit.page
        await page.add_init_script(
            stand_in(1, 440, audio_trouble="NotAllowedError", video_trouble="NotFoundError"),
        )
        await visit.open(PLACE)
        await expect(page.get_by_text("The browser may not use the microphone.")).to_be_visible()
        await expect(page.get_by_text("No camera was found.")).to_be_visible()
        await visit.shot("trouble")
        assert await visit.axe() == []
        await page.evaluate("() => { given.trouble.audio = ''; given.trouble.video = 'NotReadableError'; }")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("another program may be using it")).to_be_visible()
        await expect(page.get_by_role("switch", name="Microphone")).to_have_attribute("aria-checked", "true")
        await page.evaluate("() => { given.trouble.video = ''; }")
        await page.get_by_role("switch", name="Camera").click()
        await expect(page.locator(".mirror video")).to_be_visible()
        await page.evaluate(
            "() => { for (const track of tracks) if (track.kind === 'video') track.dispatchEvent(new Event('ended')); }"
        )
        await expect(page.get_by_text("The camera was unplugged.")).to_be_visible()


async def test_a_browser_without_calls_says_so(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "no-webrtc", size="small", scheme="dark", language="nl-NL") as visit:
        await visit.page.add_init_script("delete window.RTCPeerConnection;")
        await visit.open(PLACE)
        await expect(visit.page.get_by_text("Deze browser kan niet bellen")).to_be_visible()
        await expect(visit.page.get_by_role("button", name="Binnenkomen")).to_be_disabled()
        assert await visit.overflow() == 0
        assert await visit.axe() == []
        await visit.shot("small")


async def test_a_wrong_link_is_told_before_anybody_goes_there(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "paste", size="small") as visit:
        page = visit.page
        await visit.open("rooms")
        await page.get_by_label("Link of a room").fill("https://example.org/elsewhere")
        await page.get_by_role("button", name="Go there").click()
        await expect(page.get_by_text("That is not the link of a room.")).to_be_visible()
        await page.get_by_label("Link of a room").fill(f"{daemon.url}/#/{PLACE}")
        await page.get_by_role("button", name="Go there").click()
        await expect(page.get_by_label("Your name")).to_be_visible()
