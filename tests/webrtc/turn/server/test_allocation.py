"""Permissions and channels of one allocation, and when they end."""

import pytest

from tests.webrtc.turn.network import PEER, SERVER, config
from zwerm.core.errors import ResourceLimitError
from zwerm.webrtc.stun.address import IPV4
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.allocation import Allocation, Relay
from zwerm.webrtc.turn.server.config import FiveTuple

CONFIG = config(max_permissions=2, max_channels=2)
OTHER = (PEER[0], 7_001)


def allocation() -> Allocation:
    relay = Relay((SERVER[0], 50_000), (SERVER[0], 50_000))
    client = FiveTuple(Transport.UDP, ("192.0.2.1", 1), SERVER)
    return Allocation(client, "alice", "alice", {IPV4: relay}, bytes(12), b"", 600.0, 0.0, None)


def test_a_permission_lasts_five_minutes_from_its_last_request() -> None:
    mine = allocation()
    mine.permit([PEER[0]], 0.0, CONFIG)
    assert mine.permits(PEER[0], 299.9)
    mine.permit([PEER[0]], 200.0, CONFIG)
    assert mine.permits(PEER[0], 499.9)
    assert not mine.permits(PEER[0], 500.0)
    assert not mine.permits("203.0.113.8", 0.0)


def test_a_request_over_the_limit_changes_nothing() -> None:
    mine = allocation()
    mine.permit(["203.0.113.1"], 0.0, CONFIG)
    with pytest.raises(ResourceLimitError):
        mine.permit(["203.0.113.2", "203.0.113.3"], 1.0, CONFIG)
    assert list(mine.permissions) == ["203.0.113.1"]
    mine.permit(["203.0.113.2", "203.0.113.3"], 301.0, CONFIG)
    assert list(mine.permissions) == ["203.0.113.2", "203.0.113.3"]


def test_a_number_is_free_again_when_its_channel_has_ended() -> None:
    mine = allocation()
    mine.bind(0x4000, PEER, 0.0, CONFIG)
    assert mine.is_free(0x4000, PEER, 1.0)
    assert not mine.is_free(0x4000, OTHER, 599.0)
    assert not mine.is_free(0x4001, PEER, 599.0)
    assert mine.is_free(0x4000, OTHER, 600.0)
    assert mine.channels == mine.by_peer == {}


def test_a_channel_brings_its_permission() -> None:
    mine = allocation()
    mine.bind(0x4000, PEER, 0.0, CONFIG)
    assert mine.permits(PEER[0], 1.0)
    mine.bind(0x4001, OTHER, 0.0, CONFIG)
    with pytest.raises(ResourceLimitError):
        mine.bind(0x4002, (PEER[0], 7_002), 1.0, CONFIG)
    mine.bind(0x4002, (PEER[0], 7_002), 601.0, CONFIG)
    assert list(mine.channels) == [0x4002]
