"""The store in memory does what every blockstore does, and keeps to its limit."""

from __future__ import annotations

import pytest

from tests.conformance.check_blockstore import CHECKS, Check, block, name_of
from zwerm.core.errors import ResourceLimitError
from zwerm.ipfs.blockstore import MemoryBlockstore


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_conformance(check: Check) -> None:
    check(MemoryBlockstore())


def test_the_limit_refuses_the_block_that_does_not_fit_and_keeps_the_others() -> None:
    store = MemoryBlockstore(max_size=250)
    with pytest.raises(ResourceLimitError, match="200 of 250 bytes are used and a block of 100 does not fit"):
        store.put([block(1), block(2), block(1), block(3)])
    assert store.has(block(2).cid)
    assert not store.has(block(3).cid)
    store.delete([block(1).cid])
    store.put([block(3)])
