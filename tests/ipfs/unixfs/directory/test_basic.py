"""The plain form, and what it would be estimated at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.unixfs.data import Mtime
from zwerm.ipfs.unixfs.directory.basic import base_size, link_size, serialize_directory
from zwerm.ipfs.unixfs.node import Node
from zwerm.ipfs.unixfs.profile import PROFILES
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

CIDS = st.sampled_from(
    [CID.of(b"x"), CID.of(b"x", multicodec.DAG_PB, version=0), CID.of(b"x", hash_code=multicodec.IDENTITY)]
)
LINKS = st.dictionaries(
    st.binary(min_size=1, max_size=300), st.tuples(CIDS.map(bytes), st.integers(0, 2**60)), max_size=5
)


@given(
    LINKS, st.none() | st.integers(0, 0o7777), st.none() | st.builds(Mtime, st.integers(-9, 2**40), st.integers(0, 9))
)
def test_the_estimate_by_block_is_the_size_of_the_block(
    links: dict[bytes, tuple[bytes, int]], mode: int | None, mtime: Mtime | None
) -> None:
    profile = PROFILES["unixfs-v1-2025"]
    parts = [(name, *target) for name, target in links.items()]
    block, total = serialize_directory(profile, parts, mode, mtime)
    assert len(block.data) == base_size(profile, mode, mtime) + sum(link_size(profile, *part) for part in parts)
    assert total == len(block.data) + sum(size for _, size in links.values())


@given(LINKS)
def test_the_estimate_by_links_is_the_bytes_of_names_and_cids(links: dict[bytes, tuple[bytes, int]]) -> None:
    profile = PROFILES["default"]
    estimate = base_size(profile, 0o700, Mtime(1)) + sum(
        link_size(profile, name, *target) for name, target in links.items()
    )
    assert estimate == sum(len(name) + len(cid) for name, (cid, _) in links.items())


@given(LINKS)
def test_links_are_sorted_by_the_bytes_of_their_names(links: dict[bytes, tuple[bytes, int]]) -> None:
    block, _ = serialize_directory(PROFILES["default"], [(name, *target) for name, target in links.items()], None, None)
    node = Node.parse(block.cid, block.data)
    assert [(link.name or "").encode("utf-8", "surrogateescape") for link in node.links] == sorted(links)
