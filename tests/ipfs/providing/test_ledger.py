"""The ledger: a set in the order of the key space, a million in little memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError
from zwerm.core.random import seeded
from zwerm.ipfs.providing.ledger import KeyLedger
from zwerm.libp2p.kad.key import KEY_LIMIT, key_of

MULTIHASHES = st.binary(min_size=1, max_size=6)


@given(st.lists(st.tuples(st.booleans(), MULTIHASHES)))
def test_it_is_a_set(steps: list[tuple[bool, bytes]]) -> None:
    ledger, model = KeyLedger(), set()
    for adds, multihash in steps:
        if adds:
            assert ledger.add(multihash) == (multihash not in model)
            model.add(multihash)
        else:
            assert ledger.remove(multihash) == (multihash in model)
            model.discard(multihash)
        assert (multihash in ledger) == (multihash in model)
        assert len(ledger) == len(model)
    assert {multihash for _, multihash in ledger.between(0, KEY_LIMIT)} == model


@given(st.sets(MULTIHASHES), st.integers(0, KEY_LIMIT - 1), st.integers(0, KEY_LIMIT))
def test_a_stretch_comes_in_the_order_of_its_keys(multihashes: set[bytes], start: int, end: int) -> None:
    ledger = KeyLedger()
    for multihash in multihashes:
        ledger.add(multihash)
    expected = sorted((key_of(multihash), multihash) for multihash in multihashes)
    assert ledger.between(start, end) == [entry for entry in expected if start <= entry[0] < end]
    assert ledger.first_from(start) == next((entry for entry in expected if entry[0] >= start), None)


@pytest.mark.parametrize("size", [0, 256])
def test_what_is_no_multihash_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        KeyLedger().add(bytes(size))


@pytest.mark.slow
@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.full)])
def test_a_million_would_take_less_than_60_mb(count: int) -> None:
    random = seeded("ledger")
    ledger = KeyLedger()
    tracemalloc.start()
    try:
        for _ in range(count):
            ledger.add(b"\x12\x20" + random.randbytes(32))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(ledger) == count
    assert size < count * 60
