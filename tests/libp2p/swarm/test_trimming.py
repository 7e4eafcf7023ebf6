"""Who goes when there are too many: nobody who is protected or young, and the least useful first."""

from __future__ import annotations

import asyncio

from tests.libp2p.hosts import hosts
from zwerm.libp2p.host import HostEvent, PeerDisconnected
from zwerm.libp2p.swarm import Limits
from zwerm.libp2p.swarm.trimming import Candidate, Worth, excess

PLAIN = Worth(is_only=True, is_direct=True, streams=0, is_outbound=False, used=0.0)


def candidate(worth: Worth = PLAIN, *, opened: float = 0.0, is_protected: bool = False) -> Candidate:
    return Candidate(worth, opened, is_protected)


def test_nothing_goes_up_to_the_higher_mark_and_past_it_the_lower_is_left() -> None:
    ten = [(number, candidate(PLAIN._replace(used=float(number)))) for number in range(10)]
    assert excess(ten, high=10, low=4, grace=1.0, now=100.0) == []
    assert excess(ten, high=9, low=4, grace=1.0, now=100.0) == [0, 1, 2, 3, 4, 5]


def test_the_least_useful_goes_first() -> None:
    connections = [
        ("in use", candidate(PLAIN._replace(streams=2))),
        ("ours", candidate(PLAIN._replace(is_outbound=True))),
        ("relayed", candidate(PLAIN._replace(is_direct=False, streams=5))),
        ("second of a peer", candidate(PLAIN._replace(is_only=False, streams=9))),
        ("idle", candidate()),
    ]
    assert excess(connections, high=1, low=0, grace=1.0, now=100.0) == [
        "second of a peer",
        "relayed",
        "idle",
        "ours",
        "in use",
    ]


def test_the_protected_and_the_young_stay_even_so() -> None:
    connections = [
        ("protected", candidate(is_protected=True)),
        ("young", candidate(opened=95.0)),
        ("plain", candidate(PLAIN._replace(streams=7))),
    ]
    assert excess(connections, high=1, low=0, grace=10.0, now=100.0) == ["plain"]


async def test_a_swarm_closes_what_is_too_much_and_keeps_whom_it_protects() -> None:
    limits = Limits(high_water=3, low_water=2, grace=0.0)
    async with hosts(6, identify=False, limits=limits) as (hub, *others):
        gone: asyncio.Queue[HostEvent] = asyncio.Queue()
        hub.subscribe(lambda event: gone.put_nowait(event) if isinstance(event, PeerDisconnected) else None)
        hub.protect(others[0].peer_id, "friend")
        hub.protect(others[0].peer_id, "relay")
        hub.unprotect(others[0].peer_id, "relay")
        for other in others[:4]:
            await other.connect(hub.peer_id)
        for _ in range(2):
            event = await gone.get()
            assert isinstance(event, PeerDisconnected)
            assert event.reason == "too many connections"
        assert len(hub.connections) == 2
        assert hub.connections_to(others[0].peer_id)
        hub.unprotect(others[0].peer_id, "friend")
        hub.unprotect(others[0].peer_id, "never was")
        assert hub._protected == {}


async def test_the_young_are_looked_at_again_when_they_are_not() -> None:
    limits = Limits(high_water=1, low_water=1, grace=0.05)
    async with hosts(3, identify=False, limits=limits) as (hub, *others):
        gone = asyncio.Event()
        hub.subscribe(lambda event: gone.set() if isinstance(event, PeerDisconnected) else None)
        for other in others:
            await other.connect(hub.peer_id)
        assert len(hub.connections) == 2
        await gone.wait()
        assert len(hub.connections) == 1
