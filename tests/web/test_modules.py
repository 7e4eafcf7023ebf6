"""The parts of the app that are functions, called in the browser they are made for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.web.browser import Chromium, Visit
from tests.web.daemon import WebDaemon

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("web-modules")]

BASE = "http://127.0.0.1:1/ipfs/bafyfolder/"
OUTSIDE = 'target="_blank" rel="noreferrer noopener"'
HOSTILE = [
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a]( javascript:alert(1) )",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "[a](//evil.example/x)",
    "![a](https://evil.example/pixel.png)",
    "![a](../../../../etc/passwd)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example/<script>>",
    "`<b>`",
    "| a |\n|---|\n| <script>x</script> |",
    "> " * 300 + "deep",
    "- " * 300 + "deep",
    "*" * 2000,
    "[" * 500 + "](" * 500,
    "**a" * 400,
    "```\n<script>\n",
    "![x](javascript:1)![y](blob:http://x/y)",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visit(chromium: Chromium, daemon: WebDaemon) -> AsyncIterator[Visit]:
    async with chromium.visit(daemon, "modules") as opened:
        opened.expected.append(
            r"127\.0\.0\.1:1/"
        )  # pictures of the samples lead there; the policy refuses to load them
        await opened.open("home")
        yield opened


async def call(visit: Visit, module: str, body: str, argument: Any = None) -> Any:
    """Run code with a module of the app at hand as `module`."""
    return await visit.page.evaluate(
        f"async (given) => {{ const module = await import('/{module}'); {body} }}",
        argument,
    )


async def rendered(visit: Visit, text: str) -> Any:
    """Draw Markdown into a detached element: its markup, its text, the addresses it points to."""
    return await visit.page.evaluate(
        """async ([text, base]) => {
            const { html, render } = await import('/vendor/preact.js');
            const { Markdown } = await import('/preview/markdown.js');
            const place = document.createElement('div');
            render(html`<${Markdown} text=${text} base=${base} />`, place);
            const links = [...place.querySelectorAll('[href], [src]')].map((element) => element.href ?? element.src);
            return { markup: place.querySelector('article').innerHTML, text: place.innerText, links };
        }""",
        [text, BASE],
    )


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:24] for text in HOSTILE])
async def test_hostile_markdown_makes_no_script_no_handler_and_no_foreign_picture(visit: Visit, text: str) -> None:
    drawn = await rendered(visit, text)
    assert all(
        link.startswith(("http://127.0.0.1:1/", "https://", "http://evil", "mailto:")) for link in drawn["links"]
    )
    inert = await visit.page.evaluate(
        """(markup) => {
            const place = new DOMParser().parseFromString(markup, 'text/html');
            const pictures = [...place.images].filter((image) => !image.src.startsWith('http://127.0.0.1:1/'));
            const handlers = [...place.querySelectorAll('*')].flatMap((element) => element.getAttributeNames())
                .filter((name) => name.startsWith('on') || name === 'style' || name === 'srcdoc');
            const running = [...place.querySelectorAll('script, iframe, object, embed, style')];
            return [...running, ...pictures, ...handlers].length;
        }""",
        drawn["markup"],
    )
    assert inert == 0


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("plain *soft* **strong** `code`", "<p>plain <em>soft</em> <strong>strong</strong> <code>code</code></p>"),
        ("# One\n\n## Two", '<h3 class="heading-1">One</h3><h4 class="heading-2">Two</h4>'),
        ("Title\n=====", '<h3 class="heading-1">Title</h3>'),
        ("- a\n- b\n  - c", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> said\n> so", "<blockquote><p>said\nso</p></blockquote>"),
        ("```py\na < b\n```", '<pre tabindex="0"><code>a &lt; b</code></pre>'),
        ("a_snake_case word", "<p>a_snake_case word</p>"),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"),
        ("a  \nb", "<p>a<br>b</p>"),
        (r"\*not soft\*", "<p>*not soft*</p>"),
        ("---", "<hr>"),
        (
            "[page](a b.html) and [there](docs/x.html)",
            f'<p>[page](a b.html) and <a href="{BASE}docs/x.html" {OUTSIDE}>there</a></p>',
        ),
        (
            "![dusk](dusk.png)",
            f'<p><img src="{BASE}dusk.png" alt="dusk" loading="lazy"></p>',
        ),
    ],
)
async def test_markdown_is_read_as_people_write_it(visit: Visit, text: str, markup: str) -> None:
    assert (await rendered(visit, text))["markup"] == markup


async def test_difference_of_texts_gives_both_back_and_is_as_short_as_can_be(visit: Visit) -> None:
    wrong = await call(
        visit,
        "history/line-diff.js",
        """
        let state = 42;
        const chance = (below) => { state = (state * 1103515245 + 12345) % 2147483648; return state % below; };
        const text = () => Array.from({length: chance(9)}, () => 'abc'[chance(3)]).join('\\n');
        const shortest = (a, b) => {
            const row = Array(b.length + 1).fill(0);
            for (const x of a) { let corner = 0;
                b.forEach((y, at) => { const above = row[at + 1];
                    row[at + 1] = x === y ? corner + 1 : Math.max(above, row[at]); corner = above; }); }
            return a.length + b.length - 2 * row[b.length];
        };
        const lines = (text) => text === '' ? [] : text.split('\\n');
        const bad = [];
        for (let turn = 0; turn < 3000; turn += 1) {
            const [before, after] = [text(), text()];
            const found = module.lineDiff(before, after);
            const side = (kind) => found.filter((line) => line.kind !== kind).map((line) => line.text).join('\\n');
            const edits = found.filter((line) => line.kind !== 'same').length;
            const exact = side('added') === before && side('removed') === after;
            if (!exact || edits !== shortest(lines(before), lines(after))) bad.push([before, after]);
        }
        return bad;
        """,
    )
    assert wrong == []


async def test_picture_of_blocks_has_nothing_over_anything_else(visit: Visit) -> None:
    overlaps = await call(
        visit,
        "explore/graph-layout.js",
        """
        const bad = [];
        for (let seed = 1; seed < 60; seed += 1) {
            let state = seed;
            const chance = (below) => { state = (state * 1103515245 + 12345) % 2147483648; return state % below; };
            const rest = {kind: 'raw', codec: 'raw', size: 1, children: 0, here: true};
            const node = (name, depth) => ({...rest, name, depth, cid: name});
            const nodes = [node('root', 0)];
            const edges = [];
            for (let at = 0; at < nodes.length && nodes.length < 200; at += 1) {
                if (nodes[at].depth === 4 || (at && chance(3) === 0)) continue;
                const count = chance(30);
                nodes[at].children = count + (chance(4) ? 0 : 50);
                for (let child = 0; child < count; child += 1) {
                    edges.push([at, nodes.length]);
                    nodes.push(node(chance(2) ? `n${nodes.length}` : '', nodes[at].depth + 1));
                }
            }
            const picture = module.layout({nodes, edges, truncated: false}, {box: 176, between: 52});
            const shapes = [...picture.boxes.map((box) => ({...box, height: module.BOX_HEIGHT})), ...picture.swarms];
            const beside = (a, b) => a.x + a.width <= b.x || b.x + b.width <= a.x;
            const above = (a, b) => a.y + a.height <= b.y || b.y + b.height <= a.y;
            shapes.forEach((a, index) => shapes.slice(index + 1).forEach((b) => {
                if (!beside(a, b) && !above(a, b)) bad.push(seed);
            }));
            if (shapes.some((shape) => shape.y < 0 || shape.y + shape.height > picture.height + 1)) bad.push(-seed);
        }
        return bad;
        """,
    )
    assert overlaps == []


async def test_numbers_are_written_as_people_write_them(visit: Visit) -> None:
    sizes = await call(
        visit,
        "format.js",
        "return given.map((size) => module.size(size).replace('\\u00a0', ' '))",
        [0, 999, 1000, 1049, 99_949, 99_950, 999_499, 999_500, 3_100_000_000, 2**60],
    )
    assert sizes == ["0 B", "999 B", "1 kB", "1 kB", "99.9 kB", "100 kB", "999 kB", "1 MB", "3.1 GB", "1,153 PB"]
    times = await call(
        visit,
        "format.js",
        "const now = new Date('2026-11-22T12:00:00+01:00'); return given.map((time) => module.when(time, now))",
        [
            "2026-11-22T10:59:30Z",
            "2026-11-22T08:12:00Z",
            "2026-11-21T08:12:00Z",
            "2026-11-03T08:00:00Z",
            "2025-01-31T08:00:00Z",
            None,
        ],
    )
    assert times == ["just now", "today, 9:12", "yesterday, 9:12", "3 Nov", "31 Jan 2025", ""]
    hashes = ["bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi", "short"]
    assert await call(visit, "format.js", "return given.map(module.shortHash)", hashes) == ["bafybe…bzdi", "short"]


async def test_addresses_of_pages_survive_any_name(visit: Visit) -> None:
    names = ["plain", "with space", "per%cent", "ques?tion", "ha#sh", "pl+us", "é 🐦", "a&b=c", "%2F"]
    paths = await call(
        visit,
        "route.js",
        "return given.map((name) => module.parse(module.href('files', `/top/${name}`, {show: name})))"
        ".map(({page, path, parameters}) => [page, path, parameters.get('show')])",
        names,
    )
    assert paths == [["files", f"/top/{name}", name] for name in names]


async def test_a_picture_that_was_stopped_for_losses_comes_back_although_nobody_reports_on_it_any_more(
    visit: Visit,
) -> None:
    heights = await call(
        visit,
        "stage/quality.js",
        """const {Ladder} = await import('/stage/adapting.js');
        const [gauge, ladder] = [new module.Gauge(), new Ladder()];
        const heights = [];
        for (let now = 1_000_000; now < 1_090_000; now += 1000) {
          const reported = Math.min(now, 1_020_000);
          const quality = gauge.read([
            {id: 'out', type: 'outbound-rtp', timestamp: now, kind: 'video', bytesSent: 0},
            {id: 'report', type: 'remote-inbound-rtp', timestamp: reported, kind: 'video', fractionLost: 0.5},
          ], now);
          heights.push(ladder.step({others: 1, ...quality}, now).height);
        }
        return heights;""",
    )
    assert heights[20] == 0
    assert heights[-1] > 0


async def test_what_comes_on_a_channel_before_the_browser_says_that_it_is_open_is_heard(visit: Visit) -> None:
    heard = await call(
        visit,
        "stage/peer.js",
        """const channels = [];
        const make = RTCPeerConnection.prototype.createDataChannel;
        RTCPeerConnection.prototype.createDataChannel = function (...given) {
          const channel = make.apply(this, given);
          channels.push(channel);
          return channel;
        };
        const peer = new module.Peer({
          endpoint: 'b', key: '', label: 'Bob', leads: true, iceServers: [], how: {}, track: () => null,
          send: async () => null, sign: async () => '', verify: async () => true,
        });
        RTCPeerConnection.prototype.createDataChannel = make;
        const heard = [];
        peer.words.subscribe((channel) => {
          if (channel) channel.onmessage = ({data}) => heard.push(data);
        });
        const [words] = channels;
        for (let n = 0; n < 70; n += 1) words.dispatchEvent(new MessageEvent('message', {data: `early ${n}`}));
        words.dispatchEvent(new Event('open'));
        words.dispatchEvent(new MessageEvent('message', {data: 'later'}));
        peer.close();
        return heard;""",
    )
    assert heard == [*(f"early {n}" for n in range(64)), "later"]


async def test_only_one_side_of_a_call_makes_offers_and_the_other_asks_for_them(visit: Visit) -> None:
    """Two offers that meet leave Chromium without pictures."""
    said = await call(
        visit,
        "stage/peer.js",
        """const said = {leader: [], follower: []};
        const make = (side, leads, other) => new module.Peer({
          endpoint: side, key: '', label: side, leads, iceServers: [], how: {}, track: () => null,
          send: async (data) => { said[side].push(data); other()?.receive(data); },
          sign: async () => 'signature', verify: async () => true,
        });
        let follower = null;
        const leader = make('leader', true, () => follower);
        follower = make('follower', false, () => leader);
        const until = (is, what) => new Promise((done, fail) => {
          const look = setInterval(() => is() && (clearInterval(look), done()), 20);
          const states = () => [leader, follower].map(({state}) => state.value);
          setTimeout(() => fail(new Error(`${what}: ${states()}, ${said.follower}`)), 20_000);
        });
        await until(() => [leader, follower].every(({state}) => state.value === 'connected'), 'no connection');
        const offers = () => said.leader.filter((each) => JSON.parse(each).description?.type === 'offer').length;
        const before = offers();
        const lost = {get: () => 'disconnected', configurable: true};
        Object.defineProperty(follower.connection, 'iceConnectionState', lost);
        follower.connection.dispatchEvent(new Event('iceconnectionstatechange'));
        await until(() => offers() > before, 'no new offer');
        delete follower.connection.iceConnectionState;
        follower.connection.dispatchEvent(new Event('iceconnectionstatechange'));
        await until(() => follower.state.value === 'connected', 'not connected again');
        const kinds = said.follower.map((each) => JSON.parse(each)).map(
          ({description, restart}) => description?.type ?? (restart ? 'wish' : 'candidates'));
        leader.close();
        follower.close();
        return [...new Set(kinds)].sort();""",
    )
    assert said == ["answer", "candidates", "wish"]
