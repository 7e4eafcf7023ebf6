"""Addresses with names: what comes of them, and how far a name server can lead."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.libp2p.hosts import hosts, seeded_key
from zwerm.core.errors import TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.swarm.names import MAX_ADDRESSES, MAX_QUESTIONS, resolve
from zwerm.multiformats.multiaddr import Multiaddr

ALICE, BOB = (PeerId.of(seeded_key(number).public) for number in range(2))


class Answer(NamedTuple):
    texts: tuple[str, ...]


class Zone:
    """A name server with what it is given; other names are nobody's, and `broken.example` is not answered."""

    def __init__(self, records: dict[str, tuple[str, ...]]) -> None:
        self._records = records
        self.asked: list[str] = []

    async def texts(self, name: str) -> Answer:
        self.asked.append(name)
        if "broken" in name:
            raise TransportError(f"{name} could not be looked up")
        return Answer(self._records.get(name, ()))

    async def addresses(self, name: str, *, version: int) -> Answer:
        texts = (await self.texts(name)).texts
        return Answer(tuple(text for text in texts if (":" in text) == (version == 6)))


def multiaddrs(*texts: str) -> list[Multiaddr]:
    return [Multiaddr.from_text(text) for text in texts]


async def outcome(zone: Zone, *texts: str, dialed: str = "") -> list[str]:
    resolved = await resolve(multiaddrs(*texts), ALICE, zone, lambda address: bool(dialed) and dialed in address.names)
    return [str(address) for address in resolved.addresses]


async def test_names_of_hosts_become_their_addresses() -> None:
    zone = Zone({"host.example": ("192.0.2.1", "192.0.2.2", "2001:db8::1")})
    assert await outcome(zone, "/dns4/host.example/tcp/1") == ["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1"]
    assert await outcome(zone, "/dns6/host.example/tcp/1") == ["/ip6/2001:db8::1/tcp/1"]
    assert len(await outcome(zone, "/dns/host.example/udp/1/quic-v1")) == 3


async def test_what_has_no_name_or_is_dialled_by_name_stays_as_it_is() -> None:
    zone = Zone({})
    assert await outcome(zone, "/ip4/192.0.2.1/tcp/1") == ["/ip4/192.0.2.1/tcp/1"]
    assert await outcome(zone, "/dns4/a.example/tcp/443/wss", dialed="wss") == ["/dns4/a.example/tcp/443/wss"]
    assert zone.asked == []


async def test_a_dnsaddr_gives_the_addresses_that_end_as_it_does() -> None:
    zone = Zone(
        {
            "_dnsaddr.example": (
                f"dnsaddr=/ip4/192.0.2.1/tcp/1/p2p/{ALICE}",
                f"dnsaddr=/ip4/192.0.2.2/tcp/1/p2p/{BOB}",
                "something else",
                "dnsaddr=nonsense",
                f"dnsaddr=/dnsaddr/further.example/p2p/{ALICE}",
            ),
            "_dnsaddr.further.example": (f"dnsaddr=/dns4/host.example/tcp/2/p2p/{ALICE}",),
            "host.example": ("192.0.2.3",),
        }
    )
    assert await outcome(zone, "/dnsaddr/example", f"/dnsaddr/example/p2p/{ALICE}") == [
        f"/ip4/192.0.2.1/tcp/1/p2p/{ALICE}",
        f"/ip4/192.0.2.3/tcp/2/p2p/{ALICE}",
    ]


async def test_names_that_lead_in_circles_or_on_and_on_end() -> None:
    circle = Zone({"_dnsaddr.a": (f"dnsaddr=/dnsaddr/a/p2p/{ALICE}",)})
    resolved = await resolve(multiaddrs("/dnsaddr/a"), ALICE, circle, lambda _: False)
    assert resolved.addresses == []
    assert list(resolved.reasons.values()) == ["its name leads on too often"]

    wide = Zone({"_dnsaddr.a": (f"dnsaddr=/dnsaddr/a/p2p/{ALICE}",) * 20})
    await outcome(wide, "/dnsaddr/a")
    assert len(wide.asked) == MAX_QUESTIONS

    many = Zone({"_dnsaddr.a": tuple(f"dnsaddr=/ip4/192.0.2.1/tcp/{port}/p2p/{ALICE}" for port in range(1, 200))})
    assert len(await outcome(many, "/dnsaddr/a")) == MAX_ADDRESSES


async def test_a_name_that_comes_to_nothing_says_why_and_keeps_nothing_from_the_others() -> None:
    zone = Zone({})
    resolved = await resolve(
        multiaddrs("/dns4/none.example/tcp/1", "/dns4/broken.example/tcp/1", "/ip4/192.0.2.1/tcp/1"),
        ALICE,
        zone,
        lambda _: False,
    )
    assert [str(address) for address in resolved.addresses] == ["/ip4/192.0.2.1/tcp/1"]
    assert list(resolved.reasons.values()) == [
        "there is nothing under its name",
        "broken.example could not be looked up",
    ]


async def test_a_swarm_dials_what_a_name_stands_for() -> None:
    async with hosts(2) as (alice, bob):
        alice.peers.remove_addresses(bob.peer_id)
        named = multiaddrs(f"/dnsaddr/bob.example/p2p/{bob.peer_id}")
        with pytest.raises(DialFailed, match="no transport here dials it"):
            await alice.connect(bob.peer_id, named)
        alice.names = Zone({})
        with pytest.raises(DialFailed, match="there is nothing under its name"):
            await alice.connect(bob.peer_id, named)
        alice.names = Zone({"_dnsaddr.bob.example": (f"dnsaddr=/memory/2/p2p/{bob.peer_id}",)})
        assert (await alice.connect(bob.peer_id, named)).remote_peer == bob.peer_id
