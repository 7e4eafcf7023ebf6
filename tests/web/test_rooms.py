"""Rooms in real browsers: people meet behind a link, and each hears and sees the others, straight from page to page."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.firefox import Firefox, running_firefox
from tests.web.media import ADDRESSES, FIREFOX_MEDIA, HEARD, HEARD_IN_FIREFOX, SEEN, stand_in
from tests.web.room import ARRIVED, LIMIT, Meeting, hears_and_sees, inside, seat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms"),
]


# The size of a file on the disk that arrived, and the hash by which it was checked.
KEPT = """async (name) => {
  const {current} = await import('/rooms/current.js');
  const {entries} = current.value.meeting.value.shelf;
  return new Promise((done) => entries.subscribe((list) => {
    const entry = list.find((each) => each.name === name && each.whole instanceof File);
    if (entry) done([entry.whole.size, entry.sha256]);
  }));
}"""
NAMED = "async () => (await import('/internals/recorder.js')).recordings.value.map((each) => each.label).sort()"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with running_firefox(tmp_path_factory.mktemp("firefox"), FIREFOX_MEDIA) as browser:
        yield browser


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDaemon]:
    overrides = {"calls.enabled": "true", "turn.enabled": "true"}
    running = WebDaemon(tmp_path_factory.mktemp("rooms") / "repository", overrides=overrides)
    running.wait_ready()
    yield running
    assert running.stop() == 0, running.errors
    assert "Traceback" not in running.errors, running.errors


@pytest_asyncio.fixture(loop_scope="module")
async def meeting(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Meeting]:
    made = Meeting(chromium, daemon)
    async with made.stack:
        yield made


async def firefox_joins(firefox: Firefox, daemon: WebDaemon, link: str, name: str, who: int, hertz: int) -> None:
    script = f"() => {{ {stand_in(who, hertz, hums=True)} }}"
    await firefox.command("script.addPreloadScript", functionDeclaration=script)
    await firefox.open(f"{daemon.url}/#{link}")
    await firefox.until("document.querySelector('.mirror video') && document.querySelector('.device-choice select')")
    await firefox.run(
        f"(() => {{ const field = document.querySelector('#own-label'); field.value = {json.dumps(name)};"
        " field.dispatchEvent(new Event('input', {bubbles: true})); return true; })()"
    )
    await firefox.click("button[type=submit]", "Come in")


async def firefox_hears_and_sees(firefox: Firefox, name: str, who: int, hertz: int) -> None:
    await firefox.run(f"({SEEN})({json.dumps([name, who])})")
    await firefox.run(f"({HEARD_IN_FIREFOX})({json.dumps([name, hertz])})")


async def test_three_people_in_two_browsers_meet_behind_a_door(
    meeting: Meeting, firefox: Firefox, daemon: WebDaemon
) -> None:
    ann = await meeting.host("ann", 11, 440, waiting=True)
    await inside(ann.page)
    bob = await meeting.guest("Bob", 22, 620)
    await expect(bob.page.get_by_text("You are expected soon")).to_be_visible(timeout=LIMIT)
    await bob.shot("door")
    await ann.page.get_by_role("button", name="Let Bob in", exact=True).click()
    await inside(bob.page)
    await firefox_joins(firefox, daemon, meeting.link, "Cleo", 33, 880)
    await firefox.text("You are expected soon")
    await ann.page.get_by_role("button", name="Let Cleo in", exact=True).click()
    await firefox.until("document.querySelector('.scene')")
    await hears_and_sees(ann.page, "Bob", 22, 620)
    await hears_and_sees(ann.page, "Cleo", 33, 880)
    await hears_and_sees(bob.page, "ann", 11, 440)
    await hears_and_sees(bob.page, "Cleo", 33, 880)
    await firefox_hears_and_sees(firefox, "ann", 11, 440)
    await firefox_hears_and_sees(firefox, "Bob", 22, 620)
    assert await ann.page.evaluate(NAMED) == ["Bob", "Cleo"]

    # A signature that is not the other device's would have shown nothing.
    await ann.page.keyboard.press("p")
    await expect(ann.page.locator(".panel-people .state.good")).to_have_count(2)
    await ann.page.get_by_role("button", name="What you can ask of Bob").click()
    await ann.page.get_by_role("menuitem", name="Ask to turn the microphone off").click()
    await expect(bob.page.get_by_role("button", name="Turn the microphone on")).to_be_visible()
    await expect(seat(ann.page, "Bob").get_by_role("img", name="Microphone off")).to_be_visible()
    await bob.page.keyboard.press("h")
    await expect(seat(ann.page, "Bob").get_by_role("img", name="Hand raised")).to_be_visible()
    await ann.shot("people")

    await bob.page.keyboard.press("c")
    await bob.page.get_by_label("What you want to say").fill("<b>Shall we</b> plant the pear?")
    await bob.page.keyboard.press("Enter")
    await firefox.click(".stage-bar button", "Chat")
    await firefox.text("<b>Shall we</b> plant the pear?")
    await firefox.shot("room")

    # Cleo shows her screen, with its sound.
    await firefox.run("import('/rooms/current.js').then(({current}) => current.value.meeting.value.shareScreen())")
    await bob.page.evaluate(SEEN, ["Screen of Cleo", 133])
    await bob.page.evaluate(HEARD, ["Cleo", 880, "screenSound"])
    await bob.shot("screen")
    await bob.page.set_viewport_size({"width": 360, "height": 700})
    await bob.shot("phone-chat")
    await bob.page.get_by_role("button", name="Close").click()
    assert await bob.overflow() <= 0
    await bob.shot("phone")
    assert await ann.axe() == []
    assert await bob.axe() == []

    await ann.page.get_by_role("button", name="For hosts").click()
    await ann.page.get_by_role("menuitem", name="Lock the door").click()
    await expect(ann.page.get_by_text("Locked")).to_be_visible()
    late = await meeting.guest("Late", 44, 300)
    await expect(late.page.get_by_text("The room is locked.")).to_be_visible(timeout=LIMIT)

    await ann.page.get_by_role("button", name="What you can ask of Bob").click()
    await ann.page.get_by_role("menuitem", name="Send out").click()
    await expect(bob.page.get_by_text("The host sent you out.")).to_be_visible()
    await expect(ann.page.locator("figure[aria-label=Bob]")).to_have_count(0)

    await ann.page.get_by_role("button", name="For hosts").click()
    await ann.page.get_by_role("menuitem", name="End the room").click()
    await ann.page.get_by_role("dialog").get_by_role("button", name="End the room").click()
    await firefox.text("The room was ended. Its link opens nothing any more.")


async def test_six_pages_are_a_mesh(meeting: Meeting) -> None:
    names = ["anna", "Bob", "Cleo", "Dirk", "Eva", "Fien"]
    first = await meeting.host(names[0], 1, 300, frames=4)
    await inside(first.page)
    pages = [first.page]
    for at, name in enumerate(names[1:], start=2):
        visit = await meeting.guest(name, at, 300 + 90 * at, frames=4)
        await inside(visit.page)
        pages.append(visit.page)
    for page, own in zip(pages, names, strict=True):
        for at, name in enumerate(names, start=1):
            if name != own:
                await page.evaluate(SEEN, [name, at])
    await first.shot("six")
    seventh = await meeting.guest("Gijs", 7, 1000, frames=4)
    await inside(seventh.page)
    await first.page.keyboard.press("p")
    await expect(first.page.get_by_text("Here, but a page connects to five others at most")).to_be_visible()


async def test_files_cross_straight_onto_the_disk_of_the_other(
    meeting: Meeting, firefox: Firefox, daemon: WebDaemon, tmp_path: Path
) -> None:
    large, small = tmp_path / "film.bin", tmp_path / "notes.txt"
    large.write_bytes(os.urandom(1 << 20) * 64)
    small.write_bytes(b"Plant the pear before the frost.\n")
    dora = await meeting.host("dora", 41, 500)
    await inside(dora.page)
    await firefox_joins(firefox, daemon, meeting.link, "Cleo", 33, 880)
    await firefox.until("document.querySelector('.scene')")
    await expect(seat(dora.page, "Cleo")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await dora.page.keyboard.press("u")
    await dora.page.get_by_label("Send files").set_input_files([large, small])
    await firefox.click("button", "Receive film.bin")
    await firefox.click("button", "Receive notes.txt")
    found = await firefox.run(f"({ARRIVED})('film.bin')")
    assert found == {"size": large.stat().st_size, "sha256": hashlib.sha256(large.read_bytes()).hexdigest()}
    await firefox.run(f"({ARRIVED})('notes.txt')")
    await expect(dora.page.locator(".transfer[data-state=done]")).to_have_count(2)
    await dora.shot("files")


def held() -> int:
    """Bytes that the pages of all Chromiums hold in memory."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if b"--type=renderer" in status.with_name("cmdline").read_bytes():
                total += int(re.search(r"RssAnon:\s+(\d+)", status.read_text())[1]) * 1024  # type: ignore[index]
    return total


@pytest.mark.full
async def test_a_gibibyte_crosses_and_neither_page_holds_it_in_memory(meeting: Meeting, tmp_path: Path) -> None:
    film = tmp_path / "film.bin"
    with film.open("wb") as file:
        for _ in range(16):
            file.write(os.urandom(1 << 26))
    dora = await meeting.host("dora", 41, 500)
    bob = await meeting.guest("Bob", 22, 620)
    await inside(bob.page)
    await expect(seat(dora.page, "Bob")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    before = peak = held()
    await dora.page.keyboard.press("u")
    await dora.page.get_by_label("Send files").set_input_files(film)
    await bob.page.get_by_role("button", name="Receive film.bin").click(timeout=120_000)
    arriving = asyncio.ensure_future(bob.page.evaluate(KEPT, film.name))
    while not arriving.done():
        await asyncio.wait([arriving], timeout=0.25)
        peak = max(peak, held())
    with film.open("rb") as file:
        assert arriving.result() == [1 << 30, hashlib.file_digest(file, "sha256").hexdigest()]
    assert peak - before < 300 << 20, f"{(peak - before) >> 20} MiB more than before"
