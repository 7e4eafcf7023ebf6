"""A lite agent (RFC 8445 section 2.5): it answers, believes, and sends no checks of its own."""

from __future__ import annotations

from tests.webrtc.ice.two import Two
from tests.webrtc.ice.world import run_until
from zwerm.webrtc.ice.config import Config, Role
from zwerm.webrtc.ice.events import ConnectionState

LITE = Config(lite=True)


def lite_pair(role: Role = Role.CONTROLLING) -> Two:
    two = Two(Config(), LITE, roles=(role, Role.CONTROLLED))
    two.signaling.lite = (False, True)
    return two


def test_a_full_agent_connects_to_a_lite_one() -> None:
    two = lite_pair()
    two.connect()
    assert two.exchange()
    assert two.right.agent.statistics().pairs[0].counters.requests_sent == 0


def test_the_full_agent_takes_control_whatever_it_was_told() -> None:
    """Section 6.1.1."""
    two = lite_pair(Role.CONTROLLED)
    two.connect()
    assert two.left.agent.role is Role.CONTROLLING
    assert two.exchange()


def test_a_lite_agent_notices_that_nobody_asks_any_more() -> None:
    two = lite_pair()
    two.connect()
    two.clock.run_for(60.0)
    assert two.are_connected
    two.hosts[0].interface.cut()
    run_until(two.clock, lambda: two.right.agent.state is ConnectionState.FAILED, 40.0)
    assert not two.right.send(b"no consent")


def test_a_restart_works_with_a_lite_agent() -> None:
    two = lite_pair()
    two.connect()
    two.left.do(two.left.agent.restart)
    two.signaling.offer_answer()
    two.clock.run_for(7.0)
    assert two.are_connected
    assert two.right.agent.remote_credentials == two.left.agent.local_credentials
    assert two.exchange()


def test_two_lite_agents_wait_for_each_other_and_fail() -> None:
    """Section 8.2 would have them send to addresses that nobody answered from: see docs/ice.md."""
    two = Two(LITE, LITE)
    two.signaling.lite = (True, True)
    two.signaling.offer_answer()
    for peer in (two.left, two.right):
        run_until(two.clock, lambda peer=peer: peer.agent.state is ConnectionState.FAILED, 31.0)
        assert not peer.send(b"to nobody")
