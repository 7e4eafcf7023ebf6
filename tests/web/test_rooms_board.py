"""Pointing and drawing on a shared screen: what one page draws the others see in the same place, and nothing forged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, running_chromium, until
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES, SEEN
from tests.web.room import LIMIT, Meeting, inside, seat

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-board"),
]

RED = [229, 72, 77]
GREEN = [48, 164, 108]

# Wait until the canvas over the shared screen has (or has not) a colour at a place of the picture, 0 to 1.
PAINTED = """async ([x, y, colour, wanted]) => {
  const reading = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  for (const begun = performance.now(); ; await new Promise(requestAnimationFrame)) {
    if (performance.now() - begun > 20000) throw new Error(`never ${wanted} at ${x}, ${y}`);
    const canvas = document.querySelector('.seat.main .board');
    const video = document.querySelector('.seat.main video');
    if (!canvas?.width || !video?.videoWidth) continue;
    const scale = Math.min(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
    const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
    const [across, down] = [(canvas.width - width) / 2 + x * width, (canvas.height - height) / 2 + y * height];
    reading.drawImage(canvas, Math.round(across), Math.round(down), 1, 1, 0, 0, 1, 1);
    const found = reading.getImageData(0, 0, 1, 1).data;
    reading.clearRect(0, 0, 1, 1);
    const isThere = found[3] > 100 && colour.every((each, at) => Math.abs(found[at] - each) < 40);
    if (isThere === wanted) return;
  }
}"""
PLACE = """([x, y]) => {
  const canvas = document.querySelector('.seat.main .board').getBoundingClientRect();
  const video = document.querySelector('.seat.main video');
  const scale = Math.min(canvas.width / video.videoWidth, canvas.height / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  return [canvas.x + (canvas.width - width) / 2 + x * width, canvas.y + (canvas.height - height) / 2 + y * height];
}"""
# Say something to all others that no page of ours would, and then something that they can see was heard.
FORGE = """async (messages) => {
  const {current} = await import('/rooms/current.js');
  const meeting = current.value.meeting.value;
  const [board] = meeting.drawing.boards.value.keys();
  for (const message of messages) meeting.tell({board, ...message});
}"""
DRAWN = """async () => {
  const {current} = await import('/rooms/current.js');
  const all = [...current.value.meeting.value.drawing.strokes.value.values()];
  return all.map((strokes) => [strokes.length, Math.max(...strokes.map(({points}) => points.length))]);
}"""
POINTED = """async (label) => {
  const {current} = await import('/rooms/current.js');
  const {pointers} = current.value.meeting.value.drawing;
  return new Promise((done) => pointers.subscribe((all) => {
    const found = [...all.values()].find((each) => each.label === label);
    if (found) done([found.x, found.y]);
  }));
}"""
# How dark a pointer is that has nearly rested long enough to go.
OPACITY = """async () => {
  const {paintPointers} = await import('/stage/paint.js');
  const {FADES} = await import('/stage/drawing.js');
  const context = new OffscreenCanvas(100, 100).getContext('2d');
  const pointer = {board: 'b', x: 5000, y: 5000, colour: 0, label: '', at: 0};
  const drawing = {pointers: {peek: () => new Map([['', pointer]])}};
  paintPointers(context, drawing, 'b', {x: 0, y: 0, width: 100, height: 100}, FADES - 100);
  return context.getImageData(50, 50, 1, 1).data[3];
}"""
# Every place that others point at from now on.
WATCHED = """async () => {
  const {current} = await import('/rooms/current.js');
  window.pointed = [];
  current.value.meeting.value.drawing.pointers.subscribe((all) => {
    for (const [who, {x, y}] of all) if (who) pointed.push(`${x} ${y}`);
  });
}"""
# Send to all others what no page of ours would; then point until the page is told to stop. `BOARD` is the board shown.
MISPOINT = """async (lines) => {
  const {current} = await import('/rooms/current.js');
  const meeting = current.value.meeting.value;
  const [board] = meeting.drawing.boards.value.keys();
  const say = (line) => {
    for (const {peer} of meeting.people.value) peer.pointing.value.send(line.replace('BOARD', board));
  };
  for (const line of lines) say(line);
  setInterval(() => say('{"board": "BOARD", "x": 6000, "y": 7000}'), 100);
}"""
DUTCH = "async () => (await import('/language.js')).chooseLanguage('nl')"
# The colour of a file of a picture at a place, and its size.
PICTURE = """async ([bytes, x, y]) => {
  const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)], {type: 'image/png'}));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const data = context.getImageData(Math.round(x * picture.width), Math.round(y * picture.height), 1, 1).data;
  return [picture.width, picture.height, [...data.slice(0, 3)]];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def meeting(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Meeting]:
    made = Meeting(chromium, daemon)
    async with made.stack:
        yield made


async def stroke(page: Page, *places: tuple[float, float]) -> None:
    """Draw with the mouse from place to place of the picture: 0 to 1 across and down."""
    for at, place in enumerate(places):
        x, y = await page.evaluate(PLACE, list(place))
        await page.mouse.move(x, y, steps=4)
        if at == 0:
            await page.mouse.down()
    await page.mouse.up()


def near(found: list[int], wanted: list[int]) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(found, wanted, strict=True))


async def test_what_is_drawn_and_pointed_at_stands_in_the_same_place_on_every_page(meeting: Meeting) -> None:
    ann = await meeting.host("ann", 11, 440)
    await inside(ann.page)
    bob = await meeting.guest("Bob", 22, 620, scheme="dark", size="narrow")
    await inside(bob.page)
    await expect(seat(ann.page, "Bob")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await ann.page.keyboard.press("s")
    await bob.page.evaluate(SEEN, ["Screen of ann", 111])

    await bob.page.get_by_role("button", name="Draw", exact=True).click()
    await stroke(bob.page, (0.25, 0.25), (0.75, 0.75))
    for page in (ann.page, bob.page):
        await page.evaluate(PAINTED, [0.5, 0.5, RED, True])
    await expect(bob.page.get_by_role("button", name="Clear what everybody drew")).to_have_count(0)
    await stroke(bob.page, (0.1, 0.9), (0.4, 0.9))
    await ann.page.evaluate(PAINTED, [0.25, 0.9, RED, True])
    await bob.page.get_by_role("button", name="Take back your last stroke").click()
    await ann.page.evaluate(PAINTED, [0.25, 0.9, RED, False])
    await ann.page.evaluate(PAINTED, [0.5, 0.5, RED, True])

    # Somebody who comes later sees it as well, on a telephone.
    cleo = await meeting.guest("Cleo", 33, 880, size="phone")
    await inside(cleo.page)
    await cleo.page.evaluate(SEEN, ["Screen of ann", 111])
    await cleo.page.evaluate(PAINTED, [0.5, 0.5, RED, True])
    await cleo.page.get_by_role("button", name="Point", exact=True).click()
    x, y = await cleo.page.evaluate(PLACE, [0.7, 0.3])
    await cleo.page.touchscreen.tap(x, y)
    for page in (ann.page, bob.page):
        found: Any = await page.evaluate(POINTED, "Cleo")
        assert abs(found[0] - 7000) < 100, found
        assert abs(found[1] - 3000) < 100, found
    await ann.shot("board")
    await bob.page.evaluate(DUTCH)
    await expect(bob.page.get_by_role("button", name="Tekenen", exact=True)).to_be_visible()
    await bob.shot("board-dark-dutch")
    await cleo.shot("board-phone")
    assert await cleo.overflow() <= 0
    assert await ann.axe() == []
    assert await bob.axe() == []

    async with ann.page.expect_download() as downloading:
        await ann.page.get_by_role("button", name="Take a picture of it").click()
        await ann.page.get_by_role("menuitem", name="Save it as a file").click()
    download = await downloading.value
    assert download.suggested_filename.endswith(".png")
    saved = (await download.path()).read_bytes()
    width, height, colour = await ann.page.evaluate(PICTURE, [list(saved), 0.5, 0.5])
    assert (width, height) == (320, 192)
    assert near(colour, RED), colour

    await ann.page.get_by_role("button", name="Clear what everybody drew").click()
    for page in (ann.page, bob.page, cleo.page):
        await page.evaluate(PAINTED, [0.5, 0.5, RED, False])


async def test_what_is_forged_or_too_much_is_not_drawn(meeting: Meeting) -> None:
    dora = await meeting.host("dora", 11, 440)
    await inside(dora.page)
    eve = await meeting.guest("Eve", 22, 620)
    await inside(eve.page)
    await expect(seat(dora.page, "Eve")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await dora.page.keyboard.press("s")
    await eve.page.evaluate(SEEN, ["Screen of dora", 111])
    await dora.page.get_by_role("button", name="Draw", exact=True).click()
    await stroke(dora.page, (0.2, 0.5), (0.8, 0.5))
    await eve.page.evaluate(PAINTED, [0.5, 0.5, RED, True])
    good = {"type": "draw", "n": 1, "wiped": 0, "colour": 2, "points": [100, 100]}
    wrong: list[dict[str, Any]] = [
        {"points": [1]},
        {"points": []},
        {"points": "1234"},
        {"points": [0.5, 1]},
        {"points": [-1, 1]},
        {"points": [10_001, 1]},
        {"points": [None, {}]},
        {"points": [1] * 2050},
        {"colour": 6},
        {"colour": "red"},
        {"n": -1},
        {"n": "x"},
        {"wiped": -1},
        {"wiped": None},
        {"board": "x" * 161},
        {"board": None},
        {"board": {}},
    ]
    await eve.page.evaluate(FORGE, [{**good, "n": 50 + at, **each} for at, each in enumerate(wrong)])
    # Who neither shares nor is the host clears nothing, and takes back nothing of others.
    await eve.page.evaluate(FORGE, [{"type": "wipe", "wiped": 1}, {"type": "undraw", "n": 1}])
    await eve.page.evaluate(FORGE, [{**good, "points": [1000, 9000, 9000, 9000]}])
    await dora.page.evaluate(PAINTED, [0.5, 0.9, GREEN, True])
    await dora.page.evaluate(PAINTED, [0.5, 0.5, RED, True])
    assert sorted(count for count, _ in await dora.page.evaluate(DRAWN)) == [1, 1]

    # A flood, and a stroke without an end: what is kept has a bound.
    await eve.page.evaluate(FORGE, [{**good, "points": [5, 5] * 1000} for _ in range(20)])
    await eve.page.evaluate(FORGE, [{**good, "n": at, "colour": 3} for at in range(1000, 2000)])
    await until(
        dora.page,
        "async () => { const {current} = await import('/rooms/current.js');"
        " return [...current.value.meeting.value.drawing.strokes.value.values()].some((all) => all.length === 200); }",
    )
    drawn = await dora.page.evaluate(DRAWN)
    assert max(count for count, _ in drawn) == 200
    assert max(points for _, points in drawn) <= 2048


async def test_what_is_drawn_while_somebody_clears_stays_nowhere(meeting: Meeting) -> None:
    gina = await meeting.host("gina", 11, 440)
    await inside(gina.page)
    hugo = await meeting.guest("Hugo", 22, 620)
    await inside(hugo.page)
    await expect(seat(gina.page, "Hugo")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await gina.page.keyboard.press("s")
    await hugo.page.evaluate(SEEN, ["Screen of gina", 111])
    green = {"type": "draw", "n": 77, "wiped": 0, "colour": 2, "points": [1000, 5000, 9000, 5000]}
    await hugo.page.evaluate(FORGE, [green])
    await gina.page.evaluate(PAINTED, [0.5, 0.5, GREEN, True])
    await gina.page.get_by_role("button", name="Clear what everybody drew").click()
    await gina.page.evaluate(PAINTED, [0.5, 0.5, GREEN, False])
    # The first was under way, and is older than what cleared the board; the second is heard after it.
    await hugo.page.evaluate(FORGE, [green, {**green, "n": 78, "wiped": 1, "points": [1000, 9000, 9000, 9000]}])
    await gina.page.evaluate(PAINTED, [0.5, 0.9, GREEN, True])
    await gina.page.evaluate(PAINTED, [0.5, 0.5, GREEN, False])
    await gina.page.keyboard.press("d")
    await stroke(gina.page, (0.2, 0.1), (0.8, 0.1))

    # Who comes now knows that the board was cleared: what they draw is newer.
    ines = await meeting.guest("Ines", 33, 880)
    await inside(ines.page)
    await ines.page.evaluate(SEEN, ["Screen of gina", 111])
    await ines.page.evaluate(PAINTED, [0.5, 0.1, RED, True])
    await ines.page.keyboard.press("d")
    await expect(ines.page.get_by_role("button", name="Draw", exact=True)).to_have_attribute("aria-pressed", "true")
    await stroke(ines.page, (0.2, 0.2), (0.8, 0.2))
    for page in (gina.page, hugo.page):
        await page.evaluate(PAINTED, [0.5, 0.2, RED, True])

    # Nobody draws what cannot be cleared.
    await hugo.page.evaluate(FORGE, [{**green, "n": 79, "wiped": 2**31}])
    await gina.page.evaluate(PAINTED, [0.5, 0.5, GREEN, True])
    for _ in range(2):
        await gina.page.get_by_role("button", name="Clear what everybody drew").click()
    for page in (gina.page, hugo.page, ines.page):
        for height in (0.2, 0.5, 0.9):
            await page.evaluate(PAINTED, [0.5, height, GREEN if height > 0.2 else RED, False])


async def test_tools_have_keys_and_who_left_points_nowhere(meeting: Meeting) -> None:
    kim = await meeting.host("kim", 11, 440)
    await inside(kim.page)
    draw = kim.page.get_by_role("button", name="Draw", exact=True)
    point = kim.page.get_by_role("button", name="Point", exact=True)
    await kim.page.keyboard.press("d")  # nothing is shared: nothing happens
    leo = await meeting.guest("Leo", 22, 620)
    await inside(leo.page)
    await expect(seat(kim.page, "Leo")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await kim.page.keyboard.press("s")
    await leo.page.evaluate(SEEN, ["Screen of kim", 111])
    await expect(draw).to_have_attribute("aria-pressed", "false")
    await kim.page.keyboard.press("d")
    await expect(draw).to_have_attribute("aria-pressed", "true")
    await kim.page.keyboard.press("o")
    await expect(point).to_have_attribute("aria-pressed", "true")
    await expect(draw).to_have_attribute("aria-pressed", "false")
    await kim.page.keyboard.press("Escape")
    await expect(point).to_have_attribute("aria-pressed", "false")

    await leo.page.keyboard.press("o")
    x, y = await leo.page.evaluate(PLACE, [0.5, 0.5])
    await leo.page.mouse.move(x, y, steps=3)
    await kim.page.evaluate(POINTED, "Leo")
    await leo.page.close()
    await until(
        kim.page,
        "async () => { const {current} = await import('/rooms/current.js');"
        " return current.value.meeting.value.drawing.pointers.value.size === 0; }",
    )


@pytest.mark.parametrize(("motion", "fades"), [("no-preference", True), ("reduce", False)])
async def test_a_pointer_fades_unless_one_wants_no_motion(
    chromium: Chromium, daemon: WebDaemon, motion: Any, fades: bool
) -> None:
    async with chromium.visit(daemon, f"pointer-{motion}") as visit:
        await visit.page.emulate_media(reduced_motion=motion)
        await visit.open()
        assert (await visit.page.evaluate(OPACITY) < 255) is fades


async def test_a_finger_draws_and_the_picture_is_kept_in_files_with_it(meeting: Meeting, daemon: WebDaemon) -> None:
    nina = await meeting.host("nina", 11, 440)
    await inside(nina.page)
    otto = await meeting.guest("Otto", 22, 620, size="phone", scheme="dark")
    await inside(otto.page)
    await expect(seat(nina.page, "Otto")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await nina.page.keyboard.press("s")
    await otto.page.evaluate(SEEN, ["Screen of nina", 111])
    await otto.page.get_by_role("button", name="Draw", exact=True).tap()
    places = [await otto.page.evaluate(PLACE, [across, 0.5]) for across in (0.2, 0.4, 0.6, 0.8)]
    fingers = await otto.page.context.new_cdp_session(otto.page)
    for at, (x, y) in enumerate(places):
        kind = "touchMove" if at else "touchStart"
        await fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    await fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    for page in (otto.page, nina.page):
        await page.evaluate(PAINTED, [0.5, 0.5, RED, True])

    await nina.page.get_by_role("button", name="Take a picture of it").click()
    await nina.shot("board-picture-menu")
    await nina.page.get_by_role("menuitem", name="Keep it in Files").click()
    await expect(nina.page.get_by_text("The picture is in Files")).to_be_visible(timeout=LIMIT)
    (name,) = daemon.names("/Pictures")
    assert name.endswith(".png")
    (entry,) = daemon.ask("GET", "files", path="/Pictures")["entries"]
    kept = daemon.get(daemon.gateway, f"/ipfs/{entry['cid']}").body
    picture = list(kept)
    width, height, colour = await nina.page.evaluate(PICTURE, [picture, 0.5, 0.5])
    assert (width, height) == (320, 192)
    assert near(colour, RED), colour
    # What was shared lies below: 111 in white and black stripes.
    stripes = [(await nina.page.evaluate(PICTURE, [picture, (bit + 0.5) / 8, 0.25]))[2][0] for bit in range(8)]
    assert [stripe > 127 for stripe in stripes] == [bool(111 & (128 >> bit)) for bit in range(8)]


async def test_what_points_wrongly_points_nowhere(meeting: Meeting) -> None:
    pia = await meeting.host("pia", 11, 440)
    await inside(pia.page)
    quin = await meeting.guest("Quin", 22, 620)
    await inside(quin.page)
    await expect(seat(pia.page, "Quin")).to_have_attribute("data-state", "connected", timeout=LIMIT)
    await pia.page.keyboard.press("s")
    await quin.page.evaluate(SEEN, ["Screen of pia", 111])
    await pia.page.evaluate(WATCHED)
    wrong = [
        "",
        "{",
        "null",
        "7",
        "[]",
        '"BOARD"',
        '{"board": "BOARD", "x": NaN, "y": 1}',
        '{"board": "BOARD", "x": 1}',
        *(
            f'{{"board": "BOARD", "x": {x}, "y": 1}}'
            for x in ("-1", "10001", "1e999", "0.5", '"1"', "null", "[1]", "{}")
        ),
        *(f'{{"board": {board}, "x": 1, "y": 1}}' for board in ('"nowhere"', '""', "null", "{}", "[]", "7")),
        '{"board": "BOARD", "x": 1, "y": 1, "more": "' + 10_000 * "x" + '"}',
    ]
    await quin.page.evaluate(MISPOINT, wrong)
    assert await pia.page.evaluate(POINTED, "Quin") == [6000, 7000]
    assert set(await pia.page.evaluate("pointed")) == {"6000 7000"}
