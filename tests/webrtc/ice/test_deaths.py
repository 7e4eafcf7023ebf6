"""A server or the signaling dies at any stage: both sides connect all the same, or say in time that they fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.webrtc.ice.nat_matrix import Cell, Home
from tests.webrtc.ice.world import Peer, run_until
from zwerm.core.machine import Address
from zwerm.webrtc.ice.config import Config
from zwerm.webrtc.ice.events import ConnectionState, GatheringState, RestartNeeded

DEFAULTS = Config()
GATHERED = DEFAULTS.turn_timeout + 0.5  # seconds until a server that is dead has held gathering up for the longest
FAILED = DEFAULTS.connect_timeout + GATHERED  # until "failed", where nothing ever connected
LOST = DEFAULTS.consent_timeout + DEFAULTS.check_timeout + 1.0  # until "failed", where something did: one last check
STAGES = [*range(25), 32, 40, 60]  # messages that still come through
HOMES = [(Home.NONE, Home.NONE), (Home.PORT, Home.ADDR), (Home.SYMM, Home.SYMM), (Home.NOUDP, Home.SYMM)]


def kill_server_after(cell: Cell, count: int) -> None:
    """Let the server hear so many messages; then neither it nor what it relays hears anything."""
    server, hear, left = cell.server, cell.server.receive, count

    def receive(data: bytes, client: object, mapped: Address, reply: Callable[[bytes], None]) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            hear(data, client, mapped, reply)
        else:
            for socket in server.relays.values():
                socket.on_receive = None

    server.receive = receive  # type: ignore[method-assign]


def kill_signaling_after(cell: Cell, count: int) -> None:
    """Let so many descriptions, candidates and ends of candidates arrive, of both sides together."""
    carry, left = cell.signaling.carry, count

    def cut(message: Callable[[], object]) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            carry(message)

    cell.signaling.carry = cut  # type: ignore[method-assign]


def is_clear(peer: Peer) -> bool:
    """Whether a program knows what it has: a path, none, or no description of another side to look for."""
    has_begun = peer.agent.remote_credentials is not None
    return peer.is_connected or peer.agent.state is (ConnectionState.FAILED if has_begun else ConnectionState.NEW)


def talks(cell: Cell) -> bool:
    cell.left.data.clear()
    cell.right.data.clear()
    cell.left.send(b"from left")
    cell.right.send(b"from right")
    cell.clock.run_for(0.5)
    return bool(cell.left.data and cell.right.data)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("homes", HOMES, ids=lambda homes: f"{homes[0].value}-{homes[1].value}")
def test_a_server_that_dies_at_any_stage_leaves_a_path_or_a_clear_state(homes: tuple[Home, Home], stage: int) -> None:
    cell = Cell(*homes, has_turn=True)
    kill_server_after(cell, stage)
    cell.signaling.offer_answer()
    both = (cell.left, cell.right)
    cell.clock.run_for(GATHERED + 0.1)
    assert [peer.agent.gathering_state for peer in both] == [GatheringState.COMPLETE] * 2
    cell.clock.run_for(FAILED + LOST)
    assert all(map(is_clear, both)), [peer.states() for peer in both]
    is_direct = Home.NONE in homes or stage > 4  # after that both know how they are seen from outside
    if homes in HOMES[:2] and is_direct:
        assert talks(cell)
    if homes in HOMES[2:]:  # nothing passes but by the relay
        assert [peer.agent.state for peer in both] == [ConnectionState.FAILED] * 2
        assert all(peer.told(RestartNeeded) for peer in both)


@pytest.mark.parametrize("stage", range(30))
def test_signaling_that_dies_at_any_stage_leaves_a_path_or_a_clear_state(stage: int) -> None:
    cell = Cell(Home.NONE, Home.PORT, has_turn=True)
    kill_signaling_after(cell, stage)
    cell.signaling.offer_answer()
    cell.clock.run_for(FAILED + LOST)
    both = (cell.left, cell.right)
    assert all(map(is_clear, both)), [peer.states() for peer in both]
    if all(peer.agent.remote_credentials is not None for peer in both):
        assert [peer.is_connected for peer in both] == [True, True]  # what a check tells is enough
        assert talks(cell)


def test_a_server_that_dies_under_a_connection_and_comes_back_is_used_by_the_restart() -> None:
    cell = Cell(Home.SYMM, Home.SYMM, has_turn=True)
    cell.signaling.offer_answer()
    both = (cell.left, cell.right)
    run_until(cell.clock, lambda: cell.left.is_connected and cell.right.is_connected, 10.0)
    alive, ears = cell.server.receive, {socket: socket.on_receive for socket in cell.server.relays.values()}
    kill_server_after(cell, 0)
    died = cell.clock.now
    run_until(cell.clock, lambda: all(peer.agent.state is ConnectionState.FAILED for peer in both), LOST)
    assert cell.clock.now - died >= 20.0  # consent has its time
    cell.server.receive = alive  # type: ignore[method-assign]
    for socket, hear in ears.items():
        socket.on_receive = hear
    cell.left.do(cell.left.agent.restart)
    cell.signaling.offer_answer()
    cell.clock.run_for(20.0)
    assert cell.left.is_connected
    assert cell.right.is_connected
    assert talks(cell)
