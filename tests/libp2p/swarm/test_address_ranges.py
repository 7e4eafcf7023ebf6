"""Ranges of addresses: what lies in them, and a swarm that dials and lets in nobody there."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.libp2p.swarm.tcp_hosts import LOOPBACK, tcp_host
from zwerm.core.errors import LocalProtocolError
from zwerm.libp2p.host import DialFailed
from zwerm.libp2p.swarm.address_ranges import AddressRange, AddressRanges
from zwerm.libp2p.swarm.swarm import Swarm
from zwerm.multiformats.multiaddr import Multiaddr

HERE = AddressRanges([AddressRange.from_text("/ip4/127.0.0.0/ipcidr/8")])
RELAY = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"


def lies_in(text: str, *ranges: str) -> bool:
    return AddressRanges(map(AddressRange.from_text, ranges)).refusal(Multiaddr.from_text(text)) is not None


def test_what_begins_with_the_same_bits_lies_in_a_range() -> None:
    assert lies_in("/ip4/10.255.0.1/tcp/4001", "/ip4/10.0.0.0/ipcidr/8")
    assert not lies_in("/ip4/11.0.0.1/tcp/4001", "/ip4/10.0.0.0/ipcidr/8")
    assert lies_in("/ip4/192.0.2.127/udp/1/quic-v1", "/ip4/192.0.2.0/ipcidr/25")
    assert not lies_in("/ip4/192.0.2.128/udp/1/quic-v1", "/ip4/192.0.2.0/ipcidr/25")
    assert lies_in("/ip6/fd12::1/tcp/1", "/ip4/10.0.0.0/ipcidr/8", "/ip6/fc00::/ipcidr/7")
    assert not lies_in("/ip6/2001:db8::1/tcp/1", "/ip6/fc00::/ipcidr/7")
    assert lies_in("/ip4/192.0.2.1/tcp/1", "/ip4/0.0.0.0/ipcidr/0")
    assert not lies_in("/ip6/2001:db8::1/tcp/1", "/ip4/0.0.0.0/ipcidr/0")
    assert not lies_in("/dns4/example.org/tcp/1", "/ip4/0.0.0.0/ipcidr/0", "/ip6/::/ipcidr/0")


def test_an_address_does_not_hide_in_another_form() -> None:
    assert lies_in("/ip6/::ffff:10.0.0.1/tcp/1", "/ip4/10.0.0.0/ipcidr/8")
    assert lies_in("/ip6/::ffff:10.0.0.1/tcp/1", "/ip6/::ffff:0:0/ipcidr/96")
    assert lies_in(f"/ip4/10.0.0.1/tcp/1/p2p/{RELAY}/p2p-circuit", "/ip4/10.0.0.0/ipcidr/8")
    assert lies_in("/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip6/fe80::/ipcidr/10")


def test_a_range_is_written_in_one_way() -> None:
    assert str(AddressRange.from_text("/ip4/10.1.2.3/ipcidr/8/")) == "/ip4/10.0.0.0/ipcidr/8"
    assert str(AddressRange.from_text("/ip6/FC00:0::1/ipcidr/7")) == "/ip6/fc00::/ipcidr/7"
    assert str(AddressRange.from_text("/ip4/192.0.2.1/ipcidr/32")) == "/ip4/192.0.2.1/ipcidr/32"


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0/8", "/ip4/10.0.0.0", "/ip4/10.0.0.0/ipcidr/33", "/ip4/10.0.0.0/ipcidr/256", "/ip4/10.0.0.0/tcp/1", ""],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        AddressRange.from_text(text)


async def test_nobody_in_a_range_is_dialled() -> None:
    async with tcp_host(1) as ann, tcp_host(2) as bob:
        await bob.listen([LOOPBACK])
        ann.set_filtered(HERE)
        with pytest.raises(DialFailed, match=r"lies in /ip4/127\.0\.0\.0/ipcidr/8, which is filtered"):
            await ann.connect(bob.peer_id, bob.addresses)
        assert not bob.connections
        ann.set_filtered(AddressRanges())
        await ann.connect(bob.peer_id, bob.addresses)


async def test_nobody_in_a_range_is_let_in(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zwerm.libp2p")
    async with tcp_host(1) as ann, tcp_host(2) as bob:
        await ann.listen([LOOPBACK])
        ann.set_filtered(HERE)
        connection = await bob.connect(ann.peer_id, ann.addresses)
        async with asyncio.timeout(10):
            await connection.watch
        assert not ann.connections
    (line,) = [record.message for record in caplog.records if "refused a connection" in record.message]
    assert str(bob.peer_id) in line
    assert "which is filtered" in line


async def test_a_new_range_closes_what_there_is_in_it() -> None:
    async with tcp_host(1) as ann, tcp_host(2) as bob:
        await bob.listen([LOOPBACK])
        connection = await ann.connect(bob.peer_id, bob.addresses)
        ann.set_filtered(AddressRanges([AddressRange.from_text("/ip4/10.0.0.0/ipcidr/8")]))
        assert not is_ending(ann)
        ann.set_filtered(HERE)
        async with asyncio.timeout(10):
            await connection.watch
        assert not ann.connections


def is_ending(swarm: Swarm) -> bool:
    return any(connection.closing for connection in swarm.connections)
