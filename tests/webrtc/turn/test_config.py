"""What a client may ask for together."""

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.address import IPV6
from zwerm.webrtc.turn.config import AllocationConfig


def test_what_belongs_together_is_taken() -> None:
    assert AllocationConfig(even_port=True, reserve_next=True, family=IPV6).lifetime == 600
    assert AllocationConfig(both_families=True, dont_fragment=True).keep_alive == 15.0
    assert AllocationConfig(reservation_token=bytes(8)).schedule.rc == 7


def test_what_excludes_each_other_is_not() -> None:
    with pytest.raises(LocalProtocolError, match="a reserved port has its family"):
        AllocationConfig(reservation_token=bytes(8), both_families=True)
