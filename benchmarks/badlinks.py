"""Data channels on bad paths, beside libwebrtc: MB/s at 20 to 200 ms of round trip and 0 to 5 % of loss.

The path (`benchmarks/impairer.py`) carries `RATE`, and is first shown to carry twice that with none of our code. Each
cell is a new connection that streams for `SECONDS`, from its first message on: slow start is part of the figure.
`python -m benchmarks.badlinks PICTURE` draws the table as well.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
from pathlib import Path
from typing import Final

from benchmarks.datachannel import start
from benchmarks.harness import Row
from benchmarks.impairer import Impairer, carried_alone

RATE: Final = 6_250_000.0  # bytes a second: 50 Mbit/s
ROUND_TRIPS: Final = (0.02, 0.05, 0.1, 0.2)
LOSSES: Final = (0.0, 0.001, 0.01, 0.05)
SECONDS: Final = 6.0
MESSAGE: Final = 16_384  # bytes

_CANDIDATE: Final = re.compile(r"a=candidate:\S+ 1 (?:udp|UDP) \d+ 127\.0\.0\.1 (\d+) typ host[^\r\n]*\r?\n")
_ANY: Final = re.compile(r"a=candidate:[^\r\n]*\r?\n")


def measure(*, quick: bool) -> list[Row]:
    round_trips, losses, rounds = (ROUND_TRIPS[:1], LOSSES[2:3], 1) if quick else (ROUND_TRIPS, LOSSES, 3)
    alone = carried_alone(2 * RATE, 0.01, 2.0)
    rows = [Row("the impairer alone", "MB/s", alone / 1e6, "twice the rate", 2 * RATE / 1e6, 0.98)]
    for round_trip in round_trips:
        for loss in losses:
            figures: dict[str, list[float]] = {"ours": [], "wrtc": []}
            for turn in range(rounds):
                for engine in ("ours", "wrtc") if turn % 2 == 0 else ("wrtc", "ours"):
                    figures[engine].append(goodput(engine, round_trip, loss) / 1e6)
            ours, theirs = (statistics.median(figures[engine]) for engine in ("ours", "wrtc"))
            rows.append(Row(f"{round_trip * 1e3:.0f} ms, {loss:.1%} lost", "MB/s", ours, "wrtc", theirs, 1.0))
    return rows


def goodput(engine: str, round_trip: float, loss: float) -> float:
    """Bytes a second that arrived."""
    with start(engine) as left, start(engine) as right:
        left.ask(["channel", "x", {}])
        offer = left.ask(["offer"])
        # The answerer's port is known with its answer only: until then its front forwards nothing.
        left_port = port_of(offer)
        held = right.ask(["answer", _ANY.sub("", offer)])
        impairer = Impairer(RATE, round_trip / 2, loss, left_port, port_of(held))
        left.ask(["accept", through(held, impairer.right)])
        right.ask(["candidate", {"candidate": candidate(offer, impairer.left), "sdpMid": mid(offer)}])
        left.ask(["opened"])
        right.ask(["opened"])
        right.ask(["count"])
        left.ask(["stream", MESSAGE, SECONDS])
        received: float = right.ask(["count"])
        impairer.close()
        return received / SECONDS


def port_of(sdp: str) -> int:
    found = _CANDIDATE.search(sdp)
    assert found is not None, sdp
    return int(found[1])


def candidate(sdp: str, port: int) -> str:
    """The candidate on loopback, as if it were at the path's port."""
    found = _CANDIDATE.search(sdp)
    assert found is not None, sdp
    return found[0].strip().removeprefix("a=").replace(f" {found[1]} typ", f" {port} typ")


def through(sdp: str, port: int) -> str:
    """A description with that candidate alone."""
    line = f"a={candidate(sdp, port)}\r\n"
    return _ANY.sub("", sdp.replace("a=end-of-candidates\r\n", "")) + line


def mid(sdp: str) -> str:
    found = re.search(r"a=mid:(\S+)", sdp)
    assert found is not None, sdp
    return found[1]


def draw(rows: list[Row], path: Path) -> None:
    """Write the cells as pairs of bars, on a scale of powers of ten: of 5 % lost at 200 ms little is left."""
    cells = [row for row in rows if row.peer == "wrtc"]
    width, height, left, step, floor, decade = 760, 300, 60, 42, 240, 70

    def above_floor(value: float) -> float:
        return decade * math.log10(max(value, 0.01) / 0.01)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        '<g font-family="sans-serif" font-size="10" fill="#667788">',
        f'<text x="{left}" y="14" font-size="12">MB/s through 50 Mbit/s: zwerm (dark) beside libwebrtc (light)</text>',
    ]
    for mark in (0.01, 0.1, 1, 10):
        y = floor - above_floor(mark)
        parts.append(f'<line x1="{left - 6}" x2="{width - 10}" y1="{y:.0f}" y2="{y:.0f}" stroke="#8893a133"/>')
        parts.append(f'<text x="{left - 12}" y="{y + 3:.0f}" text-anchor="end">{mark:g}</text>')
    for number, cell in enumerate(cells):
        x = left + number * step
        for shift, value, color in ((0, cell.ours, "#2563eb"), (16, cell.theirs, "#9db7e8")):
            tall = above_floor(value)
            parts.append(
                f'<rect x="{x + shift}" y="{floor - tall:.1f}" width="15" height="{tall:.1f}" fill="{color}"/>'
            )
        round_trip, lost = cell.what.removesuffix(" lost").split(", ")
        parts.append(f'<text x="{x + 16}" y="254" text-anchor="middle">{lost}</text>')
        if number % len(LOSSES) == 0:
            parts.append(f'<text x="{x + 16}" y="272" font-size="12">{round_trip}</text>')
    path.write_text("\n".join([*parts, "</g></svg>", ""]))


if __name__ == "__main__":
    from benchmarks.harness import machine, print_rows

    print(machine())
    result = measure(quick="--quick" in sys.argv)
    print_rows(result)
    if len(sys.argv) > 1 and sys.argv[1].endswith(".svg"):
        draw(result, Path(sys.argv[1]))
