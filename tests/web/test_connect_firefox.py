"""The page Connect in Firefox, with `zwerm connect --paste` on the other side."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.harness import Harness
from tests.cli.shell import Side
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-connect-firefox"),
]

OWN, THEIRS = "[aria-label^='Your code, to give']", "[aria-label='Code of the other person']"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    ice = "media.peerconnection.ice"
    preferences = {f"{ice}.loopback": True, f"{ice}.obfuscate_host_addresses": False}
    async with running_firefox(tmp_path_factory.mktemp("firefox"), preferences) as browser:
        yield browser


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Side]:
    side = Side(Harness(tmp_path / "shell"), "--into", tmp_path / "into")
    yield side
    if side.process.poll() is None:
        side.kill()


async def fill(firefox: Firefox, selector: str, text: str) -> None:
    """Put a text into a field, as pasting does."""
    await firefox.run(
        f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.value = {json.dumps(text)};"
        " field.dispatchEvent(new Event('input', {bubbles: true})); return true; })()"
    )


async def test_a_firefox_and_a_shell_talk_and_send_files(
    firefox: Firefox, daemon: WebDaemon, shell: Side, tmp_path: Path
) -> None:
    photo, back = tmp_path / "photo.jpg", tmp_path / "back.bin"
    photo.write_bytes(os.urandom(2_000_000))
    back.write_bytes(os.urandom(500_000))
    theirs = await asyncio.to_thread(shell.code)
    await firefox.open(f"{daemon.url}/#/connect")
    await firefox.click("main button", "Make a code")
    await firefox.until(f'document.querySelector("{OWN}")?.value.startsWith("zwerm1")')
    shell.type(await firefox.run(f'document.querySelector("{OWN}").value'))
    await fill(firefox, THEIRS, theirs)
    await firefox.text("You are connected, straight to each other.")
    shell.type("van de shell")
    await firefox.text("van de shell")
    await fill(firefox, "[aria-label='What you want to say']", "van de vos")
    await firefox.click("main button", "Say it")
    await asyncio.to_thread(shell.told, "text", Text="van de vos")
    await firefox.click("main button", "Send files")
    await firefox.choose(photo)
    await asyncio.to_thread(shell.told, "file", Name="photo.jpg", State="done")
    assert (tmp_path / "into" / "photo.jpg").read_bytes() == photo.read_bytes()
    shell.type(f"/send {back}")
    await firefox.click("main button", "Receive back.bin")
    await asyncio.to_thread(shell.told, "file", Name="back.bin", State="done")
    await firefox.text("Save it before you close this page.")
    await firefox.shot("connect")
    shell.type("/quit")
    await firefox.text("The other person left.")
    assert await asyncio.to_thread(shell.end) == 0
