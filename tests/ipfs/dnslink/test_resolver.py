"""From a domain to the path of its DNSLink: against a real DNS server, and the cache on a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.net.name_server import Zone, name_server
from zwerm.ipfs.dnslink.resolver import MAX_NOTHING, DnslinkResolver
from zwerm.net.dns import Answer, Dns, DnsFailed

PATH = "/ipfs/bafkqaddwgevxmmraojswg33smq"
OTHER_PATH = "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi"


class Texts:
    """A name system in memory that counts its questions."""

    def __init__(self) -> None:
        self.known: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.gate: asyncio.Event | None = None

    async def texts(self, name: str) -> Answer:
        self.asked.append(name)
        if self.gate is not None:
            await self.gate.wait()
        return self.known.get(name, Answer((), 3_600.0))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def zone_and_resolver() -> Iterator[tuple[Zone, DnslinkResolver]]:
    with name_server() as (zone, server):
        yield zone, DnslinkResolver(Dns([server]), timer=lambda: 0.0)


async def test_the_underscored_name_comes_before_the_name_itself(
    zone_and_resolver: tuple[Zone, DnslinkResolver],
) -> None:
    zone, resolver = zone_and_resolver
    zone.texts = {"_dnslink.a.example": ["x", f"dnslink={PATH}"], "a.example": [f"dnslink={OTHER_PATH}"]}
    link = await resolver.find("A.example.")
    assert link is not None
    assert str(link.path) == PATH
    assert link.fresh == 60
    assert zone.asked == ["_dnslink.a.example"]


async def test_the_name_itself_is_asked_when_nothing_is_under_the_other(
    zone_and_resolver: tuple[Zone, DnslinkResolver],
) -> None:
    zone, resolver = zone_and_resolver
    zone.texts = {"a.example": ["v=spf1 -all", f"dnslink={PATH}"]}
    link = await resolver.find("a.example")
    assert link is not None
    assert str(link.path) == PATH
    assert zone.asked == ["_dnslink.a.example", "a.example"]


async def test_a_domain_without_a_link_points_nowhere(zone_and_resolver: tuple[Zone, DnslinkResolver]) -> None:
    zone, resolver = zone_and_resolver
    zone.texts = {"a.example": ["v=spf1 -all"]}
    assert await resolver.find("a.example") is None
    assert await resolver.find("missing.example") is None


async def test_what_is_no_domain_is_asked_of_nobody(zone_and_resolver: tuple[Zone, DnslinkResolver]) -> None:
    zone, resolver = zone_and_resolver
    assert await resolver.find("localhost") is None
    assert zone.asked == []


async def test_a_failing_server_does_not_mean_that_there_is_no_link(
    zone_and_resolver: tuple[Zone, DnslinkResolver],
) -> None:
    zone, resolver = zone_and_resolver
    zone.broken.add("_dnslink.a.example")
    with pytest.raises(DnsFailed):
        await resolver.find("a.example")
    zone.broken.clear()
    zone.texts = {"_dnslink.a.example": [f"dnslink={PATH}"]}
    assert await resolver.find("a.example") is not None, "a failure is not kept"


async def test_a_link_is_kept_for_its_lifetime() -> None:
    texts, clock = Texts(), Clock()
    texts.known["_dnslink.a.example"] = Answer((f"dnslink={PATH}",), 60.0)
    resolver = DnslinkResolver(texts, timer=clock)
    for clock.now in (0.0, 59.0, 60.0):
        link = await resolver.find("a.example")
        assert link is not None
    assert link.fresh == 60.0
    assert len(texts.asked) == 2
    await resolver.find("a.example", fresh=True)
    assert len(texts.asked) == 3


async def test_that_there_is_no_link_is_kept_for_five_minutes_at_most() -> None:
    texts, clock = Texts(), Clock()
    resolver = DnslinkResolver(texts, timer=clock)
    for clock.now in (0.0, MAX_NOTHING - 1, MAX_NOTHING):
        assert await resolver.find("a.example") is None
    assert len(texts.asked) == 4


async def test_calls_for_one_domain_share_a_look_up() -> None:
    texts = Texts()
    texts.known["_dnslink.a.example"] = Answer((f"dnslink={PATH}",), 60.0)
    texts.gate = asyncio.Event()
    resolver = DnslinkResolver(texts, timer=Clock())
    calls = [asyncio.create_task(resolver.find("a.example")) for _ in range(5)]
    await asyncio.sleep(0)
    texts.gate.set()
    assert all(await asyncio.gather(*calls))
    assert texts.asked == ["_dnslink.a.example"]
