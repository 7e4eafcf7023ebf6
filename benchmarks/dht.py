"""The DHT: look-ups among thousands of simulated nodes beside the greedy walk, and queries that one process answers.

    python -m benchmarks dht            # 1,000 and 10,000 nodes
    python -m benchmarks.dht            # 100,000 too, and the plot docs/pictures/dht.svg; eight minutes

Simulated (`tests/sim/dht.py`): every node is the real machine, the bytes are the real ones, time is virtual. *Greedy*
is a walk that always asks the one nearest, over tables in which nobody is dead or lies. A look-up succeeds if it finds
the provider record that another node has put a moment before. Queries are answered twice: bytes in and out of the
machine alone, and over TCP, secured and multiplexed, with who asks in the same process.
"""

from __future__ import annotations

import asyncio
import dataclasses
import math
import statistics
import time
from collections.abc import Sequence
from typing import Final

from benchmarks.harness import Row
from benchmarks.processes import ROOT
from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from tests.sim.dht import CONFIG, DhtNetwork, World, address_of, greedy_hops, peer_of
from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.framing import MessageReader, write_message
from zwerm.libp2p.kad.aio import Kad
from zwerm.libp2p.kad.dht import Dht
from zwerm.libp2p.kad.key import key_of
from zwerm.libp2p.kad.message import Message, MessageType
from zwerm.libp2p.kad.query import Found
from zwerm.libp2p.swarm.swarm import Swarm

PICTURE: Final = ROOT / "docs" / "pictures" / "dht.svg"
QUERIES: Final = 5_000.0  # a second, to be answered by one process
LOOKUPS: Final = 200  # in each world
SESSION: Final = 1_800.0  # seconds a node stays in the worlds with churn

WORLDS: Final = (
    ("steady", {}),
    ("churn", {"session": SESSION}),
    ("20 % dead", {"dead": 0.2}),
    ("20 % hostile", {"hostile": 0.2}),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What the look-ups of one world came to."""

    size: int
    kind: str
    found: float  # share of the records that were found
    hops: float  # median
    greedy: float  # median, on ideal tables
    messages: float  # median of one look-up
    seconds: float  # median, virtual
    slowest: float  # the 95th of 100, virtual seconds


def simulate(size: int, kind: str, lookups: int, **world: float) -> Outcome:
    """Provide and find so many things, from random nodes that are there and tell the truth."""
    full = World(size, seed=size, **world)
    network = DhtNetwork(full)
    ideal = DhtNetwork(dataclasses.replace(full, dead=0.0, hostile=0.0, session=math.inf))
    random = seeded(size, kind)
    hops, greedy, messages, seconds, found = [], [], [], [], 0
    for _ in range(lookups):
        key = b"\x12\x20" + random.randbytes(32)
        provider, seeker = network.resident(network.honest(random)), network.resident(network.honest(random))
        network.run(provider, provider.dht.provide(key, network.clock.now, is_optimistic=False))
        begun = network.clock.now
        result = network.run(seeker, seeker.dht.find_closest(key, network.clock.now))
        seconds.append(network.clock.now - begun)
        messages.append(result.asked)
        hops.append(result.hops)
        greedy.append(greedy_hops(ideal, seeker.index, key_of(key)))
        query = seeker.dht.find_providers(key, network.clock.now, count=1)
        network.run(seeker, query)
        found += any(isinstance(event, Found) and event.query == query for event in seeker.events)
    return Outcome(
        size,
        kind,
        found / lookups,
        statistics.median(hops),
        statistics.median(greedy),
        statistics.median(messages),
        statistics.median(seconds),
        sorted(seconds)[int(lookups * 0.95)],
    )


def simulate_all(sizes: Sequence[int], lookups: int) -> list[Outcome]:
    """Simulate worlds of each size and kind; print each when it is done."""
    outcomes = []
    print(
        f"{'nodes':>7} {'world':<13} {'found':>6} {'hops':>5} {'greedy':>6} {'messages':>8} "
        f"{'median s':>8} {'95 % s':>7}"
    )
    for size in sizes:
        for kind, world in WORLDS:
            each = simulate(size, kind, lookups, **world)
            print(
                f"{each.size:>7} {each.kind:<13} {each.found:>6.1%} {each.hops:>5g} {each.greedy:>6g} "
                f"{each.messages:>8g} {each.seconds:>8.2f} {each.slowest:>7.2f}",
                flush=True,
            )
            outcomes.append(each)
    return outcomes


def answered_a_second(seconds: float) -> float:
    """Requests, three FIND_NODE to one GET_PROVIDERS, that one node answers: bytes in, bytes out."""
    random = seeded("server")
    dht = Dht(peer_of(random), CONFIG, random=random)
    for number in range(20_000):
        dht.add_server(peer_of(random), (address_of(number),), 0.0)
    asker = peer_of(random)
    requests = [
        Message(
            MessageType.GET_PROVIDERS if number % 4 == 3 else MessageType.FIND_NODE, b"\x12\x20" + random.randbytes(32)
        ).serialize()
        for number in range(1_000)
    ]
    done, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        for request in requests:
            dht.receive_request(asker, request, 1.0)
        done += len(requests)
    return done / passed


async def answered_over_tcp(seconds: float) -> float:
    """FIND_NODE on eight streams of one connection; both ends share this process, so a server alone does more."""
    async with tcp_host(1) as server, tcp_host(2) as client:
        await server.listen([LOOPBACK])
        async with Kad(server, CONFIG, is_server=True) as kad:
            random = seeded("server")
            for number in range(20_000):
                kad.dht.add_server(peer_of(random), (address_of(number),), 0.0)
            await client.connect(server.peer_id, server.addresses)
            end = time.perf_counter() + seconds
            counts = await asyncio.gather(*(_ask(client, server.peer_id, number, end) for number in range(8)))
    return sum(counts) / seconds


async def _ask(client: Swarm, server: PeerId, number: int, end: float) -> int:
    done = 0
    async with await client.open_stream(server, [CONFIG.protocol]) as stream:
        reader = MessageReader(stream)
        while time.perf_counter() < end:
            for _ in range(16):
                request = Message(MessageType.FIND_NODE, b"%d %d" % (number, done)).serialize()
                await write_message(stream, request)
                done += 1
            for _ in range(16):
                await reader.read()
    return done


def measure(*, quick: bool) -> list[Row]:
    """Look-ups in worlds of each kind, and the rate of answers."""
    outcomes = simulate_all((1_000,), 10) if quick else simulate_all((1_000, 10_000), LOOKUPS)
    rows = [
        Row(
            f"DHT, {each.size} nodes, {each.kind}: hops",
            "",
            each.hops,
            "greedy + 1",
            each.greedy + 1,
            1.0,
            higher_is_better=False,
        )
        for each in outcomes
    ]
    alone = sorted(answered_a_second(0.3 if quick else 2.0) for _ in range(3))[1]
    streamed = sorted(asyncio.run(answered_over_tcp(0.3 if quick else 2.0)) for _ in range(3))[1]
    rows.append(Row("DHT, queries answered by one process", "1/s", alone, "the bar", QUERIES, 1.0))
    rows.append(Row("the same over TCP, asker in this process too", "1/s", streamed, "the bar", QUERIES, 1.0))
    return rows


def plot(outcomes: list[Outcome]) -> str:
    """Draw four small charts of bars, one for each figure, as an SVG that needs nothing else."""
    sizes = sorted({each.size for each in outcomes})
    colours = dict(zip(sizes, ("#4c78a8", "#f58518", "#54a24b"), strict=False))
    charts = (
        ("found, %", [each.found * 100 for each in outcomes]),
        ("hops (line: greedy on ideal tables)", [each.hops for each in outcomes]),
        ("messages of a look-up", [each.messages for each in outcomes]),
        ("seconds (median)", [each.seconds for each in outcomes]),
    )
    height, left, step = 170, 40, 84
    width = left + 20 + step * len(outcomes)
    size = f'width="{width}" height="{height * len(charts) + 40}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">',
        f'<rect {size} fill="#ffffff"/>',
    ]
    for row, (title, values) in enumerate(charts):
        base, top = row * height + height - 20, max([*values, 1e-9])
        parts.append(f'<text x="{left}" y="{row * height + 20}" font-weight="bold">{title}</text>')
        parts.append(f'<line x1="{left}" y1="{base}" x2="{width - 20}" y2="{base}" stroke="#888888"/>')
        for column, (each, value) in enumerate(zip(outcomes, values, strict=True)):
            x, tall = left + 10 + column * step, value / top * (height - 70)
            parts.append(
                f'<rect x="{x}" y="{base - tall:.1f}" width="48" height="{tall:.1f}" fill="{colours[each.size]}"/>'
            )
            parts.append(f'<text x="{x + 24}" y="{base - tall - 4:.1f}" text-anchor="middle">{value:.3g}</text>')
            if row == 1:
                line = base - each.greedy / top * (height - 70)
                parts.append(f'<line x1="{x - 6}" y1="{line:.1f}" x2="{x + 54}" y2="{line:.1f}" stroke="#000000"/>')
            parts.append(f'<text x="{x + 24}" y="{base + 14}" text-anchor="middle">{each.kind}</text>')
    legend = height * len(charts) + 24
    for number, (nodes, colour) in enumerate(colours.items()):
        parts.append(f'<rect x="{left + number * 140}" y="{legend - 11}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 18 + number * 140}" y="{legend}">{nodes:,} nodes</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(plot(simulate_all((1_000, 10_000, 100_000), LOOKUPS)))
    print(f"plot: {PICTURE.relative_to(ROOT)}")
