"""Names without a network: nothing is found, and the name is said."""

from __future__ import annotations

import pytest

from zwerm.core.errors import NotFoundError
from zwerm.ipfs.names import NameNotFound, NoNames


async def test_a_node_that_asks_nobody_finds_no_name() -> None:
    with pytest.raises(NameNotFound, match=r"nothing is published under /ipns/example\.org") as caught:
        await NoNames().resolve("example.org")
    assert caught.value.name == "example.org"
    assert isinstance(caught.value, NotFoundError)
