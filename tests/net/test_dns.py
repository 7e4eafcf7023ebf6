"""Questions to a real DNS server on the loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.net.name_server import Zone, name_server
from zwerm.core.errors import LocalProtocolError
from zwerm.net.dns import MAX_TEXTS, Dns, DnsFailed, NoNameServer, parse_server


@pytest.fixture
def served() -> Iterator[tuple[Zone, str]]:
    with name_server() as server:
        yield server


@pytest.fixture
def zone(served: tuple[Zone, str]) -> Zone:
    return served[0]


@pytest.fixture
def dns(served: tuple[Zone, str]) -> Dns:
    return Dns([served[1]])


async def test_the_texts_of_a_name_come_with_their_lifetime(zone: Zone, dns: Dns) -> None:
    zone.texts["a.example"] = ["one", "zwei ü"]
    zone.ttl = 17
    answer = await dns.texts("a.example")
    assert sorted(answer.texts) == ["one", "zwei ü"]
    assert answer.lifetime == 17


async def test_a_text_in_pieces_is_put_together(zone: Zone, dns: Dns) -> None:
    zone.texts["long.example"] = ["x" * 700]
    assert (await dns.texts("long.example")).texts == ("x" * 700,)


async def test_an_answer_too_large_for_a_datagram_comes_by_tcp(zone: Zone, dns: Dns) -> None:
    zone.texts["large.example"] = [f"{number:03}" + "x" * 200 for number in range(60)]
    assert len((await dns.texts("large.example")).texts) == 60
    assert zone.asked.count("large.example") == 2


async def test_only_so_many_texts_are_looked_at(zone: Zone, dns: Dns) -> None:
    zone.texts["many.example"] = [str(number) for number in range(MAX_TEXTS + 50)]
    assert len((await dns.texts("many.example")).texts) == MAX_TEXTS


async def test_addresses_are_found_by_version(zone: Zone, dns: Dns) -> None:
    zone.hosts["host.example"] = ["192.0.2.1", "192.0.2.2"]
    assert sorted((await dns.addresses("host.example", version=4)).texts) == ["192.0.2.1", "192.0.2.2"]
    assert (await dns.addresses("host.example", version=6)).texts == ()


async def test_nothing_is_an_answer_that_the_zone_says_how_long_to_keep(zone: Zone, dns: Dns) -> None:
    zone.negative_ttl = 21
    assert await dns.texts("missing.example") == ((), 21.0)
    zone.hosts["host.example"] = ["192.0.2.1"]
    assert await dns.texts("host.example") == ((), 21.0)


async def test_a_server_that_fails_says_nothing_about_the_name(zone: Zone, dns: Dns) -> None:
    zone.broken.add("broken.example")
    with pytest.raises(DnsFailed, match=r"broken\.example could not be looked up"):
        await dns.texts("broken.example")


async def test_what_cannot_be_asked_is_no_bug_of_ours(dns: Dns) -> None:
    with pytest.raises(DnsFailed):
        await dns.texts("a..example")
    with pytest.raises(DnsFailed):
        await dns.texts("x" * 64 + ".example")


async def test_without_a_server_nobody_is_asked() -> None:
    with pytest.raises(NoNameServer, match="no name server is configured"):
        await Dns([]).texts("a.example")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_servers_are_written_in_four_ways(text: str, server: tuple[str, int]) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", "dns.example", "192.0.2.53:0", "192.0.2.53:99999", "[::1", "1.2.3"])
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="is not a name server"):
        Dns([text])
