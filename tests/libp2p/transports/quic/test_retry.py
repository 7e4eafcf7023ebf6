"""Tokens of Retry: good for one address, one connection ID and some seconds (RFC 9000 section 8.1.4)."""

from __future__ import annotations

import pytest

from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.libp2p.transports.quic.retry import RetryTokens

CLIENT = ("192.0.2.1", 4_000)
FIRST, SECOND = b"original", b"new one!"


def test_a_token_brings_back_the_first_connection_id() -> None:
    tokens = RetryTokens(seeded("retry"))
    token = tokens.make(CLIENT, FIRST, SECOND, 10.0)
    assert tokens.check_untrusted(token, CLIENT, SECOND, 10.0).original_destination == FIRST


@pytest.mark.parametrize(
    ("address", "destination", "now"),
    [
        (("192.0.2.2", 4_000), SECOND, 1.0),
        (("192.0.2.1", 4_001), SECOND, 1.0),
        (CLIENT, FIRST, 1.0),
        (CLIENT, SECOND, 11.0),
    ],
    ids=["another host", "another port", "another connection ID", "too late"],
)
def test_a_token_is_good_for_nothing_else(address: tuple[str, int], destination: bytes, now: float) -> None:
    tokens = RetryTokens(seeded("retry"))
    token = tokens.make(CLIENT, FIRST, SECOND, 10.0)
    with pytest.raises(WireError, match="token"):
        tokens.check_untrusted(token, address, destination, now)


def test_a_token_that_was_changed_cut_or_made_elsewhere_is_refused() -> None:
    tokens = RetryTokens(seeded("retry"))
    token = tokens.make(CLIENT, FIRST, SECOND, 10.0)
    others = [token[:position] + bytes([token[position] ^ 1]) + token[position + 1 :] for position in range(len(token))]
    others += [token[:size] for size in range(len(token))]
    others += [token + b"x", token + bytes(30), RetryTokens(seeded("other")).make(CLIENT, FIRST, SECOND, 10.0)]
    for other in others:
        with pytest.raises(WireError, match="token"):
            tokens.check_untrusted(other, CLIENT, SECOND, 1.0)
