"""Whose addresses count where, and which belong to one owner."""

import pytest

from zwerm.libp2p.kad.address_scope import Scope, filter_addresses, group_of, in_scope
from zwerm.multiformats.multiaddr import Multiaddr


def address(text: str) -> bytes:
    return bytes(Multiaddr.from_text(text))


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("/ip4/8.8.8.8/tcp/4001", Scope.PUBLIC),
        ("/ip6/2a00:1450::1/udp/4001/quic-v1", Scope.PUBLIC),
        ("/dns4/example.com/tcp/443/tls/ws", Scope.PUBLIC),
        ("/ip4/127.0.0.1/tcp/4001", Scope.PRIVATE),
        ("/ip4/192.168.1.2/tcp/4001", Scope.PRIVATE),
        ("/ip4/169.254.169.254/tcp/80", Scope.PRIVATE),
        ("/ip6/::1/tcp/4001", Scope.PRIVATE),
        ("/ip6/fd00::1/tcp/4001", Scope.PRIVATE),
        ("/ip6/::ffff:127.0.0.1/tcp/4001", Scope.PRIVATE),
    ],
)
def test_an_address_counts_in_one_of_the_two(text: str, scope: Scope) -> None:
    assert {kind for kind in (Scope.PUBLIC, Scope.PRIVATE) if in_scope(address(text), kind)} == {scope}
    assert in_scope(address(text), Scope.ANY)


def test_a_way_through_a_relay_counts_in_neither_but_for_a_provider() -> None:
    relayed = address("/ip4/8.8.8.8/tcp/4001/p2p/12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS/p2p-circuit")
    assert not in_scope(relayed, Scope.PUBLIC)
    assert not in_scope(relayed, Scope.PRIVATE)
    assert in_scope(relayed, Scope.PUBLIC, relayed=True)


@pytest.mark.parametrize("data", [b"", b"\x04", b"\x04\x7f\x00", b"\xff\xff\xff"])
def test_bytes_that_are_no_address_count_nowhere(data: bytes) -> None:
    assert filter_addresses([data], Scope.PUBLIC) == filter_addresses([data], Scope.PRIVATE) == ()


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("/ip4/8.9.1.1/tcp/1", "8.9"),
        ("/ip4/12.34.56.78/tcp/1", "12"),
        ("/ip6/2a00:1450:1::1/tcp/1", "2a001450"),
        ("/dns/example.com/tcp/1", None),
    ],
)
def test_groups_are_what_one_owner_gets(text: str, group: str | None) -> None:
    assert group_of(address(text)) == group
