"""What the next record has to say so that it takes the place of the last."""

from __future__ import annotations

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, PATH, signed
from zwerm.core.errors import LocalProtocolError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.publishing import Plan, needs_renewal, plan
from zwerm.ipfs.ipns.record import MAX_SEQUENCE
from zwerm.ipfs.ipns.store import OwnRecord

KEY = PrivateKey.generate()
LAST = signed(KEY, sequence=4, life=48 * HOUR)


def test_the_first_record_has_sequence_0() -> None:
    assert plan(None, PATH, HOUR, NOW) == Plan(0, NOW + HOUR)
    assert plan(None, PATH, HOUR, NOW, sequence=7) == Plan(7, NOW + HOUR)


def test_a_new_path_gets_the_next_sequence() -> None:
    assert plan(LAST, OTHER_PATH, 48 * HOUR, NOW + 1).sequence == 5


def test_prolonging_a_life_keeps_the_sequence() -> None:
    assert plan(LAST, PATH, 48 * HOUR, NOW + 1) == Plan(4, NOW + 1 + 48 * HOUR)


def test_a_shorter_life_needs_a_new_sequence_for_anybody_to_take_it() -> None:
    assert plan(LAST, PATH, HOUR, NOW) == Plan(5, NOW + HOUR)


def test_a_sequence_that_was_asked_for_must_be_above_the_last() -> None:
    assert plan(LAST, PATH, HOUR, NOW, sequence=5).sequence == 5
    with pytest.raises(LocalProtocolError, match="more than 4"):
        plan(LAST, PATH, HOUR, NOW, sequence=4)


def test_after_the_last_sequence_there_is_none() -> None:
    last = signed(KEY, sequence=MAX_SEQUENCE)
    assert plan(last, PATH, 72 * HOUR, NOW).sequence == MAX_SEQUENCE
    with pytest.raises(LocalProtocolError, match="last there is"):
        plan(last, OTHER_PATH, 72 * HOUR, NOW)


def test_a_record_is_renewed_when_half_of_its_life_is_over() -> None:
    own = OwnRecord(PeerId.of(KEY.public), LAST, 48 * HOUR, NOW)
    assert not needs_renewal(own, NOW + 24 * HOUR - 1)
    assert needs_renewal(own, NOW + 24 * HOUR)
