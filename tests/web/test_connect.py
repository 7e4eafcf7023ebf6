"""The page Connect between two browsers, and with `zwerm connect --paste`: only texts are carried between them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.cli.harness import Harness
from tests.cli.shell import Side
from tests.web.browser import Chromium, Scheme, Size, Visit, running_chromium
from tests.web.daemon import WebDaemon
from zwerm.webrtc.paste.code import Code, Kind, Place
from zwerm.webrtc.paste.text import read, write

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-connect"),
]

LIMIT = 20_000  # milliseconds, of a busy machine
ADDRESSES = ("--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns")
# Give the link up without a word, as a browser that is killed does, once half a megabyte has come.
BREAK = """async () => {
  const [{files}, {begin}] = await Promise.all([import('/connect/desk.js'), import('/connect/conversation.js')]);
  await new Promise((done, fail) => {
    files.subscribe((list) => list.some(({moved}) => moved > 500_000) && done());
    setTimeout(() => fail(new Error(`it does not move: ${JSON.stringify(files.value)}`)), 20_000);
  });
  void begin();
}"""
# From where the first file went on.
RESUMED = """async () => {
  const {files} = await import('/connect/desk.js');
  return new Promise((done, fail) => {
    files.subscribe((list) => list[0]?.from > 0 && done(list[0].from));
    setTimeout(() => fail(new Error(`it does not go on: ${JSON.stringify(files.value)}`)), 20_000);
  });
}"""
# Learn only when told to that the connection is there: browsers say so in a task of its own, before or after messages.
LATE = """() => {
  const {get} = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(RTCPeerConnection.prototype), 'connectionState');
  let isLate = true;
  Object.defineProperty(RTCPeerConnection.prototype, 'connectionState', {get() {
    window.connection = this;
    return isLate && get.call(this) === 'connected' ? 'connecting' : get.call(this);
  }});
  window.tell = () => { isLate = false; window.connection.dispatchEvent(new Event('connectionstatechange')); };
}"""
HAS_COME = """async () => [...(await window.connection.getStats()).values()].some(
  ({type, label, messagesReceived}) => type === 'data-channel' && label === 'zwerm files' && messagesReceived > 0)"""
OWN, THEIRS = "Your code, to give to the other person", "Code of the other person"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Side]:
    side = Side(Harness(tmp_path / "shell"), "--into", tmp_path / "into")
    yield side
    if side.process.poll() is None:
        side.kill()


async def make_code(visit: Visit) -> str:
    """Open the page, make a code, and return it."""
    await visit.open("connect")
    await visit.page.get_by_role("button", name="Make a code").click()
    return await own_code(visit.page)


async def own_code(page: Page) -> str:
    field = page.get_by_label(OWN)
    await expect(field).to_have_value(re.compile("^zwerm1"), timeout=LIMIT)
    return await field.input_value()


async def connected(page: Page) -> None:
    await expect(page.locator(".answer")).to_have_text("You are connected, straight to each other.", timeout=LIMIT)


@asynccontextmanager
async def two(
    chromium: Chromium, daemon: WebDaemon, name: str, *, size: Size = "wide", scheme: Scheme = "light"
) -> AsyncIterator[tuple[Visit, Visit]]:
    """Two people who are connected."""
    async with (
        chromium.visit(daemon, f"{name}-left", size=size, scheme=scheme) as left,
        chromium.visit(daemon, f"{name}-right") as right,
    ):
        codes = await make_code(left), await make_code(right)
        await left.page.get_by_label(THEIRS).fill(codes[1])
        await right.page.get_by_label(THEIRS).fill(codes[0])
        await connected(left.page)
        await connected(right.page)
        yield left, right


async def say(page: Page, text: str) -> None:
    await page.get_by_label("What you want to say").fill(text)
    await page.keyboard.press("Enter")


async def heard(page: Page, text: str) -> None:
    await expect(page.get_by_role("log")).to_contain_text(text, timeout=LIMIT)


async def choose(page: Page, *paths: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Send files").click()
    await (await chooser.value).set_files(paths)


async def saved(page: Page, name: str) -> bytes:
    async with page.expect_download() as download:
        await page.get_by_role("button", name=f"Save {name}").click(timeout=LIMIT)
    path = Path(await (await download.value).path())
    return await asyncio.to_thread(path.read_bytes)


def made(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


async def test_two_pages_talk_and_send_files_both_ways(chromium: Chromium, daemon: WebDaemon, tmp_path: Path) -> None:
    photo, letter = made(tmp_path, "photo é.jpg", 3_000_000), made(tmp_path, "empty.txt", 0)
    async with two(chromium, daemon, "talk") as (left, right):
        await say(left.page, "hallo daar 🐦")
        await heard(right.page, "hallo daar 🐦")
        await right.page.get_by_label("What you want to say").fill("da")
        await expect(left.page.get_by_text("The other person is writing")).to_be_visible(timeout=LIMIT)
        await left.shot("writing")
        await right.page.keyboard.press("Enter")
        await heard(left.page, "da")
        await choose(left.page, photo, letter)
        await right.page.get_by_role("button", name="Receive photo é.jpg").click(timeout=LIMIT)
        await right.page.get_by_role("button", name="Receive empty.txt").click(timeout=LIMIT)
        assert await saved(right.page, "photo é.jpg") == photo.read_bytes()
        assert await saved(right.page, "empty.txt") == b""
        await expect(left.page.get_by_text("Arrived whole")).to_have_count(2)
        await right.shot("files")
        await choose(right.page, photo)
        await left.page.get_by_role("button", name="Decline photo é.jpg").click(timeout=LIMIT)
        await expect(right.page.get_by_text("It was declined.")).to_be_visible(timeout=LIMIT)
        await left.page.get_by_role("button", name="Leave").click()
        await expect(right.page.locator(".answer")).to_have_text("The other person left.", timeout=LIMIT)
        await expect(right.page.get_by_role("log")).to_contain_text("hallo daar")
        await right.shot("left")


async def test_files_that_are_dropped_are_sent_and_not_kept(
    chromium: Chromium, daemon: WebDaemon, tmp_path: Path
) -> None:
    note = made(tmp_path, "dropped.bin", 1_000)
    async with two(chromium, daemon, "drop") as (left, right):
        await left.drop(note)
        await right.page.get_by_role("button", name="Receive dropped.bin").click(timeout=LIMIT)
        assert await saved(right.page, "dropped.bin") == note.read_bytes()
    assert "dropped.bin" not in daemon.names("/")


async def test_a_file_goes_on_after_the_link_broke(chromium: Chromium, daemon: WebDaemon, tmp_path: Path) -> None:
    film = made(tmp_path, "film.bin", 24_000_000)
    async with two(chromium, daemon, "resume") as (left, right):
        await choose(left.page, film)
        await right.page.get_by_role("button", name="Receive film.bin").click(timeout=LIMIT)
        await right.page.evaluate(BREAK)
        await expect(left.page.get_by_text("The connection was lost.")).to_be_visible(timeout=LIMIT)
        await expect(left.page.get_by_text("goes on with the next connection")).to_be_visible(timeout=LIMIT)
        await left.shot("broken")
        codes = await own_code(left.page), await own_code(right.page)
        await left.page.get_by_label(THEIRS).fill(codes[1])
        await right.page.get_by_label(THEIRS).fill(codes[0])
        await connected(left.page)
        assert 500_000 <= await left.page.evaluate(RESUMED) < 24_000_000
        await expect(left.page.get_by_text("Arrived whole")).to_be_visible(timeout=LIMIT)
        assert hashlib.sha256(await saved(right.page, "film.bin")).digest() == sha256(film)


async def test_what_comes_before_the_browser_says_connected_is_not_lost(
    chromium: Chromium, daemon: WebDaemon, tmp_path: Path
) -> None:
    note = made(tmp_path, "early.bin", 1_000)
    async with chromium.visit(daemon, "early-left") as left, chromium.visit(daemon, "early-right") as right:
        codes = await make_code(left), await make_code(right)
        await right.page.evaluate(LATE)
        await left.page.get_by_label(THEIRS).fill(codes[1])
        await right.page.get_by_label(THEIRS).fill(codes[0])
        await connected(left.page)
        await choose(left.page, note)
        await right.page.wait_for_function(HAS_COME, timeout=LIMIT)
        await right.page.evaluate("() => window.tell()")
        await right.page.get_by_role("button", name="Receive early.bin").click(timeout=LIMIT)
        assert await saved(right.page, "early.bin") == note.read_bytes()


def sha256(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


async def test_a_page_and_a_shell_talk_and_send_files(
    chromium: Chromium, daemon: WebDaemon, shell: Side, tmp_path: Path
) -> None:
    photo, back = made(tmp_path, "photo.jpg", 3_000_000), made(tmp_path, "back.bin", 2_000_000)
    async with chromium.visit(daemon, "shell") as visit:
        page = visit.page
        theirs = await asyncio.to_thread(shell.code)
        shell.type(await make_code(visit))
        await page.get_by_label(THEIRS).fill(f"> {theirs[:60]}\n> {theirs[60:]}\n")
        await connected(page)
        await asyncio.to_thread(shell.told, "hello", Program="zwerm web")
        await expect(page.get_by_text("with zwerm ")).to_be_visible(timeout=LIMIT)
        shell.type("van de shell")
        await heard(page, "van de shell")
        await say(page, "van de pagina")
        await asyncio.to_thread(shell.told, "text", Text="van de pagina")
        await choose(page, photo)
        await asyncio.to_thread(shell.told, "file", Name="photo.jpg", State="done")
        assert (tmp_path / "into" / "photo.jpg").read_bytes() == photo.read_bytes()
        shell.type(f"/send {back}")
        await page.get_by_role("button", name="Receive back.bin").click(timeout=LIMIT)
        assert await saved(page, "back.bin") == back.read_bytes()
        await visit.shot("shell")
        shell.type("/quit")
        await expect(page.locator(".answer")).to_have_text("The other person left.", timeout=LIMIT)
        assert await asyncio.to_thread(shell.end) == 0


async def test_wrong_codes_are_told_apart(chromium: Chromium, daemon: WebDaemon) -> None:
    other = write(Code("abcd", "x" * 24, bytes(range(32)), (Place(Kind.HOST, "127.0.0.1", 9),)))
    async with chromium.visit(daemon, "wrong", motion="reduce") as visit:  # what waits moves without end
        own = await make_code(visit)
        field, use = visit.page.get_by_label(THEIRS), visit.page.get_by_role("button", name="Connect", exact=True)
        damaged = other[:30] + ("a" if other[30] != "a" else "b") + other[31:]
        for text, told in (
            ("hello", "That is not a code."),
            (other[:-7], "7 characters are missing"),
            (damaged, "changed on the way"),
            (f"zwerm9{other[6:]}", "of a newer zwerm"),
            (f"zwerm0{other[6:]}", "of an older zwerm"),
            (own, "That is your own code."),
        ):
            await field.fill(text)
            if text != own:
                await use.click()
            await expect(visit.page.get_by_role("alert")).to_contain_text(told)
        await visit.shot("own")
        assert await visit.axe() == []
        await field.fill(other)
        await expect(visit.page.locator(".answer")).to_contain_text("Waiting for the other person")
        await visit.shot("waiting")
        assert await visit.axe() == []
        await visit.page.get_by_role("button", name="Leave").click()
        await expect(visit.page.get_by_role("button", name="Make a code")).to_be_visible()


async def test_codes_are_the_same_in_both_languages_of_the_program(chromium: Chromium, daemon: WebDaemon) -> None:
    codes = [
        Code("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+", bytes(range(32)), ()),
        Code(
            "a1b2c3d4",
            "0123456789abcdef" * 2,
            bytes(32),
            (
                Place(Kind.HOST, "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local", 65_535),
                Place(Kind.REFLEXIVE, "203.0.113.7", 1),
                Place(Kind.RELAYED, "2001:db8::ffff:1", 256),
                Place(Kind.HOST, "::1", 50_000),
            ),
        ),
        Code("z" * 63, "9" * 63, b"\xff" * 32, (Place(Kind.HOST, "1.2.3.4", 5),) * 8),
    ]
    texts = [write(code) for code in codes]
    async with chromium.visit(daemon, "codes") as visit:
        await visit.open("home")
        again = await visit.page.evaluate(
            "async (texts) => { const {read, write} = await import('/connect/code.js');"
            " return texts.map((text) => write(read(text))); }",
            texts,
        )
        assert again == texts
        assert [read(text) for text in again] == codes


async def test_sha256_in_pieces_is_sha256(chromium: Chromium, daemon: WebDaemon) -> None:
    sizes = [0, 1, 55, 56, 63, 64, 65, 119, 128, 1_000, 100_000]
    async with chromium.visit(daemon, "sha256") as visit:
        await visit.open("home")
        digests: list[str] = await visit.page.evaluate(
            """async (sizes) => {
              const {Sha256} = await import('/connect/sha256.js');
              return sizes.map((size) => {
                const hash = new Sha256();
                for (let at = 0; at < size; at += 37)
                  hash.update(new Uint8Array(Math.min(37, size - at)).map((_, index) => at + index));
                return [...hash.digest()].map((byte) => byte.toString(16).padStart(2, '0')).join('');
              });
            }""",
            sizes,
        )
    assert digests == [hashlib.sha256(bytes(n & 255 for n in range(size))).hexdigest() for size in sizes]


@pytest.mark.parametrize("language", ["en-GB", "nl-NL"])
async def test_the_page_fits_a_phone_in_both_languages(chromium: Chromium, daemon: WebDaemon, language: str) -> None:
    words: dict[str, Any] = {
        "en-GB": ("Make a code", OWN, THEIRS),
        "nl-NL": ("Maak een code", "Jouw code, om aan de ander te geven", "Code van de ander"),
    }
    start, own, theirs = words[language]
    async with (
        chromium.visit(daemon, f"phone-{language[:2]}", size="small", language=language, scheme="dark") as visit,
        chromium.visit(daemon, "other") as other,
    ):
        page = visit.page
        await visit.open("connect")
        await visit.shot("start")
        assert await visit.axe() == []
        await page.get_by_role("button", name=start).click()
        await expect(page.locator(".qr path").first).to_be_visible(timeout=LIMIT)
        assert await visit.overflow() == 0
        assert await visit.axe() == []
        await visit.shot("codes")
        await page.get_by_label(theirs).fill(await make_code(other))
        await other.page.get_by_label(THEIRS).fill(await page.get_by_label(own).input_value())
        await connected(other.page)
        await say(
            other.page, "A long line that somebody says on a large screen, to somebody who reads it on a small one."
        )
        await heard(page, "small one.")
        assert await visit.overflow() == 0
        assert await visit.axe() == []
        await visit.shot("connected")


async def test_everything_can_be_done_with_the_keyboard(chromium: Chromium, daemon: WebDaemon) -> None:
    async with chromium.visit(daemon, "keys") as visit, chromium.visit(daemon, "other") as other:
        keys, page = visit.page.keyboard, visit.page
        await visit.open("home")
        await keys.press("g")
        await keys.press("c")
        await expect(page.locator("h1")).to_have_text("Connect")
        await page.get_by_role("button", name="Make a code").focus()
        await keys.press("Enter")
        own = await own_code(page)
        await page.get_by_label(THEIRS).focus()
        await keys.insert_text(await make_code(other))
        await other.page.get_by_label(THEIRS).fill(own)
        await connected(page)
        await page.get_by_label("What you want to say").focus()
        await keys.type("hello")
        await keys.press("Enter")
        await heard(other.page, "hello")


async def test_the_focus_that_a_person_puts_on_a_page_that_just_arrived_stays(
    chromium: Chromium, daemon: WebDaemon
) -> None:
    async with chromium.visit(daemon, "focus") as visit:
        page = visit.page
        await visit.open("home")
        await page.evaluate(
            """() => new MutationObserver((_, watch) => {
                const button = document.querySelector("main section button.first");
                if (!button || document.querySelector("h1").textContent !== "Connect") return;
                watch.disconnect();
                button.focus();
                window.kept = new Promise((done) => setTimeout(() => done(document.activeElement === button), 500));
            }).observe(document.body, { childList: true, subtree: true })"""
        )
        await page.keyboard.press("g")
        await page.keyboard.press("c")
        await page.wait_for_function("() => window.kept !== undefined")
        assert await page.evaluate("() => window.kept")
