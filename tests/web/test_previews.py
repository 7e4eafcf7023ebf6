"""What is in a file is shown from the gateway's origin, and nothing in it can reach the app."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.web import samples
from tests.web.browser import Chromium, Visit
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-previews")]


SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">
<script>document.documentElement.remove()</script><path d="M0 0h9v9z"/></svg>"""


@pytest.fixture(scope="module", autouse=True)
def kept(daemon: WebDaemon) -> None:
    files = {
        "dusk.png": samples.dusk(4),
        "flock.svg": SVG,
        "starlings.webm": samples.VIDEO,
        "call.wav": samples.tone(),
        "minutes.pdf": samples.pdf(),
        "README.md": samples.README.encode(),
        "index.html": samples.PAGE.encode(),
        "tricks.txt": b"<b>not bold</b> & <script>document.title = 'broken into'</script>\n",
        "long.log": b"".join(b"%06d a line of a long log\n" % number for number in range(6000)),
        "broken.png": b"this is no picture",
        "nothing.txt": b"",
        "data.bin": bytes(range(256)),
    }
    for name, data in files.items():
        daemon.keep(f"/show/{name}", data)


async def show(visit: Visit, name: str) -> None:
    await visit.open("files/show")
    await visit.page.locator(f'a[data-path="/show/{name}"]').click()
    await expect(visit.page.get_by_role("dialog").get_by_role("heading", name=name)).to_be_visible()
    await visit.settled()


def app_requests(visit: Visit) -> list[str]:
    """What was asked of the app's own origin besides its files and its API."""
    asked = [urlsplit(url) for url in visit.requests if url.startswith(visit.daemon.url)]
    return [
        url.geturl()
        for url in asked
        if not url.path.startswith("/api/app/") and (url.query or not url.path.endswith((".js", ".css", ".svg", "/")))
    ]


async def test_pictures_films_and_sounds_play_from_the_gateway(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview", scheme="dark") as visit:
        page = visit.page
        await show(visit, "dusk.png")
        await page.wait_for_function("() => document.querySelector('.stage img').naturalWidth === 160")
        await visit.shot("picture-dark")
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_role("dialog").get_by_role("heading", name="flock.svg")).to_be_visible()
        await page.wait_for_function("() => document.querySelector('.stage img').naturalWidth > 0")
        await show(visit, "starlings.webm")
        await page.wait_for_function("() => document.querySelector('.stage video').videoWidth === 192")
        await page.wait_for_function("() => document.querySelector('.stage video').readyState >= 2")
        await visit.shot("video-dark")
        await show(visit, "call.wav")
        await page.wait_for_function("() => document.querySelector('.stage audio').duration >= 1")
        await visit.shot("audio-dark")
        await visit.open("files/show?show=dusk.png")  # at once, before the page knows where the gateway is
        await page.reload()
        await page.wait_for_function("() => document.querySelector('.stage img')?.naturalWidth === 160")
        assert app_requests(visit) == []


async def test_markdown_is_read_into_elements_and_nothing_in_it_runs(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview") as visit:
        page = visit.page
        await show(visit, "README.md")
        prose = page.locator(".prose")
        await expect(prose.locator("h3")).to_have_text("Garden")
        await expect(prose.locator("td")).to_have_text(["1", "Tomatoes", "2", "Beans"])
        await expect(prose.locator("ol > li")).to_have_count(2)
        await expect(prose.get_by_role("checkbox", name="compost turned")).to_be_checked()
        await expect(prose.locator("script, img, [onerror]")).to_have_count(0)
        address = await prose.get_by_role("link", name="the page").get_attribute("href")
        assert address
        assert address.startswith(daemon.gateway_url)
        assert await prose.locator("a").evaluate_all("links => links.every((a) => /^https?:$/.test(a.protocol))")
        assert await page.title() == "show · zwerm"
        await visit.shot("markdown")
        await page.get_by_role("button", name="Source").click()
        await expect(page.locator(".lines .content")).to_contain_text("# Garden")


async def test_text_is_escaped_and_a_long_one_comes_in_pieces(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview") as visit:
        page = visit.page
        await show(visit, "tricks.txt")
        await expect(page.locator(".lines .content")).to_contain_text("<b>not bold</b>")
        await show(visit, "long.log")
        await expect(page.get_by_text("The first 65.5 kB of 168 kB")).to_be_visible()
        await visit.shot("text")
        await page.locator(".text-view").get_by_role("button", name="More").click()
        await expect(page.locator(".lines .content")).to_contain_text("005999 a line")
        await show(visit, "nothing.txt")
        await expect(page.get_by_text("This file is empty.")).to_be_visible()


async def test_pdf_is_shown_by_the_browser_on_an_origin_of_its_own(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview") as visit:
        await show(visit, "minutes.pdf")
        frame = visit.page.locator("iframe.frame")
        source = await frame.get_attribute("src")
        assert source
        assert ".ipfs.localhost:" in source
        await visit.page.wait_for_timeout(800)  # the viewer draws in a process that nothing here can ask
        await visit.shot("pdf")


async def test_web_page_in_the_preview_runs_nothing_and_reaches_nothing(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview") as visit:
        visit.expected.append("Blocked script execution in")
        page = visit.page
        await page.add_init_script("addEventListener('message', (event) => { window.heard = event.data; })")
        await show(visit, "index.html")
        inside = page.frame_locator("iframe.frame")
        await expect(inside.locator("#said")).to_have_text("Nothing ran.")
        assert await page.evaluate("window.heard") is None
        await visit.shot("page")


async def test_what_cannot_be_shown_says_so_and_can_be_downloaded(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "preview", size="phone") as visit:
        page = visit.page
        await show(visit, "broken.png")
        await expect(page.get_by_text("This file cannot be shown.", exact=False)).to_be_visible()
        await visit.shot("broken-phone")
        await show(visit, "data.bin")
        async with page.expect_download() as waiting:
            await page.locator(".no-preview").get_by_role("link", name="Download").click()
        download = await waiting.value
        assert download.suggested_filename == "data.bin"
        assert (await download.path()).read_bytes() == bytes(range(256))
