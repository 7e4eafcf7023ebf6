"""What the answers of several servers come to."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.autonat.reachability import MAX_ANSWERS, Reachability
from zwerm.multiformats.multiaddr import Multiaddr

SERVERS = [PeerId.of(seeded_key(number).public) for number in range(MAX_ANSWERS + 4)]
ONE, TWO = Multiaddr.from_text("/ip4/192.0.2.1/tcp/1"), Multiaddr.from_text("/ip4/192.0.2.1/tcp/2")


def told(said: str, confidence: int = 3) -> Reachability:
    """Let one server after the other say that the address was reached (+) or not (-)."""
    reachability = Reachability(confidence)
    reachability.keep([ONE])
    for server, reached in zip(SERVERS, said, strict=False):
        reachability.record(ONE, server, reached=reached == "+")
    return reachability


def test_three_that_agree_settle_it() -> None:
    assert told("++").is_reachable(ONE) is None
    assert told("+++").is_reachable(ONE) is True
    assert told("---").is_reachable(ONE) is False
    assert told("+-+-+").is_reachable(ONE) is None
    assert told("++-++").is_settled(ONE)


def test_one_server_counts_once_with_what_it_said_last() -> None:
    reachability = told("")
    for _ in range(5):
        reachability.record(ONE, SERVERS[0], reached=True)
    assert reachability.is_reachable(ONE) is None
    reachability = told("+++")
    for server in SERVERS[:3]:
        reachability.record(ONE, server, reached=False)
    assert reachability.is_reachable(ONE) is False


def test_only_the_latest_answers_count() -> None:
    reachability = told("+" * MAX_ANSWERS)
    for server in SERVERS[4:]:
        reachability.record(ONE, server, reached=False)
    assert reachability.is_reachable(ONE) is False


def test_a_node_is_public_by_one_address_and_private_when_none_is_left() -> None:
    reachability = told("+", confidence=1)
    assert reachability.is_public is True
    reachability.keep([ONE, TWO])
    assert reachability.is_public is True
    reachability.record(ONE, SERVERS[0], reached=False)
    assert reachability.is_public is None
    reachability.record(TWO, SERVERS[0], reached=False)
    assert reachability.is_public is False
    assert reachability.verdicts == {ONE: False, TWO: False}


def test_nothing_is_known_of_addresses_that_are_not_ours() -> None:
    reachability = told("+++")
    reachability.keep([TWO])
    assert reachability.is_reachable(ONE) is None
    reachability.record(ONE, SERVERS[0], reached=True)
    assert reachability.verdicts == {TWO: None}
    assert Reachability().is_public is None
