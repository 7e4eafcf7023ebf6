"""Keys: the vectors of the specification, prefixes, and names that are drawn for a bucket."""

import pytest

from zwerm.core.random import seeded
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.key import common_prefix_length, key_of, random_preimage
from zwerm.multiformats.cid import CID


def test_a_peer_belongs_where_the_specification_says() -> None:
    peer = PeerId.from_text("12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS")
    assert f"{key_of(peer.multihash):064x}" == "e43d28f0996557c0d5571d75c62a57a59d7ac1d30a51ecedcdb9d5e4afa56100"


def test_content_belongs_where_the_specification_says() -> None:
    cid = CID.from_text("bafybeihfg3d7rdltd43u3tfvncx7n5loqofbsobojcadtmokrljfthuc7y")
    assert f"{key_of(cid.multihash):064x}" == "d623250f3f660ab4c3a53d3c97b3f6a0194c548053488d093520206248253bcb"


@pytest.mark.parametrize(
    ("one", "other", "shared"), [(0, 0, 256), (0, 1, 255), (0, 1 << 255, 0), (5 << 253, 7 << 253, 1)]
)
def test_shared_bits_are_counted_from_the_front(one: int, other: int, shared: int) -> None:
    assert common_prefix_length(one, other) == shared


@pytest.mark.parametrize("shared", [0, 1, 5, 9])
def test_a_drawn_name_falls_into_its_bucket(shared: int) -> None:
    local = key_of(b"local")
    assert common_prefix_length(key_of(random_preimage(local, shared, seeded(1))), local) == shared
