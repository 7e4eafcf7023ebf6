"""Our CAR reader and writer beside the JavaScript ones, both ways, whole, cut short and damaged."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ipfs.ipld.values import cids
from tests.peers.lines import LinePeer
from zwerm.core.errors import WireError
from zwerm.ipfs.block import Block
from zwerm.ipfs.car import header
from zwerm.ipfs.car.header import PRAGMA
from zwerm.ipfs.car.reader import CarReader
from zwerm.ipfs.car.writer import section, write
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

pytestmark = [pytest.mark.interop, pytest.mark.slow]

batches = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
codecs = st.sampled_from([multicodec.RAW, multicodec.DAG_PB, multicodec.DAG_CBOR])
blocks_of = st.lists(
    st.builds(Block.create, st.binary(max_size=300), codecs)
    | st.builds(Block.create, st.binary(max_size=300), st.just(multicodec.DAG_PB), version=st.just(0))
    | st.builds(Block.create, st.binary(max_size=300), codecs, st.just(multicodec.SHA2_512)),
    max_size=8,
)


@pytest.fixture(scope="module")
def peer() -> Iterator[LinePeer]:
    with LinePeer.node("ipld.mjs") as peer:
        yield peer


def their_reading(peer: LinePeer, car: bytes) -> tuple[list[str] | None, list[tuple[str, bytes]], str | None]:
    answer = peer.ask({"op": "car-read", "car": b64encode(car).decode()})
    return answer.get("roots"), [(cid, b64decode(data)) for cid, data in answer["blocks"]], answer.get("refused")


def our_reading(car: bytes, *, verify: bool = True) -> tuple[list[str] | None, list[tuple[str, bytes]], str | None]:
    reader = CarReader(verify=verify)
    refused = None
    found: list[Block] = []
    try:
        found += reader.receive_data(car)
        reader.receive_eof()
    except WireError as error:
        refused = str(error)
    roots = None if reader.roots is None else [str(root) for root in reader.roots]
    return roots, [(str(cid), data) for cid, data in found], refused


async def archive(roots: list[CID], blocks: list[Block]) -> bytes:
    async def steps() -> AsyncIterator[tuple[CID, bytes]]:
        for block in blocks:
            yield block

    return b"".join([part async for part in write(roots, steps(), repeats=True)])


@batches
@given(st.lists(cids, max_size=3), blocks_of)
async def test_they_read_what_we_write(peer: LinePeer, roots: list[CID], blocks: list[Block]) -> None:
    car = await archive(roots, blocks)
    expected = [str(root) for root in roots], [(str(cid), data) for cid, data in blocks], None
    assert their_reading(peer, car) == expected
    assert our_reading(car) == expected


@batches
@given(st.lists(cids, max_size=3), blocks_of)
async def test_they_write_the_same_bytes(peer: LinePeer, roots: list[CID], blocks: list[Block]) -> None:
    answer = peer.ask(
        {
            "op": "car-write",
            "roots": [str(root) for root in roots],
            "blocks": [[str(cid), b64encode(data).decode()] for cid, data in blocks],
        }
    )
    assert b64decode(answer["car"]) == await archive(roots, blocks)


async def test_cut_short_at_each_length_both_find_the_same_blocks(peer: LinePeer) -> None:
    blocks = [Block.create(b"acorn" * size) for size in (1, 10, 50)]
    car = await archive([blocks[0].cid], blocks)
    boundaries = {len(car)}
    for block in reversed(blocks):
        boundaries.add(min(boundaries) - sum(map(len, section(*block))))
    for size in range(len(car)):
        _, theirs, they_refuse = their_reading(peer, car[:size])
        _, ours, we_refuse = our_reading(car[:size])
        assert ours == theirs
        assert (we_refuse is None) == (they_refuse is None) == (size in boundaries)


@batches
@given(blocks_of.filter(bool), st.floats(0, 1), st.integers(0, 7))
async def test_a_damaged_archive_gives_no_block_that_they_do_not_find(
    peer: LinePeer, blocks: list[Block], where: float, bit: int
) -> None:
    car = bytearray(await archive([blocks[0].cid], blocks))
    car[int(where * (len(car) - 1))] ^= 1 << bit
    _, theirs, they_refuse = their_reading(peer, bytes(car))
    _, ours, we_refuse = our_reading(bytes(car), verify=False)
    assert ours == theirs[: len(ours)]
    assert we_refuse is not None or they_refuse is None


@pytest.mark.parametrize("padding", [0, 100])
@pytest.mark.parametrize("index", [b"", b"\x81\x08" + b"index"])
async def test_both_read_version_2(peer: LinePeer, padding: int, index: bytes) -> None:
    blocks = [Block.create(b"acorn"), Block.create(b"beech" * 100)]
    payload = await archive([blocks[1].cid], blocks)
    start = len(PRAGMA) + header.V2_SIZE + padding
    sizes = (start, len(payload), start + len(payload) if index else 0)
    fixed = bytes(16) + b"".join(size.to_bytes(8, "little") for size in sizes)
    car = PRAGMA + fixed + bytes(padding) + payload + index
    expected = [str(blocks[1].cid)], [(str(cid), data) for cid, data in blocks], None
    assert their_reading(peer, car) == expected
    assert our_reading(car) == expected
