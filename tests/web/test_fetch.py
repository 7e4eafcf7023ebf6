"""Fetch: the tab is a peer of its own; it fetches from the node, verifies, shows who sent what, and gives on."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.web.browser import Chromium, Scheme, Size, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.samples import README, dusk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-fetch")]

FILM = random.Random(7).randbytes(6_000_000)
NOWHERE = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium("--allow-loopback-in-peer-connection") as browser:
        yield browser


@pytest.fixture(scope="module")
def cids(daemon: WebDaemon) -> dict[str, str]:
    """What the node has, by name."""
    files = {"README.md": README.encode(), "dusk.png": dusk(3, 640, 400), "film.bin": FILM, "nothing.txt": b""}
    found = {name: daemon.keep(f"/garden/{name}", data) for name, data in files.items()}
    listed = daemon.ask("GET", "files", path="/")["entries"]
    return found | {entry["name"]: entry["cid"] for entry in listed}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    """A node that no browser reaches."""
    running = WebDaemon(tmp_path_factory.mktemp("offline") / "repository", overrides={"addresses.swarm": []})
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        pytest.param("wide", "light", "en-GB", id="wide light English"),
        pytest.param("wide", "dark", "nl-NL", id="wide dark Dutch"),
        pytest.param("phone", "light", "nl-NL", id="phone light Dutch"),
        pytest.param("small", "dark", "en-GB", id="small dark English"),
    ],
)
async def test_a_picture_comes_peer_to_peer_with_who_sent_it(
    chromium: Chromium, daemon: WebDaemon, cids: dict[str, str], size: Size, scheme: Scheme, language: str
) -> None:
    name = f"fetch-{size}-{scheme}-{language[:2]}"
    async with chromium.visit(daemon, name, size=size, scheme=scheme, language=language, motion="reduce") as visit:
        page = visit.page
        await visit.open("fetch")
        await visit.shot("empty")
        await page.locator(".address-bar input").fill(cids["dusk.png"])
        await page.keyboard.press("Enter")
        await expect(page.locator(".stage img")).to_be_visible()
        await page.wait_for_function("() => document.querySelector('.stage img').naturalWidth === 640")
        await expect(page.locator(".parties tbody tr")).to_have_count(1)
        await expect(page.locator(".parties .number").nth(2)).not_to_have_text("0\u00a0B")
        await visit.shot("picture")
        assert await visit.axe() == []
        assert await visit.overflow() <= 0
        assert [url for url in visit.requests if url.startswith(daemon.gateway_url)] == []


async def test_a_large_file_is_saved_as_it_is(
    chromium: Chromium, daemon: WebDaemon, cids: dict[str, str], tmp_path: Path
) -> None:
    async with chromium.visit(daemon, "fetch-film") as visit:
        page = visit.page
        await visit.open(f"fetch/{cids['film.bin']}")
        await expect(page.get_by_text("Verified", exact=True)).to_be_visible()
        async with page.expect_download() as started:
            await page.get_by_role("link", name="Download").click()
        download = await started.value
        await download.save_as(tmp_path / "film.bin")
        assert hashlib.sha256((tmp_path / "film.bin").read_bytes()).digest() == hashlib.sha256(FILM).digest()
        await visit.shot("saved")


async def test_a_folder_is_walked(chromium: Chromium, daemon: WebDaemon, cids: dict[str, str]) -> None:
    async with chromium.visit(daemon, "fetch-folder") as visit:
        page = visit.page
        await visit.open(f"fetch/{cids['garden']}")
        await expect(page.locator(".entries li")).to_have_count(4)
        await visit.shot("list")
        await page.get_by_role("link", name="README.md").click()
        await expect(page.locator(".fetched pre")).to_contain_text("A small site about our **garden**")
        await visit.shot("text")
        await page.go_back()
        await page.get_by_role("link", name="nothing.txt").click()
        await expect(page.get_by_text("Verified", exact=True)).to_be_visible()


async def test_what_a_tab_has_another_gets_from_the_node(
    chromium: Chromium, daemon: WebDaemon, cids: dict[str, str]
) -> None:
    async with chromium.visit(daemon, "fetch-two") as one, chromium.visit(daemon, "fetch-two") as two:
        for visit in (one, two):
            await visit.open(f"fetch/{cids['README.md']}")
            await expect(visit.page.locator(".fetched pre")).to_contain_text("garden")


async def test_what_nobody_has_can_be_stopped_and_tried_again(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "fetch-nobody") as visit:
        page = visit.page
        await visit.open(f"fetch/{NOWHERE}")
        await expect(page.get_by_text("Asking who has it.")).to_be_visible()
        await visit.shot("asking")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_text("You stopped it.")).to_be_visible()
        await page.get_by_role("button", name="Fetch", exact=True).click()
        await expect(page.get_by_text("Asking who has it.")).to_be_visible()


async def test_an_address_that_is_none_is_told(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "fetch-wrong") as visit:
        await visit.open("fetch/nonsense")
        await expect(visit.page.get_by_role("alert")).to_contain_text("This is not the address of content.")
        await visit.shot("wrong")


async def test_a_node_that_browsers_do_not_reach_is_told(chromium: Chromium, offline: WebDaemon) -> None:
    async with chromium.visit(offline, "fetch-off") as visit:
        await visit.open(f"fetch/{NOWHERE}")
        await expect(visit.page.get_by_role("alert")).to_contain_text("The node cannot be reached by browsers.")
        await visit.shot("told")
