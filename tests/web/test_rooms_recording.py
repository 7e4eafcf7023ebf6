"""Recording a call in the browser: into a file or into Files, said to everybody, and played back with all in it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.media import ADDRESSES
from tests.web.room import LIMIT, Meeting, come_in, hears_and_sees, inside

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-rooms-recording"),
]

# Play a recording to its end: its seconds, how loud each frequency is in it, who is seen in each box, and how many
# counts each had. Boxes hold stripes as tests/web/media.py draws them, in the shape of the camera's picture.
PLAYED = """async ([data, frequencies, boxes]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const decoder = new OfflineAudioContext(1, 48000, 48000);
  const sound = await decoder.decodeAudioData(bytes.buffer.slice(0));
  const samples = sound.getChannelData(0);
  const part = samples.slice(Math.max(0, samples.length - 48000));
  const loudness = frequencies.map((hertz) => {
    let [real, imaginary] = [0, 0];
    part.forEach((value, at) => {
      real += value * Math.cos(2 * Math.PI * hertz * at / 48000);
      imaginary += value * Math.sin(2 * Math.PI * hertz * at / 48000);
    });
    return Math.hypot(real, imaginary) / part.length;
  });
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], {type: 'video/webm'}));
  const canvas = document.createElement('canvas');
  const drawing = canvas.getContext('2d', {willReadFrequently: true});
  const seen = boxes.map(() => [new Set(), new Set()]);
  const ended = new Promise((done, fail) => { video.onended = done; video.onerror = () => fail(video.error); });
  const look = () => {
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    drawing.drawImage(video, 0, 0);
    boxes.forEach(([left, top, width, height], at) => [0, 1].forEach((row) => {
      let value = 0;
      for (let bit = 0; bit < 8; bit += 1) {
        const [x, y] = [left + (bit + 0.5) * width / 8, top + (row ? 0.7 : 0.3) * height];
        value = 2 * value + (drawing.getImageData(x, y, 1, 1).data[0] > 127 ? 1 : 0);
      }
      seen[at][row].add(value);
    }));
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await video.play();
  await ended;
  return {
    size: [video.videoWidth, video.videoHeight],
    seconds: sound.duration,
    loudness,
    who: seen.map(([who]) => [...who]),
    counts: seen.map(([, counts]) => counts.size),
  };
}"""
LONG = """async (bytes) => {
  const {current} = await import('/rooms/current.js');
  const {size, isOnDisk} = current.value.meeting.value.recorder.value;
  if (!isOnDisk) throw new Error('kept in memory');
  const begun = Date.now();
  await new Promise((done) => size.subscribe((all) => { if (all > bytes && Date.now() - begun > 3500) done(); }));
}"""
COUNTED = """(() => {
  window.recorders = [];
  const Own = MediaRecorder;
  window.MediaRecorder = class extends Own {
    constructor(...all) { super(...all); recorders.push(this); }
  };
})()"""
# Press to record so many times, or leave while it begins; then wait for as long as a beginning takes.
PRESSED = """async ([presses, leaves]) => {
  const {current} = await import('/rooms/current.js');
  const {recordItems} = await import('/stage/record.js');
  const {keep} = await import('/stage/disk.js');
  const meeting = current.value.meeting.value;
  for (let press = 0; press < presses; press += 1) recordItems(meeting)[0].run();
  if (leaves) meeting.close();
  await import('/stage/recorder.js');
  for (let turn = 0; turn < 5; turn += 1) await (await keep()).drop();
  return recorders.filter(({state}) => state !== 'inactive').length;
}"""
# Two side by side in 1,280 by 720: their cameras are 160 by 96.
SIDES = [[0, 168, 640, 384], [640, 168, 640, 384]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def meeting(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Meeting]:
    made = Meeting(chromium, daemon)
    async with made.stack:
        yield made


async def choose(page: Page, name: str) -> None:
    await page.get_by_role("toolbar", name="What you can do").get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name=name).click()


def holds_both(played: dict[str, Any]) -> None:
    """Ann's and Bob's sound and picture are in it, and nobody else's."""
    assert played["size"] == [1280, 720]
    assert played["seconds"] > 2
    ann, bob, nobody = played["loudness"]
    assert min(ann, bob) > 0.05, played  # 0.2 is what each hums
    assert nobody < 0.01, played
    assert 22 in played["who"][0], played
    assert 11 in played["who"][1], played
    assert min(played["counts"]) >= 3, played


async def test_a_recording_holds_everybody_and_everybody_knows(meeting: Meeting) -> None:
    ann = await meeting.host("ann", 11, 440)
    bob = await meeting.guest("Bob", 22, 620, scheme="dark", size="phone")
    for page in (ann.page, bob.page):
        await inside(page)
    await hears_and_sees(ann.page, "Bob", 22, 620)
    await hears_and_sees(bob.page, "ann", 11, 440)
    await choose(ann.page, "Record into a file")
    await expect(bob.page.get_by_text("ann records this call")).to_be_visible(timeout=LIMIT)
    await expect(bob.page.get_by_role("button", name="Stop recording")).to_have_count(0)
    await expect(ann.page.get_by_text("You record this call")).to_be_visible()
    await ann.shot("recording")
    await bob.shot("recording-phone")
    assert await bob.overflow() <= 0
    assert await ann.axe() == []
    await ann.page.evaluate(LONG, 10_000)
    async with ann.page.expect_download() as downloading:
        await ann.page.get_by_role("button", name="Stop recording").click()
    download = await downloading.value
    assert download.suggested_filename.endswith(".webm")
    await expect(bob.page.get_by_text("ann records this call")).to_have_count(0, timeout=LIMIT)
    data = base64.b64encode((await download.path()).read_bytes()).decode()
    holds_both(await ann.page.evaluate(PLAYED, [data, [440, 620, 1234], SIDES]))


async def test_a_recording_goes_into_files_and_leaving_ends_it(meeting: Meeting, daemon: WebDaemon) -> None:
    cas = await meeting.host("cas", 11, 440)
    dot = await meeting.guest("Dot", 22, 620)
    for page in (cas.page, dot.page):
        await inside(page)
    await hears_and_sees(cas.page, "Dot", 22, 620)
    await choose(cas.page, "Record into Files")
    await expect(dot.page.get_by_text("cas records this call")).to_be_visible(timeout=LIMIT)
    await cas.page.evaluate(LONG, 10_000)
    await cas.page.get_by_role("button", name="Leave", exact=True).click()
    await expect(cas.page.get_by_text("The recording is in Files")).to_be_visible(timeout=LIMIT)
    (name,) = daemon.names("/Recordings")
    answer = daemon.get(daemon.gateway, f"/ipfs/{daemon.ask('GET', 'files', path='/Recordings')['entries'][0]['cid']}")
    assert name.endswith(".webm")
    data = base64.b64encode(answer.body).decode()
    holds_both(await cas.page.evaluate(PLAYED, [data, [440, 620, 1234], SIDES]))


async def test_none_runs_that_nobody_sees_and_could_stop(meeting: Meeting) -> None:
    eve = await meeting.visit("eve", 11, 440)
    await eve.page.add_init_script(COUNTED)
    gus = await meeting.host("gus", 22, 620)
    await inside(gus.page)
    await eve.page.goto(f"{gus.daemon.url}/#{meeting.link}")
    await eve.settled()
    await come_in(eve.page, "Eve")
    await inside(eve.page)
    assert await eve.page.evaluate(PRESSED, [2, False]) == 1
    await expect(gus.page.get_by_text("Eve records this call")).to_be_visible(timeout=LIMIT)
    async with eve.page.expect_download():
        await eve.page.get_by_role("button", name="Stop recording").click()
    assert await eve.page.evaluate("recorders.every(({state}) => state === 'inactive')")
    assert await eve.page.evaluate(PRESSED, [1, True]) == 0
