"""The records a node keeps: the newest of each name, durable, and bounded for names that are not its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ipfs.ipns.vectors import HOUR, NOW, OTHER_PATH, PATH, signed
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.database import Database
from zwerm.ipfs.ipns import store as module
from zwerm.ipfs.ipns.record import MAX_SEQUENCE
from zwerm.ipfs.ipns.store import RecordStore

KEY = PrivateKey.generate()
NAME = PeerId.of(KEY.public)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "index.sqlite")
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> RecordStore:
    return RecordStore(database)


def test_an_older_record_never_takes_the_place_of_a_newer(store: RecordStore, database: Database) -> None:
    old, new = signed(KEY, sequence=1), signed(KEY, OTHER_PATH, sequence=2)
    assert store.keep(NAME, new, NOW) == new
    assert store.keep(NAME, old, NOW) == new
    assert RecordStore(database).keep(NAME, old, NOW) == new
    assert store.find(NAME) == new


def test_a_sequence_of_64_bits_is_kept(store: RecordStore) -> None:
    store.publish(NAME, signed(KEY, sequence=MAX_SEQUENCE), HOUR, NOW)
    assert store.history(NAME)[0].sequence == MAX_SEQUENCE


def test_an_unknown_name_has_nothing(store: RecordStore) -> None:
    assert store.find(NAME) is None
    assert store.own(NAME) is None
    assert store.all_own() == []
    assert store.history(NAME) == []
    assert not store.forget(NAME)


def test_what_is_published_survives_a_restart(store: RecordStore, database: Database) -> None:
    record = signed(KEY)
    store.publish(NAME, record, 48 * HOUR, NOW)
    [own] = RecordStore(database).all_own()
    assert own == store.own(NAME)
    assert (own.name, own.record, own.lifetime, own.signed) == (NAME, record, 48 * HOUR, NOW)


def test_the_history_has_a_line_for_each_new_path_and_none_for_a_renewal(store: RecordStore) -> None:
    for step, (path, sequence) in enumerate([(PATH, 0), (PATH, 0), (OTHER_PATH, 1), (PATH, 2)]):
        store.publish(NAME, signed(KEY, path, sequence=sequence, life=48 * HOUR + step), HOUR, NOW + step)
    assert [(line.path, line.sequence, line.published - NOW) for line in store.history(NAME)] == [
        (PATH, 2, 3),
        (OTHER_PATH, 1, 2),
        (PATH, 0, 0),
    ]
    assert len(store.history(NAME, limit=1)) == 1


def test_the_history_is_bounded(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HISTORY", 3)
    for sequence in range(6):
        store.publish(NAME, signed(KEY, PATH + str(sequence), sequence=sequence), HOUR, NOW)
    assert [line.sequence for line in store.history(NAME)] == [5, 4, 3]


def test_records_of_others_are_bounded_and_ours_stay(store: RecordStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_OTHERS", 3)
    store.publish(NAME, signed(KEY), HOUR, NOW)
    others = [PrivateKey.generate() for _ in range(5)]
    names = [PeerId.of(key.public) for key in others]
    for second, key in enumerate(others):
        store.keep(names[second], signed(key), NOW + second)
        store.keep(names[0], signed(others[0]), NOW + second)  # asked for again and again
    assert [store.find(name) is not None for name in names] == [True, False, False, True, True]
    assert store.find(NAME) is not None


def test_a_newer_record_from_elsewhere_of_our_own_name_stays_ours(store: RecordStore) -> None:
    store.publish(NAME, signed(KEY), HOUR, NOW)
    newer = signed(KEY, OTHER_PATH, sequence=8)
    store.keep(NAME, newer, NOW)
    own = store.own(NAME)
    assert own is not None
    assert own.record == newer


def test_a_forgotten_name_keeps_its_sequence(store: RecordStore) -> None:
    store.publish(NAME, signed(KEY, sequence=5), HOUR, NOW)
    assert store.forget(NAME)
    assert store.own(NAME) is None
    assert store.history(NAME) == []
    held = store.find(NAME)
    assert held is not None
    assert held.sequence == 5
