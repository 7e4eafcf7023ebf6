"""What holds on every page: it can be read by everybody, fits a small phone, does not jump, and is light."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browser import Chromium, Scheme, Size
from tests.web.daemon import WebDaemon
from tests.web.samples import README, dusk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-everywhere")]

PAGES = (
    "home",
    "files",
    "files/garden",
    "history",
    "history/garden/README.md",
    "peers",
    "names",
    "connect",
    "calls",
    "rooms",
    "explore",
    "fetch",
    "storage",
    "settings",
)
FIRST_LOAD = 200_000  # bytes, compressed


@pytest.fixture(scope="module", autouse=True)
def kept(daemon: WebDaemon) -> None:
    long = "a name that somebody made much longer than any column of any list would ever like to show.txt"
    for path, data in {
        "/garden/README.md": README.encode(),
        "/garden/dusk.png": dusk(1),
        f"/garden/{long}": b"x",
        "/film.bin": bytes(range(256)) * 4000,
        "/notes.txt": b"one\ntwo\n",
    }.items():
        daemon.keep(path, data)
    daemon.keep("/notes.txt", b"one\nthree\n")
    daemon.rpc("pin/add", daemon.keep("/pinned.txt", b"p"), name="a pin")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_page(chromium: Chromium, daemon: WebDaemon, scheme: Scheme) -> None:
    async with chromium.visit(daemon, "axe", scheme=scheme, motion="reduce") as visit:
        for page in PAGES:
            await visit.open(page)
            assert (page, await visit.axe()) == (page, [])
        await visit.open("files/garden")
        await visit.page.get_by_role("button", name="As a grid").click()
        assert await visit.axe() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_what_opens_over_a_page(
    chromium: Chromium, daemon: WebDaemon, scheme: Scheme
) -> None:
    async with chromium.visit(daemon, "axe-over", scheme=scheme, motion="reduce") as visit:
        page = visit.page
        await visit.open("files/garden?show=README.md")
        await visit.settled()
        assert ("preview", await visit.axe()) == ("preview", [])
        await page.keyboard.press("Escape")
        await page.get_by_role("checkbox", name="Select dusk.png").check()
        assert ("selection", await visit.axe()) == ("selection", [])
        await page.get_by_role("button", name="Actions for README.md").click()
        assert ("menu", await visit.axe()) == ("menu", [])
        await page.get_by_role("menuitem", name="Share").click()
        await expect(page.locator(".qr path").first).to_be_visible()
        assert ("share", await visit.axe()) == ("share", [])
        await page.keyboard.press("Escape")
        await page.keyboard.press("Control+k")
        assert ("palette", await visit.axe()) == ("palette", [])
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        assert ("keys", await visit.axe()) == ("keys", [])
        await visit.shot(f"keys-{scheme}")


@pytest.mark.parametrize("language", ["en-GB", "nl-NL"])
async def test_every_page_fits_the_smallest_phone(chromium: Chromium, daemon: WebDaemon, language: str) -> None:
    async with chromium.visit(daemon, "small", size="small", language=language) as visit:
        for page in PAGES:
            await visit.open(page)
            assert (page, await visit.overflow()) == (page, 0)
            assert (page, await visit.axe()) == (page, [])
            for width in (600, 720, 900, 1100):
                await visit.page.set_viewport_size({"width": width, "height": 640})
                assert (page, width, await visit.overflow()) == (page, width, 0)
            await visit.page.set_viewport_size({"width": 360, "height": 640})
            await visit.shot(f"{page.replace('/', '_').replace('.', '_')}-{language[:2]}")
        texts = await visit.page.locator(".rail nav a:visible, .rail nav button").evaluate_all(
            "items => items.filter((item) => item.scrollWidth > item.clientWidth).map((item) => item.textContent)"
        )
        assert texts == []


@pytest.mark.parametrize("size", ["wide", "phone"])
async def test_pages_do_not_jump_while_they_load(chromium: Chromium, daemon: WebDaemon, size: Size) -> None:
    async with chromium.visit(daemon, "shift", size=size) as visit:
        await visit.page.add_init_script("""
            window.shifts = 0;
            const count = (list) => list.getEntries().forEach((entry) => {
              if (!entry.hadRecentInput) window.shifts += entry.value;
            });
            new PerformanceObserver(count).observe({type: 'layout-shift', buffered: true});
        """)
        for page in PAGES:
            await visit.open(page)
            await visit.page.reload()
            await visit.settled()
            assert (page, await visit.page.evaluate("shifts < 0.03 ? 'still' : shifts")) == (page, "still")


async def test_first_load_is_light(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "load") as visit:
        await visit.open()
        sizes: dict[str, int] = await visit.page.evaluate(
            "() => Object.fromEntries(['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind))"
            ".filter((entry) => !entry.name.includes('/api/')).map((entry) => [entry.name, entry.transferSize]))"
        )
        assert min(sizes.values()) > 0
        assert sum(sizes.values()) < FIRST_LOAD, sizes


async def test_a_search_that_fails_says_so_and_can_be_tried_again(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "search-fails") as visit:
        page, keys = visit.page, visit.page.keyboard
        await visit.open("home")
        await page.route("**/files/search?*", lambda route: route.abort("connectionreset"))
        await keys.press("Control+k")
        await keys.type("dusk")
        await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The node does not answer.")
        await visit.shot("palette-failure")
        await page.unroute("**/files/search?*")
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("option", name="dusk.png")).to_be_visible()
        visit.faults.clear()


async def test_one_field_finds_pages_files_addresses_and_things_to_do(chromium: Chromium, daemon: WebDaemon) -> None:
    cid = daemon.ask("GET", "node")["root"]
    async with chromium.visit(daemon, "palette", scheme="dark") as visit:
        page, keys = visit.page, visit.page.keyboard
        await visit.open("home")
        await keys.press("Control+k")
        await expect(page.get_by_role("combobox")).to_be_focused()
        await keys.type("sett")
        await keys.press("Enter")
        await expect(page.locator("h1")).to_have_text("Settings")
        await keys.press("Control+k")
        await keys.type("dusk")
        await expect(page.get_by_role("option", name="dusk.png")).to_be_visible()
        await visit.shot("file-dark")
        await keys.press("Enter")
        await expect(page.get_by_role("dialog").get_by_role("heading", name="dusk.png")).to_be_visible()
        await keys.press("Escape")
        await keys.press("Control+k")
        await keys.type(cid)
        await keys.press("Enter")
        await expect(page.locator(".answer")).to_contain_text("is a folder of")
        await keys.press("Control+k")
        await keys.type("light")
        await keys.press("Enter")
        await expect(page.locator(":root")).to_have_attribute("data-theme", "light")
        await keys.press("Control+k")
        await keys.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_page_goes_on_by_itself_when_the_node_comes_back(
    chromium: Chromium, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repository = tmp_path_factory.mktemp("restart") / "repository"
    first = WebDaemon(repository)
    first.wait_ready()
    first.keep("/before.txt", b"1")
    port = first.port
    async with chromium.visit(first, "restart") as visit:
        visit.expected += [
            "ERR_CONNECTION_REFUSED",
            "ERR_INCOMPLETE_CHUNKED_ENCODING",
            "ERR_CONNECTION_RESET",
            "401",
            "503",
        ]
        page = visit.page
        await visit.open("files")
        await expect(page.get_by_role("link", name="before.txt")).to_be_visible()
        assert first.stop() == 0
        await expect(page.get_by_text("The node does not answer.", exact=False)).to_be_visible()
        await visit.shot("away")
        second = WebDaemon(repository, overrides={"addresses.web": f"127.0.0.1:{port}"})
        second.wait_ready()
        try:
            await expect(page.get_by_text("The node does not answer.", exact=False)).to_have_count(0, timeout=15_000)
            second.keep("/after.txt", b"2")
            await expect(page.get_by_role("link", name="after.txt")).to_be_visible()
        finally:
            second.stop()


async def test_page_opened_from_elsewhere_asks_for_the_key_until_it_is_right(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    daemon.ask("PUT", "settings", {"api.token": "the right key"})
    async with chromium.visit(daemon, "key") as visit:
        visit.expected.append("401")
        page = visit.page
        # To the node, a request that a proxy passed on comes from another machine.
        await page.context.set_extra_http_headers({"X-Forwarded-For": "192.0.2.7"})
        await visit.open("files")
        await page.get_by_label("Key").fill("a wrong key")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_text("This key does not open this node.")).to_be_visible()
        await visit.shot("wrong")
        await page.get_by_label("Key").fill("the right key")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="garden")).to_be_visible()
        await page.goto("about:blank")
        await page.goto(f"{daemon.url}/#key=the%20right%20key")
        await expect(page.locator(".answer")).to_contain_text("Your node is well.")
        assert "key" not in page.url


async def test_what_takes_long_shows_its_shape_first_and_reduced_motion_is_kept(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "skeleton", motion="reduce") as visit:
        page = visit.page
        network = await page.context.new_cdp_session(page)
        await network.send("Network.enable")
        await visit.open("home")
        slow = {"offline": False, "latency": 1500, "downloadThroughput": -1, "uploadThroughput": -1}
        await network.send("Network.emulateNetworkConditions", slow)
        await page.get_by_role("link", name="Files", exact=True).click()
        await expect(page.locator(".skeletons")).to_be_visible()
        await visit.shot("files")
        assert await page.evaluate("document.getAnimations().length") == 0
        await network.send("Network.emulateNetworkConditions", slow | {"latency": 0})
        await expect(page.get_by_role("link", name="garden")).to_be_visible()
