"""Profiles: what decides a CID, and which settings contradict each other."""

from __future__ import annotations

import dataclasses

import pytest

from zwerm.core.errors import LocalProtocolError, ResourceLimitError
from zwerm.ipfs.unixfs.profile import DEFAULT, PROFILES, Layout, Profile, SizeEstimate
from zwerm.multiformats import multicodec


def test_the_named_profiles_are_those_of_ipip_499() -> None:
    old, new = PROFILES["unixfs-v0-2015"], PROFILES["unixfs-v1-2025"]
    assert (old.cid_version, old.raw_leaves, old.chunker, old.max_links) == (0, False, "size-262144", 174)
    assert (new.cid_version, new.raw_leaves, new.chunker, new.max_links) == (1, True, "size-1048576", 1024)
    assert (old.hamt_estimate, new.hamt_estimate) == (SizeEstimate.LINKS, SizeEstimate.BLOCK)
    for profile in PROFILES.values():
        assert (profile.layout, profile.hamt_threshold, profile.hamt_fanout) == (Layout.BALANCED, 262_144, 256)
        assert profile.hash_code == multicodec.SHA2_256


def test_the_default_is_that_of_kubo_with_cid_version_1() -> None:
    assert dataclasses.replace(PROFILES["unixfs-v0-2015"], cid_version=1, raw_leaves=True) == DEFAULT


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"cid_version": 2}, "CID version 2, expected 0 or 1"),
        ({"cid_version": 0, "hash_code": multicodec.BLAKE3}, "CIDv0 knows sha2-256 only"),
        ({"max_links": 1}, "1 links a node, expected at least 2"),
        ({"inline_limit": 129}, "inline limit 129, expected 0 to 128"),
        ({"inline_limit": -1}, "inline limit -1"),
        ({"hamt_fanout": 4}, "fanout 4, expected a power of two from 8 to 1024"),
        ({"hamt_fanout": 100}, "fanout 100"),
        ({"hamt_fanout": 2048}, "fanout 2048"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, int], reason: str) -> None:
    with pytest.raises(LocalProtocolError, match=reason):
        Profile(**settings)  # type: ignore[arg-type]


def test_raw_blocks_have_version_1_in_any_case() -> None:
    profile = PROFILES["unixfs-v0-2015"]
    assert profile.block(b"x").cid.version == 0
    assert profile.block(b"x", multicodec.RAW).cid.version == 1


def test_only_small_blocks_are_inlined() -> None:
    profile = Profile(inline_limit=3)
    assert str(profile.block(b"abc", multicodec.RAW).cid) == "bafkqaa3bmjrq"
    assert profile.block(b"abcd", multicodec.RAW).cid.hash_code == multicodec.SHA2_256
    assert Profile().block(b"", multicodec.RAW).cid.hash_code == multicodec.SHA2_256


def test_a_block_above_the_limit_is_refused() -> None:
    with pytest.raises(ResourceLimitError):
        Profile().block(bytes(2 * 1024 * 1024 + 1))
