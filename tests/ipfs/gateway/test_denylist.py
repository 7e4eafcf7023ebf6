"""Denylists: 410 and 451."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

import pytest

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.gateway import denylist
from zwerm.ipfs.gateway.denylist import Denylist
from zwerm.multiformats.cid import CID

BAD = CID.of(b"bad")


def test_what_is_listed_is_gone_in_every_spelling() -> None:
    denylist = Denylist([f"/ipfs/{BAD}  # found wanting", "", "# a comment"])
    assert denylist.check(BAD) is HTTPStatus.GONE
    assert denylist.check(CID(1, 0x70, BAD.multihash)) is HTTPStatus.GONE
    assert denylist.check(CID(0, 0x70, BAD.multihash)) is HTTPStatus.GONE
    assert denylist.check(CID.of(b"good")) is None


def test_a_legal_demand_is_451() -> None:
    assert Denylist([f"{BAD} legal"]).check(BAD) is HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS


def test_a_hashed_entry_does_not_spread_what_it_refuses() -> None:
    hashed = hashlib.sha256(f"{BAD}/".encode()).hexdigest()
    assert Denylist([f"//{hashed}"]).check(BAD) is HTTPStatus.GONE


def test_a_line_that_is_no_cid_is_named() -> None:
    with pytest.raises(LocalProtocolError, match="line 2"):
        Denylist([str(BAD), "nonsense"])


def test_a_list_without_entries_refuses_nothing() -> None:
    assert Denylist(["# nothing yet"]).check(BAD) is None


def test_a_list_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denylist, "MAX_ENTRIES", 2)
    lines = [str(CID.of(bytes([number]))) for number in range(3)]
    assert len(Denylist(lines[:2])) == 2
    with pytest.raises(LocalProtocolError, match="more than 2 entries"):
        Denylist(lines)
