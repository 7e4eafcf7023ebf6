"""A resolved request: its parameters, and the headers that every answer about it carries."""

from __future__ import annotations

import dataclasses

import pytest

from zwerm.ipfs.gateway.message import GatewayRequest
from zwerm.ipfs.gateway.target import Target
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.names import ResolvedName
from zwerm.multiformats.cid import CID

ROOT, LEAF = CID.of(b"root"), CID.of(b"leaf")


def target(*segments: str, **changes) -> Target:
    path = ContentPath.of(ROOT).child(*segments)
    request = GatewayRequest("GET", f"/ipfs/{ROOT}")
    found = Target(request, {}, path, path, LEAF, (ROOT, LEAF), None, isolated=False, slash=False)
    return dataclasses.replace(found, **changes)


def test_the_last_of_several_values_counts() -> None:
    asked = target(query={"format": ["raw", "car"], "empty": [""]})
    assert asked.parameter("format") == "car"
    assert asked.parameter("empty") == ""
    assert asked.parameter("none") is None


def test_what_was_asked_and_every_root_on_the_way_are_named() -> None:
    headers = target("a", "b").headers()
    assert headers["X-Ipfs-Path"] == f"/ipfs/{ROOT}/a/b"
    assert headers["X-Ipfs-Roots"] == f"{ROOT},{LEAF}"
    assert headers["Cache-Control"] == "public, max-age=29030400, immutable"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("\udcff\n", "\\udcff\\n"), ("\r\nSet-Cookie: a", "\\r\\nSet-Cookie: a"), ("\0", "\\x00"), ("é€", "\\xe9\\u20ac")],
    ids=["a byte that is no text", "a header in a name", "a null byte", "other letters"],
)
def test_a_name_of_any_bytes_is_one_line_of_ascii(name: str, shown: str) -> None:
    assert target(name).headers()["X-Ipfs-Path"] == f"/ipfs/{ROOT}/{shown}"


@pytest.mark.parametrize(("seconds", "expected"), [(60.0, "public, max-age=60"), (None, None)])
def test_what_a_name_stands_for_may_change(seconds: float | None, expected: str | None) -> None:
    named = ResolvedName(ContentPath.of(ROOT), time_to_live=seconds)
    assert target(named=named).headers().get("Cache-Control") == expected
