"""The game on the page Connect: two browsers whose channel loses messages agree on who has how many birds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browser import Chromium, Visit, running_chromium
from tests.web.daemon import WebDaemon
from tests.web.test_connect import ADDRESSES, LIMIT, THEIRS, connected, make_code

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web-play"),
]

# Every message of the play channel is lost three times in ten, and one in ten comes late, by a generator with a seed.
LOSSY = """
const send = RTCDataChannel.prototype.send;
let lot = 12345;
const draw = () => { lot = (Math.imul(lot, 1103515245) + 12345) >>> 0; return (lot >>> 8) / 2 ** 24; };
window.lost = 0;
RTCDataChannel.prototype.send = function (data) {
  if (this.label !== 'zwerm play') return send.call(this, data);
  const fate = draw();
  if (fate < 0.3) { window.lost += 1; return undefined; }
  if (fate < 0.4) return void setTimeout(() => this.readyState === 'open' && send.call(this, data), 60);
  return send.call(this, data);
};
"""

# A player that flies to the nearest light.
PLAYER = """
async () => {
  const {running} = await import('/play/play-card.js');
  setInterval(() => {
    if (!running.current) return;
    const {own, lights} = running.current.view();
    const far = (light) => Math.hypot(light.x - own.x, light.y - own.y);
    const near = lights.toSorted((a, b) => far(a) - far(b))[0];
    if (near) running.current.steer({angle: Math.atan2(near.y - own.y, near.x - own.x), flying: true});
  }, 30);
}
"""
# Once the own bird is a tenth of the field higher than it was.
RISEN = """async (before) => {
  const {running} = await import('/play/play-card.js');
  return new Promise((done) => setInterval(() => running.current.view().own.y < before.y - 0.1 && done(true), 30));
}"""
SCORE = r"() => document.querySelector('.play-score')?.textContent.match(/You (\d+), they (\d+)/)?.slice(1).map(Number)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with running_chromium(*ADDRESSES) as browser:
        yield browser


async def join(left: Visit, right: Visit) -> None:
    """Connect, and open the game on both sides."""
    codes = await make_code(left), await make_code(right)
    await left.page.get_by_label(THEIRS).fill(codes[1])
    await right.page.get_by_label(THEIRS).fill(codes[0])
    await connected(left.page)
    await connected(right.page)
    await left.page.get_by_role("button", name="Play", exact=True).click(timeout=LIMIT)
    await expect(left.page.get_by_text("Waiting for the other person to join.")).to_be_visible()
    await right.page.get_by_role("button", name="Join").click(timeout=LIMIT)
    for visit in (left, right):
        await expect(visit.page.locator("canvas")).to_be_visible(timeout=LIMIT)


async def score(page: Page) -> list[int] | None:
    found: list[int] | None = await page.evaluate(SCORE)
    return found


async def test_two_browsers_over_a_channel_that_loses_play_one_game(chromium: Chromium, daemon: WebDaemon) -> None:
    async with (
        chromium.visit(daemon, "play-left") as left,
        chromium.visit(daemon, "play-right", scheme="dark") as right,
    ):
        for visit in (left, right):
            await visit.page.add_init_script(LOSSY)
        await join(left, right)
        await left.page.evaluate(PLAYER)
        await right.page.evaluate(PLAYER)
        for visit in (left, right):
            await visit.page.wait_for_function(f"() => {{ const s = ({SCORE})(); return s && s[0] > 1 && s[1] > 1; }}")
            await visit.shot("field")
        over = "button:text('Play again')"
        for visit in (left, right):
            await visit.page.locator(over).wait_for(timeout=3 * LIMIT)
        ends = [await visit.page.locator(".play-score").text_content() for visit in (left, right)]
        assert sorted(ends, key=str) == ["The evening is theirs.", "The evening is yours."]
        assert await left.page.evaluate("lost") > 20
        await right.page.locator(over).click()
        for visit in (left, right):
            await visit.page.wait_for_function(f"() => ({SCORE})()", timeout=LIMIT)
        await left.page.get_by_role("button", name="Stop playing").click()
        await expect(right.page.get_by_text("Waiting for the other person to join.")).to_be_visible(timeout=LIMIT)


async def test_a_bird_is_steered_by_keys_and_by_a_finger_on_a_phone(chromium: Chromium, daemon: WebDaemon) -> None:
    where = "() => import('/play/play-card.js').then(({running}) => running.current.view().own)"
    async with chromium.visit(daemon, "keys") as left, chromium.visit(daemon, "phone", size="small") as right:
        await join(left, right)
        for visit in (left, right):
            before = await visit.page.evaluate(where)
            if visit is left:
                await visit.page.locator("canvas").focus()
                await visit.page.keyboard.down("ArrowUp")
            else:
                box = await visit.page.locator("canvas").bounding_box()
                assert box is not None
                await visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4)
                await visit.page.mouse.down()
            assert await visit.page.evaluate(RISEN, before) is True
        assert await right.overflow() == 0
        assert await right.axe() == []
        await right.shot("small")


async def test_a_page_and_the_program_share_packets(chromium: Chromium, daemon: WebDaemon) -> None:
    """What the machine in Python writes is what the one in the browser writes, and reads."""
    from zwerm.webrtc.sync.authority import Authority
    from zwerm.webrtc.sync.follower import Follower
    from zwerm.webrtc.sync.packet import InputsPacket
    from zwerm.webrtc.sync.schema import Field, Schema

    schema = Schema((Field("x", 12, step=0.5), Field("turn", 8, wraps=True), Field("n", 32)), id_bits=4)
    states = [{1: (3.0, 300, 5), 4: (9.5, 1, 4_000_000_000)}, {1: (3.5, 300, 5)}, {1: (3.5, 300, 6), 2: (0, 0, 0)}]
    authority, follower = Authority(schema), Follower(schema)
    packets = []
    for tick, state in enumerate(states, 1):
        authority.publish(state, tick, float(tick))
        transmit = authority.next_transmit()
        assert transmit is not None
        packets.append(list(transmit.data))
        authority.receive_datagram(InputsPacket(tick, 0, 0, ()).serialize(), ("", 0), float(tick))
    follower.receive_datagram(bytes(packets[0]), ("", 0), 1.0)
    follower.give(b"ab", 1.0)
    follower.handle_timeout(1.0)
    inputs = follower.next_transmit()
    assert inputs is not None
    async with chromium.visit(daemon, "packets") as visit:
        await visit.open("home")
        told = await visit.page.evaluate(
            """async ([states, packets]) => {
              const {Authority, Follower, Schema} = await import('/play/sync.js');
              const [minimum, step] = [0, 1];
              const x = {name: 'x', bits: 12, minimum, step: 0.5}, n = {name: 'n', bits: 32, minimum, step};
              const schema = new Schema([x, {name: 'turn', bits: 8, minimum, step, wraps: true}, n], 4);
              const authority = new Authority(schema), follower = new Follower(schema), other = new Follower(schema);
              const written = [], read = [];
              states.forEach((state, index) => {
                authority.publish(new Map(state), index + 1, index + 1);
                const packet = authority.nextPacket();
                written.push([...packet]);
                follower.receive(packet.buffer, index + 1);
                follower.handleTimeout(index + 1);
                authority.receive(follower.nextPacket().buffer);
                other.receive(new Uint8Array(packets[index]).buffer, index + 1);
                read.push([...other.nextSnapshot().state]);
              });
              const third = new Follower(schema);
              third.receive(new Uint8Array(packets[0]).buffer, 1);
              third.give(new Uint8Array([97, 98]), 1);
              third.handleTimeout(1);
              return {written, read, inputs: [...third.nextPacket()]};
            }""",
            [[[[number, list(row)] for number, row in state.items()] for state in states], packets],
        )
    assert told["written"] == packets
    assert told["inputs"] == list(inputs.data)
    assert [{n: tuple(row) for n, row in state} for state in told["read"]] == [schema.quantise(one) for one in states]
