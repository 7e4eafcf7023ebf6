"""`swarm/resources` and `swarm/addrs/autonat`, in Kubo's forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of, two_nodes
from tests.node.test_availability import OUTSIDE, judge
from zwerm.libp2p.swarm.limits import Limits

pytestmark = pytest.mark.slow


async def test_limits_are_shown_with_what_is_used_of_them(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        found = await ann.call("swarm/resources")
        system = found["System"]
        assert (system["Conns"], system["ConnsUsage"]) == (Limits().connections, 1)
        assert (system["ConnsInboundUsage"], system["ConnsOutboundUsage"]) == (0, 1)
        peer = found["Peers"][str(bob.node.identity)]
        assert (peer["Conns"], peer["ConnsUsage"]) == (Limits().connections_per_peer, 1)
        assert system["StreamsUsage"] == sum(scope["StreamsUsage"] for scope in found["Protocols"].values())


async def test_addresses_are_sorted_by_what_others_say_of_them(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, _):
        assert await ann.call("swarm/addrs/autonat") == {"reachability": "Unknown"}
        judge(ann.node, OUTSIDE, reached=True)
        found = await ann.call("swarm/addrs/autonat")
        assert found == {"reachability": "Public", "reachable": [str(OUTSIDE)]}
        network_of(ann.node).reach.reachability.keep([])
        judge(ann.node, OUTSIDE, reached=False)
        found = await ann.call("swarm/addrs/autonat")
        assert found == {"reachability": "Private", "unreachable": [str(OUTSIDE)]}
