"""Records: valid ones only, none for a newer one, within limits."""

import dataclasses

import pytest

from tests.libp2p.kad.test_provider_store import ALICE, BOB, HOUR
from tests.libp2p.kad.validators import VALIDATORS
from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.libp2p.kad.config import WAN
from zwerm.libp2p.kad.record_store import OlderRecord, RecordStore
from zwerm.libp2p.kad.validator import Namespaces


def store(**limits: float) -> RecordStore:
    return RecordStore(dataclasses.replace(WAN, **limits), Namespaces(VALIDATORS))


def test_the_newer_takes_the_place_of_the_older_and_not_the_other_way() -> None:
    records = store()
    records.put(b"/n/a", b"1", ALICE, 0.0)
    records.put(b"/n/a", b"3", BOB, 0.0)
    with pytest.raises(OlderRecord):
        records.put(b"/n/a", b"2", ALICE, 0.0)
    assert records.find(b"/n/a", 0.0) == b"3"
    assert len(records) == 1


@pytest.mark.parametrize(("key", "value"), [(b"/n/a", b"x"), (b"/other/a", b"1"), (b"bare", b"1"), (b"", b"1")])
def test_what_is_not_valid_or_of_no_namespace_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(WireError):
        store().put(key, value, ALICE, 0.0)


def test_a_record_holds_48_hours_after_it_was_put_last() -> None:
    records = store()
    records.put(b"/n/a", b"1", ALICE, 0.0)
    records.put(b"/n/a", b"1", ALICE, 40 * HOUR)
    assert records.find(b"/n/a", 50 * HOUR) == b"1"
    assert records.find(b"/n/a", 88 * HOUR) is None
    records.put(b"/n/b", b"1", ALICE, 90 * HOUR)
    assert len(records) == 1


def test_an_expired_record_makes_way_for_any() -> None:
    records = store()
    records.put(b"/n/a", b"9", ALICE, 0.0)
    records.put(b"/n/a", b"1", BOB, 48 * HOUR)
    assert records.find(b"/n/a", 48 * HOUR) == b"1"


def test_one_record_has_a_limit() -> None:
    with pytest.raises(WireError, match="10241 bytes, expected at most 10240"):
        store().put(b"/n/a", b"1" * 10_241, ALICE, 0.0)


def test_one_peer_has_a_limit_and_others_have_room() -> None:
    records = store(max_records_per_peer=2)
    records.put(b"/n/a", b"1", ALICE, 0.0)
    records.put(b"/n/b", b"1", ALICE, 0.0)
    with pytest.raises(ResourceLimitError, match="3 records of one peer, the limit is 2"):
        records.put(b"/n/c", b"1", ALICE, 0.0)
    records.put(b"/n/b", b"2", ALICE, 0.0)
    records.put(b"/n/c", b"1", BOB, 0.0)


def test_all_records_have_a_limit_in_bytes() -> None:
    records = store(max_record_bytes=12)
    records.put(b"/n/a", b"11", ALICE, 0.0)
    records.put(b"/n/b", b"22", ALICE, 0.0)
    with pytest.raises(ResourceLimitError, match="bytes of records, the limit is 12"):
        records.put(b"/n/a", b"333", ALICE, 0.0)
    assert records.find(b"/n/a", 0.0) == b"11"
