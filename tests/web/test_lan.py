"""The house, as a browser sees it: once the node's authority is installed, the page is as good as any with HTTPS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Error, async_playwright, expect

from tests.web.browser import CHROMIUM, SCREENSHOTS
from tests.web.daemon import WebDaemon
from zwerm.daemon.tls.lan import machine_name

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-lan")]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    running = WebDaemon(tmp_path_factory.mktemp("web") / "repository", overrides={"https.lan": True})
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


def line(daemon: WebDaemon, beginning: str) -> str:
    return next(line for line in daemon.output if line.startswith(beginning)).rpartition(" ")[2]


@asynccontextmanager
async def another_machine(home: Path, *, language: str = "en-GB") -> AsyncIterator[BrowserContext]:
    """A browser with a home of its own, for which this machine's name in the house leads here."""
    rules = f"MAP {machine_name()}.local 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules={rules}"],
            env={**os.environ, "HOME": str(home)},
        )
        try:
            yield await browser.new_context(viewport={"width": 390, "height": 844}, locale=language)
        finally:
            await browser.close()


def install(home: Path, authority: Path) -> None:
    """Add an authority to those that Chromium trusts for web sites, as its settings do."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "zwerm", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True, capture_output=True)


async def test_browser_trusts_the_node_after_the_steps_and_not_before(daemon: WebDaemon, tmp_path: Path) -> None:
    name = f"{machine_name()}.local"
    port = urlsplit(line(daemon, "Web app from other machines: ")).port
    secure = f"https://{name}:{port}/"
    steps = f"http://{name}:{urlsplit(line(daemon, 'Trust it on a telephone first: ')).port}/trust"
    async with another_machine(tmp_path / "stranger") as context:
        page = await context.new_page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await page.goto(secure)

    install(tmp_path / "home", daemon.path / "tls" / "authority.pem")
    async with another_machine(tmp_path / "home", language="nl-NL") as context:
        page = await context.new_page()
        await page.goto(steps)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Vertrouw de zwerm in je huis")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / "lan-trust-nl.png", full_page=True)
        await page.get_by_role("link", name="Verder").click()
        await page.wait_for_url(f"{secure}**")
        assert await page.evaluate("isSecureContext && typeof navigator.mediaDevices.getUserMedia") == "function"
        assert await page.evaluate("async () => (await navigator.serviceWorker.ready).scope") == secure


async def test_another_machine_is_asked_for_the_key_and_rules_the_node_with_it(
    daemon: WebDaemon, tmp_path: Path
) -> None:
    install(tmp_path / "home", daemon.path / "tls" / "authority.pem")
    name = f"{machine_name()}.local"
    port = urlsplit(line(daemon, "Web app from other machines: ")).port
    key = line(daemon, "  with the owner's key: ").rpartition("#")[2]
    async with another_machine(tmp_path / "home") as context:
        page = await context.new_page()
        await page.goto(f"https://{name}:{port}/")
        await expect(page.get_by_role("dialog").locator("#key-key")).to_be_visible()
        await page.goto("about:blank")
        await page.goto(f"https://{name}:{port}/#{key}")
        await expect(page.locator(".answer")).to_contain_text("Your node is well")
