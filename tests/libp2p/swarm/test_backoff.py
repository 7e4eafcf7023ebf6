"""How long an address that failed is left alone."""

from __future__ import annotations

from tests.libp2p.hosts import seeded_key
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.swarm.backoff import MAX_FAILURES, Backoff
from zwerm.libp2p.swarm.limits import Limits
from zwerm.multiformats.multiaddr import Multiaddr

PEER = PeerId.of(seeded_key(0).public)
ADDRESS = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")


def test_each_failure_doubles_the_wait_up_to_a_most_and_a_success_ends_it() -> None:
    now = [0.0]
    backoff = Backoff(Limits(backoff=5.0, backoff_most=30.0), lambda: now[0])
    waits = []
    for _ in range(5):
        start = now[0]
        backoff.failed(PEER, ADDRESS, "refused")
        while backoff.waits(PEER, ADDRESS):
            now[0] += 1.0
        waits.append(now[0] - start)
    assert waits == [5.0, 10.0, 20.0, 30.0, 30.0]
    backoff.failed(PEER, ADDRESS, "refused")
    backoff.succeeded(PEER, ADDRESS)
    assert backoff.waits(PEER, ADDRESS) is None
    backoff.failed(PEER, ADDRESS, "refused")
    assert backoff.waits(PEER, ADDRESS) == "left alone for another 5 s, since refused"


def test_failures_are_of_a_peer_and_an_address_and_can_all_be_forgotten() -> None:
    backoff = Backoff(Limits(), lambda: 0.0)
    backoff.failed(PEER, ADDRESS, "refused")
    assert backoff.waits(PeerId.of(seeded_key(1).public), ADDRESS) is None
    backoff.clear()
    assert backoff.waits(PEER, ADDRESS) is None


def test_so_many_failures_are_remembered() -> None:
    backoff = Backoff(Limits(), lambda: 0.0)
    for number in range(MAX_FAILURES + 1):
        address = Multiaddr.from_text(f"/ip4/10.0.{number >> 8}.{number & 255}/tcp/1")
        backoff.failed(PEER, address, "refused")
    assert backoff.waits(PEER, Multiaddr.from_text("/ip4/10.0.0.0/tcp/1")) is None
    assert len(backoff._failures) == MAX_FAILURES
