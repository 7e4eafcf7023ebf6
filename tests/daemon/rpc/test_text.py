"""Peer IDs and times as Kubo writes them."""

from __future__ import annotations

import pytest

from zwerm.daemon.rpc.errors import UsageError
from zwerm.daemon.rpc.text import NO_TIME, peer_text, time_text
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.unixfs.data import Mtime

PEER = PeerId.from_text("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")


def test_peer_ids_in_any_base() -> None:
    assert peer_text(PEER, "b58mh") == str(PEER)
    assert peer_text(PEER, "k") == peer_text(PEER, "base36") == PEER.to_cid().encode("base36")
    assert peer_text(PEER, "b").startswith("bafz")
    with pytest.raises(UsageError, match="base 'x' of peer IDs"):
        peer_text(PEER, "x")


def test_times_are_rfc_3339() -> None:
    assert time_text(None) == NO_TIME
    assert time_text(Mtime(0)) == "1970-01-01T00:00:00Z"
    assert time_text(Mtime(1_700_000_000, 500_000_000)) == "2023-11-14T22:13:20.5Z"
    assert time_text(Mtime(-1)) == "1969-12-31T23:59:59Z"


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    for seconds in (2**40, 2**60, 2**63 - 1, -(2**60)):
        assert time_text(Mtime(seconds)) == NO_TIME
