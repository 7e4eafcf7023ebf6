"""Never an older for a newer, never past its end of life: the `ipns` namespace of a router."""

from __future__ import annotations

import itertools

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, PATH, signed
from zwerm.core.errors import RemoteProtocolError
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns import validator
from zwerm.ipfs.ipns.name import routing_key
from zwerm.ipfs.ipns.record import Record, RecordExpired
from zwerm.ipfs.ipns.validator import IpnsValidator

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)
OLD = signed(KEY, sequence=1)
NEW = signed(KEY, OTHER_PATH, sequence=2, life=HOUR)
RENEWED = signed(KEY, sequence=1, life=72 * HOUR)
FORGED = signed(PrivateKey.generate(), sequence=9)
ENDED = signed(KEY, sequence=9, life=-1)


def judge() -> IpnsValidator:
    return IpnsValidator(lambda: NOW)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (NEW, None),
        (signed(KEY, sequence=validator.SEQUENCE - 1, life=validator.LIFE), None),
        (signed(KEY, life=validator.LIFE + 1), "an IPNS record that ends at "),
        (signed(KEY, sequence=validator.SEQUENCE), "an IPNS record with sequence 9223372036854775808, "),
    ],
    ids=["as usual", "just in reach", "for too long", "too far"],
)
def test_what_is_from_the_future_is_valid_and_told(record: Record, reason: str | None) -> None:
    judge().validate(routing_key(NAME), record.encoded)
    told = judge().doubt(routing_key(NAME), record.encoded)
    assert told is None if reason is None else (told or "").startswith(reason)


def test_a_record_of_the_name_is_valid() -> None:
    judge().validate(routing_key(NAME), OLD.encoded)
    assert validator.check(NAME, OLD.encoded, NOW) == OLD


@pytest.mark.parametrize(
    "record", [FORGED.encoded, ENDED.encoded, b"", b"junk"], ids=["forged", "ended", "none", "junk"]
)
def test_what_is_not_the_holders_word_now_is_refused(record: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        judge().validate(routing_key(NAME), record)


def test_a_key_of_another_namespace_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        judge().validate(b"/pk/" + NAME.multihash, OLD.encoded)


def test_the_same_record_wins_in_whatever_order_they_come() -> None:
    for records in itertools.permutations([OLD.encoded, FORGED.encoded, NEW.encoded, ENDED.encoded, RENEWED.encoded]):
        assert records[judge().select(routing_key(NAME), records)] == NEW.encoded


def test_of_one_sequence_the_longer_life_wins() -> None:
    assert judge().select(routing_key(NAME), [RENEWED.encoded, OLD.encoded]) == 0
    assert validator.newest([OLD, RENEWED]) is RENEWED
    assert validator.newest([]) is None


def test_of_equal_numbers_all_choose_alike() -> None:
    records = [signed(KEY, path, sequence=1).encoded for path in (PATH, OTHER_PATH)]
    first = records[judge().select(routing_key(NAME), records)]
    assert records[::-1][judge().select(routing_key(NAME), records[::-1])] == first


def test_of_none_that_is_valid_none_is_chosen() -> None:
    with pytest.raises(RecordExpired):
        judge().select(routing_key(NAME), [FORGED.encoded, ENDED.encoded])
    with pytest.raises(RemoteProtocolError):
        judge().select(routing_key(NAME), [])
