"""Data channels with Chromium at the other end, beside two Chromiums: each in a process of its own, turn by turn.

The sender waits while more than 1 MiB is buffered, as in `benchmarks.datachannel`; what is measured is the time until
the last message has arrived and the other side has said so. All go over 127.0.0.1 or ::1, as each engine prefers.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.datachannel import LARGE, MIDDLE, SMALL, start
from benchmarks.harness import Row
from tests.web.browser import CHROMIUM

ARGUMENTS: Final = [
    "--no-sandbox",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
LOADS: Final = ((LARGE, "64 KiB messages", 60e6), (MIDDLE, "16 KiB messages", 30e6), (SMALL, "64-byte messages", 5e5))
PAIRS: Final = (("ours", "chromium"), ("chromium", "ours"), ("chromium", "chromium"))  # who sends to whom

# The verbs of tests/peers/data_channel.py, as far as they are needed.
PAGE: Final = """
const LOW = 1048576, pc = new RTCPeerConnection();
let channel, receive = (data) => channel.send(data);
const later = () => {
  let resolve;
  const promise = new Promise((done) => { resolve = done; });
  return {promise, resolve};
};
const opened = later();
const keep = (one) => {
  channel = one;
  channel.binaryType = 'arraybuffer';
  channel.onmessage = ({data}) => receive(data);
  channel.onopen = () => opened.resolve();
  if (channel.readyState === 'open') opened.resolve();
};
pc.ondatachannel = ({channel}) => keep(channel);
const described = async (description) => {
  await pc.setLocalDescription(description);
  while (pc.iceGatheringState !== 'complete') {
    await new Promise((done) => pc.addEventListener('icegatheringstatechange', done, {once: true}));
  }
  return pc.localDescription.sdp;
};
window.verbs = {
  async channel(label, options) { keep(pc.createDataChannel(label, options)); return 'ok'; },
  async offer() { return described(await pc.createOffer()); },
  async answer(sdp) {
    await pc.setRemoteDescription({type: 'offer', sdp});
    return described(await pc.createAnswer());
  },
  async accept(sdp) { await pc.setRemoteDescription({type: 'answer', sdp}); return 'ok'; },
  async opened() { await opened.promise; return 'ok'; },
  async swallow(count) {
    let left = count;
    receive = () => { if (--left === 0) { receive = (data) => channel.send(data); channel.send('done'); } };
    return 'ok';
  },
  async flood(size, count) {
    const done = later(), message = new Uint8Array(size);
    receive = () => done.resolve();
    channel.bufferedAmountLowThreshold = LOW / 2;
    const began = performance.now();
    for (let number = 0; number < count; number++) {
      if (channel.bufferedAmount > LOW) {
        await new Promise((low) => channel.addEventListener('bufferedamountlow', low, {once: true}));
      }
      channel.send(message);
    }
    await done.promise;
    receive = (data) => channel.send(data);
    return (performance.now() - began) / 1000;
  },
  async ping(count) {
    const began = performance.now();  // browsers blur single instants: the mean stands for the median
    for (let number = 0; number < count; number++) {
      const arrived = later();
      receive = () => arrived.resolve();
      channel.send('ping');
      await arrived.promise;
    }
    receive = (data) => channel.send(data);
    return (performance.now() - began) / 1000 / count;
  },
};
"""

Figures = dict[tuple[str, str, str], list[float]]  # by what was measured, who sent and who received


def measure(*, quick: bool) -> list[Row]:
    rounds, scale = (1, 0.05) if quick else (3, 1.0)
    figures: Figures = {}
    for turn in range(rounds):
        for sender, receiver in PAIRS if turn % 2 == 0 else reversed(PAIRS):
            measure_pair(sender, receiver, scale, figures)
    medians = {key: statistics.median(values) for key, values in figures.items()}
    rows = []
    for what, unit in (*((words, "MB/s" if size > SMALL else "k/s") for size, words, _ in LOADS), ("round trip", "us")):
        for sender, receiver in PAIRS[:2]:
            words = f"Chromium, {what}, " + ("we to it" if sender == "ours" else "it to us")
            ours, theirs = medians[what, sender, receiver], medians[what, "chromium", "chromium"]
            rows.append(Row(words, unit, ours, "to Chromium", theirs, 1.0, higher_is_better=unit != "us"))
    return rows


def measure_pair(sender: str, receiver: str, scale: float, figures: Figures) -> None:
    """Run every measurement once on a new pair of processes."""

    def note(what: str, value: float) -> None:
        figures.setdefault((what, sender, receiver), []).append(value)

    with side(sender) as left, side(receiver) as right:
        left.ask(["channel", "x", {}])
        left.ask(["accept", right.ask(["answer", left.ask(["offer"])])])
        left.ask(["opened"])
        right.ask(["opened"])
        for size, what, total in LOADS:
            count = max(int(total * scale) // size, 20)
            right.ask(["swallow", count])
            seconds = left.ask(["flood", size, count])
            note(what, count / seconds / 1e3 if size == SMALL else count * size / seconds / 1e6)
        note("round trip", left.ask(["ping", max(int(3_000 * scale), 100)]) * 1e6)


@contextlib.contextmanager
def side(name: str) -> Iterator[Any]:
    """One end, to be asked."""
    if name == "ours":
        with start("ours") as peer:
            yield peer
    else:
        with chromium() as tab:
            yield tab


class Tab:
    """A page that answers the verbs."""

    def __init__(self, page: Any) -> None:
        self._page = page
        page.evaluate(f"() => {{ {PAGE} }}")

    def ask(self, question: list[Any]) -> Any:
        verb, *arguments = question
        return self._page.evaluate("([verb, values]) => verbs[verb](...values)", [verb, arguments])


@contextlib.contextmanager
def chromium() -> Iterator[Tab]:
    """A browser of its own, with one page."""
    # One thread drives both browsers, and playwright allows one loop in it.
    browser = _playwright().chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    try:
        yield Tab(browser.new_page())
    finally:
        browser.close()


_STARTED: Final[list[Any]] = []


def _playwright() -> Any:
    from playwright.sync_api import sync_playwright

    if not _STARTED:
        _STARTED.append(sync_playwright().start())
    return _STARTED[0]
