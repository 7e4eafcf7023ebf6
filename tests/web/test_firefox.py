"""The main ways through the app in a real Firefox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web import samples
from tests.web.browser import AXE
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-firefox")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with running_firefox(tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


async def test_files_are_chosen_kept_renamed_deleted_and_brought_back(
    firefox: Firefox, daemon: WebDaemon, folder: Path
) -> None:
    await firefox.open(f"{daemon.url}/")
    await firefox.text("Your node is well, and waits for the first thing to keep.")
    await firefox.click("main button", "Choose files")
    await firefox.choose(folder / "notes.txt", folder / "day one" / "plan.md")
    await firefox.text("Kept 2 files")
    await firefox.text("It keeps 2 files")
    await firefox.shot("home")

    await firefox.click("nav a", "Files")
    await firefox.until("document.activeElement === document.querySelector('h1')")
    await firefox.click("button", "Actions for notes.txt")
    await firefox.click("[role=menuitem]", "Rename")
    await firefox.until("document.activeElement.id === 'name-name'")
    await firefox.press(*"ladder", "Enter")
    await firefox.text("ladder.txt")
    await firefox.click("button", "Actions for ladder.txt")
    await firefox.click("[role=menuitem]", "Delete")
    await firefox.text("Deleted “ladder.txt”.")
    assert daemon.names("/") == ["plan.md"]
    await firefox.press("z", holding="Control")
    await firefox.text("“ladder.txt” is back.")
    assert daemon.names("/") == ["ladder.txt", "plan.md"]
    await firefox.shot("files")


async def test_content_is_seen_where_it_may_be_and_markdown_is_read(firefox: Firefox, daemon: WebDaemon) -> None:
    for name, data in {"dusk.png": samples.dusk(2), "README.md": samples.README.encode()}.items():
        daemon.keep(f"/shown/{name}", data)
    daemon.keep("/shown/starlings.webm", samples.VIDEO)
    daemon.keep("/shown/minutes.pdf", samples.pdf())
    await firefox.open(f"{daemon.url}/#/files/shown?show=dusk.png")
    await firefox.until("document.querySelector('.stage img')?.naturalWidth === 160")
    await firefox.shot("picture")
    await firefox.open(f"{daemon.url}/#/files/shown?show=starlings.webm")
    await firefox.until("document.querySelector('.stage video')?.videoWidth === 192")
    await firefox.open(f"{daemon.url}/#/files/shown?show=minutes.pdf")
    await firefox.until("document.querySelector('iframe.frame')?.src.includes('.ipfs.localhost:')")
    await firefox.open(f"{daemon.url}/#/files/shown?show=README.md")
    await firefox.until("document.querySelectorAll('.prose td').length === 4")
    assert await firefox.run("document.querySelectorAll('.prose script, .prose img').length") == 0
    await firefox.press("Escape")
    await firefox.until("!document.querySelector('dialog')")


async def test_history_explore_storage_and_settings_answer(firefox: Firefox, daemon: WebDaemon) -> None:
    daemon.keep("/ladder.md", "Call Bram.\n")
    daemon.keep("/told.txt", "one\ntwo\n")
    daemon.keep("/told.txt", "one\nthree\n")
    await firefox.open(f"{daemon.url}/#/history/told.txt")
    await firefox.until("document.querySelector('.diff .added code')?.textContent.includes('three')")
    await firefox.shot("history")
    await firefox.click(".timeline a", "Added “told.txt”")
    await firefox.click("button", "Bring this version back")
    await firefox.text("“told.txt” is as it was then.")

    await firefox.open(f"{daemon.url}/#/explore")
    await firefox.until("document.querySelectorAll('.graph .box').length >= 3")
    await firefox.shot("explore")
    await firefox.open(f"{daemon.url}/#/storage")
    await firefox.text("All of it is needed.")
    await firefox.click(".job button", "Check")
    await firefox.text("all good.")
    await firefox.shot("storage")
    await firefox.open(f"{daemon.url}/#/settings")
    await firefox.click("button", "Nederlands")
    await firefox.text("Instellingen")
    await firefox.click("button", "Donker")
    await firefox.until("getComputedStyle(document.body).colorScheme === 'dark'")
    await firefox.shot("settings-dark-nl")
    await firefox.press("k", holding="Control")
    await firefox.until("document.activeElement?.matches('dialog input')")
    await firefox.press(*"ladder")
    await firefox.text("ladder.md")
    await firefox.press("Escape")


async def test_axe_finds_nothing_serious_in_firefox_either(firefox: Firefox, daemon: WebDaemon) -> None:
    source = AXE.read_text()
    for page in ("home", "files", "history", "explore", "storage", "settings"):
        await firefox.open(f"{daemon.url}/#/{page}")
        await firefox.until("document.querySelector('.answer') && !document.querySelector('main .skeleton')")
        await firefox.run(f"(() => {{ {source}; }})()")
        found = await firefox.run(
            "axe.run(document, {resultTypes: ['violations'], iframes: false}).then(({violations}) => violations"
            ".filter(({impact}) => ['serious', 'critical'].includes(impact)).map(({id, nodes}) => [id, nodes[0].html]))"
        )
        assert (page, found) == (page, [])
