"""Take a picture of every page, in both themes, both languages and at two widths: `python tools/screens.py [PAGE ...]`.

Each page becomes one sheet in docs/pictures/screens (WebP): wide and light in English, wide and dark in Dutch, a
telephone light in Dutch and dark in English. They come from a real node with something on it, and, for calls and rooms,
from people who talk. docs/screens.md shows them.
"""

from __future__ import annotations

import asyncio
import base64
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.async_api import Page, expect

from tests.web.browser import Chromium, Scheme, Size, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.samples import README, dusk

OUT: Final = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "screens"
LOOKS: Final[tuple[tuple[Size, Scheme, str], ...]] = (
    ("wide", "light", "en-GB"),
    ("wide", "dark", "nl-NL"),
    ("phone", "light", "nl-NL"),
    ("phone", "dark", "en-GB"),
)
PLAIN: Final = {  # what a picture is called, and where the page is
    "home": "home",
    "files": "files/garden",
    "history": "history",
    "preview": "files/garden?show=README.md",
    "names": "names",
    "peers": "peers",
    "connect": "connect",
    "explore": "explore/{root}",
    "fetch": "fetch",
    "storage": "storage",
    "internals": "internals",
    "settings": "settings",
    "calls-welcome": "calls",
    "rooms": "rooms",
}
REGISTER: Final = "async (name) => (await import('/calls/session.js')).register(name, '', 'en')"
OPEN_ROOM: Final = """async () => {
  const {session} = await import('/calls/session.js');
  const {link} = await session.value.ask('room-open', {title: 'Garden plans', keep_chat: 0, waiting: false});
  return link;
}"""
DRAWN: Final = "() => [...document.images].every((image) => image.complete)"
# A camera: somebody before an evening sky, of another colour for each. A microphone that hums hardly.
CAMERA: Final = """(() => {
  const hue = HUE, devices = navigator.mediaDevices;
  if (!devices) return;
  const picture = () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 400});
    const drawing = canvas.getContext('2d');
    const paint = () => {
      const sky = drawing.createLinearGradient(0, 0, 0, 400);
      sky.addColorStop(0, `hsl(${hue} 45% 38%)`);
      sky.addColorStop(1, `hsl(${hue + 50} 60% 72%)`);
      drawing.fillStyle = sky;
      drawing.fillRect(0, 0, 640, 400);
      drawing.fillStyle = `hsl(${hue + 20} 30% 22%)`;
      drawing.beginPath();
      drawing.ellipse(320, 420, 150, 150, 0, 0, 7);
      drawing.fill();
      drawing.fillStyle = `hsl(${hue + 20} 25% 30%)`;
      drawing.beginPath();
      drawing.ellipse(320, 200, 68, 84, 0, 0, 7);
      drawing.fill();
    };
    paint();
    setInterval(paint, 100);
    return canvas.captureStream(10).getVideoTracks()[0];
  };
  const tone = () => {
    const context = new AudioContext(), quiet = context.createGain();
    const out = context.createMediaStreamDestination(), oscillator = context.createOscillator();
    quiet.gain.value = 0.001;
    oscillator.connect(quiet).connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  };
  devices.getUserMedia = async ({audio, video}) =>
    new MediaStream([...(audio ? [tone()] : []), ...(video ? [picture()] : [])]);
})()"""
HEIGHT: Final = 480  # pixels of each picture on its sheet
QUALITY: Final = 82

Taker: TypeAlias = Callable[[Chromium, WebDaemon], Awaitable[list[bytes]]]


async def main(wanted: list[str]) -> None:
    """Take the pictures that are wanted, or all."""
    takers: dict[str, Taker] = {name: plain(place) for name, place in PLAIN.items()}
    takers |= {"calls": calls, "call-rings": rings, "call": talks, "room": meets}
    OUT.mkdir(parents=True, exist_ok=True)
    async with running_chromium(*ADDRESSES) as chromium:
        for name, take in takers.items():
            if not wanted or name in wanted:
                await picture(chromium, name, take)
                print(name, flush=True)


async def picture(chromium: Chromium, name: str, take: Taker) -> None:
    """Take the pictures of one page from a new node, and write their sheet."""
    with tempfile.TemporaryDirectory(prefix="zwerm-screens-") as folder:
        daemon = WebDaemon(Path(folder) / "repository")
        try:
            daemon.wait_ready()
            fill(daemon)
            (OUT / f"{name}.webp").write_bytes(await sheet(chromium, daemon, await take(chromium, daemon)))
        finally:
            daemon.stop()


def fill(daemon: WebDaemon) -> None:
    """Keep something, so that there is something to see."""
    for number in range(1, 7):
        daemon.keep(f"/garden/dusk {number}.png", dusk(number))
    daemon.keep("/garden/README.md", README)
    daemon.keep("/letters/to Ann.txt", "Dear Ann,\n\nthe beans are up.\n")
    daemon.keep("/letters/to Ann.txt", "Dear Ann,\n\nthe beans are up, and so is the corn.\n")
    daemon.keep("/notes.txt", "Call Bram about the ladder.\n")


def plain(place: str) -> Taker:
    async def take(chromium: Chromium, daemon: WebDaemon) -> list[bytes]:
        where = place.format(root=daemon.ask("GET", "node")["root"])
        pictures = []
        for size, scheme, language in LOOKS:
            async with chromium.visit(daemon, "screens", size=size, scheme=scheme, language=language) as visit:
                await visit.open(where)
                await visit.page.wait_for_function(DRAWN)
                pictures.append(await shot(visit.page))
        return pictures

    return take


async def shot(page: Page) -> bytes:
    return await page.screenshot(animations="disabled")


async def person(stack: AsyncExitStack, chromium: Chromium, daemon: WebDaemon, look: int, name: str) -> Visit:
    """Somebody who looks at the page as `LOOKS` says, with a microphone and a camera."""
    size, scheme, language = LOOKS[look]
    opening = chromium.visit(daemon, "screens", size=size, scheme=scheme, language=language, motion="reduce")
    visit = await stack.enter_async_context(opening)
    visit.page.set_default_timeout(30_000)
    await visit.page.add_init_script(CAMERA.replace("HUE", str(next_number() * 77 % 360)))
    await visit.open("calls")
    await visit.page.evaluate(REGISTER, f"{name}-{next_number()}")
    await visit.page.locator(".calls-columns").wait_for()
    return visit


_numbers = iter(range(1, 10_000))


def next_number() -> int:
    return next(_numbers)


async def name_of(visit: Visit) -> str:
    name: str = await visit.page.evaluate("async () => (await import('/calls/account.js')).account.value.name")
    return name


async def calls(chromium: Chromium, daemon: WebDaemon) -> list[bytes]:
    """Somebody with contacts."""
    pictures = []
    for look in range(len(LOOKS)):
        async with AsyncExitStack() as stack:
            own = await person(stack, chromium, daemon, look, "ann")
            other = await person(stack, chromium, daemon, 0, "bob")
            field = own.page.locator(".calls-columns input").first
            await field.fill(await name_of(other))
            await field.press("Enter")
            await expect(own.page.locator(".calls-columns")).to_contain_text(await name_of(other))
            pictures.append(await shot(own.page))
    return pictures


async def ring(caller: Visit, callee: Visit) -> None:
    """Ring, and see the card on the other side."""
    script = "async (name) => { await (await import('/calls/phone.js')).ring(name, true); }"
    await caller.page.evaluate(script, await name_of(callee))
    await callee.page.locator("section.incoming").wait_for()


async def rings(chromium: Chromium, daemon: WebDaemon) -> list[bytes]:
    """Somebody rings, seen by the one who is rung."""
    pictures = []
    for look in range(len(LOOKS)):
        async with AsyncExitStack() as stack:
            own = await person(stack, chromium, daemon, look, "bob")
            await ring(await person(stack, chromium, daemon, 0, "ann"), own)
            pictures.append(await shot(own.page))
    return pictures


async def talks(chromium: Chromium, daemon: WebDaemon) -> list[bytes]:
    """Two in a call."""
    pictures = []
    for look in range(len(LOOKS)):
        async with AsyncExitStack() as stack:
            own = await person(stack, chromium, daemon, look, "bob")
            other = await person(stack, chromium, daemon, (look + 1) % len(LOOKS), "ann")
            await ring(other, own)
            await own.page.locator("section.incoming button.accept").first.click()
            await seen(own.page, 2)
            pictures.append(await shot(own.page))
    return pictures


async def meets(chromium: Chromium, daemon: WebDaemon) -> list[bytes]:
    """Four in a room, each seen from their own browser."""
    async with AsyncExitStack() as stack:
        people = [await person(stack, chromium, daemon, look, "guest") for look in range(len(LOOKS))]
        link = await people[0].page.evaluate(OPEN_ROOM)
        for visit, name in zip(people, ("Ann", "Bob", "Cas", "Dot"), strict=True):
            await visit.page.goto(f"{daemon.url}/#/rooms/{link}")
            await visit.page.locator("#own-label").fill(name)
            await visit.page.locator(".join button.first").click()
        for visit in people:
            await seen(visit.page, len(people))
        return [await shot(visit.page) for visit in people]


async def seen(page: Page, count: int) -> None:
    """Wait until the pictures of so many people are drawn, and nothing is being made any more."""
    await page.wait_for_function(
        "(count) => [...document.querySelectorAll('figure video')].filter((each) => each.videoWidth).length > count",
        arg=count - 1,
    )
    await page.wait_for_timeout(2_500)  # until the quality of each way is known, too


async def sheet(chromium: Chromium, daemon: WebDaemon, pictures: list[bytes]) -> bytes:
    """Put pictures side by side."""
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}">' for picture in pictures)
    style = f"body{{margin:0;padding:12px;display:inline-flex;gap:12px;background:#8a8f98}}img{{height:{HEIGHT}px}}"
    async with chromium.visit(daemon, "screens") as visit:
        page = visit.page
        await page.set_content(f"<style>{style}</style><body>{images}</body>")
        await page.wait_for_function(DRAWN)
        box = await page.evaluate("() => [document.body.offsetWidth, document.body.offsetHeight]")
        await page.set_viewport_size({"width": box[0], "height": box[1]})
        session = await page.context.new_cdp_session(page)
        taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        return base64.b64decode(taken["data"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
