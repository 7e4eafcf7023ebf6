"""Reading CARs: whole, in pieces, cut short, damaged, of both versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipfs.car.archives import ACORN, BEECH, BLOCKS, CEDAR, archive, version_2
from zwerm.core.errors import WireError
from zwerm.ipfs.block import MAX_BLOCK, Block
from zwerm.ipfs.car.header import serialize
from zwerm.ipfs.car.reader import MAX_HEADER, BrokenCar, CarReader
from zwerm.ipfs.car.writer import section
from zwerm.multiformats import multicodec, varint
from zwerm.multiformats.cid import CID


def read(car: bytes, piece: int = 1 << 20, reader: CarReader | None = None) -> tuple[list[Block], BrokenCar | None]:
    """Feed an archive in pieces; return what came out, and the error at the end."""
    reader = reader or CarReader()
    found: list[Block] = []
    try:
        for start in range(0, len(car), piece):
            found += reader.receive_data(car[start : start + piece])
        reader.receive_eof()
    except BrokenCar as error:
        return found, error
    return found, None


@pytest.mark.parametrize("car", [archive(), version_2(archive()), version_2(archive(), padding=99, index=b"index")])
@pytest.mark.parametrize("piece", [1, 2, 7, 64, 1_000])
def test_pieces_of_any_size_give_the_same_blocks(car: bytes, piece: int) -> None:
    reader = CarReader()
    assert read(car, piece, reader) == (BLOCKS, None)
    assert reader.roots == (ACORN.cid,)
    assert reader.version == (2 if car[:1] == b"\x0a" else 1)


def test_any_kind_of_buffer_is_taken() -> None:
    reader = CarReader()
    buffer = bytearray(archive())
    found = reader.receive_data(memoryview(buffer)[:60])
    found += reader.receive_data(buffer[60:])
    buffer[:] = bytes(len(buffer))
    reader.receive_eof()
    assert found == BLOCKS


def test_an_archive_without_blocks_is_whole() -> None:
    assert read(archive([])) == ([], None)
    assert read(version_2(archive([]))) == ([], None)


def test_blocks_may_come_twice_and_roots_may_be_missing() -> None:
    car = archive([BEECH, BEECH], roots=[])
    reader = CarReader()
    assert read(car, reader=reader) == ([BEECH, BEECH], None)
    assert reader.roots == ()


def test_every_kind_of_cid_is_read() -> None:
    blocks = [
        Block.create(b"v0", multicodec.DAG_PB, version=0),
        Block.create(b"sha2-512", hash_code=multicodec.SHA2_512),
        Block.create(b"identity", hash_code=multicodec.IDENTITY),
        Block.create(b"blake3", 0x300001, multicodec.BLAKE3),
    ]
    assert read(archive(blocks), 3) == (blocks, None)


@pytest.mark.parametrize("piece", [1, 1_000])
def test_cut_short_at_each_length_what_was_whole_is_kept_and_said(piece: int) -> None:
    car = archive()
    ends = [len(serialize([ACORN.cid]))]
    for block in BLOCKS:
        ends.append(ends[-1] + sum(map(len, section(*block))))
    for size in range(len(car)):
        found, error = read(car[:size], piece)
        whole = sum(end <= size for end in ends[1:])
        assert found == BLOCKS[:whole]
        if size in ends:
            assert error is None
        else:
            assert error is not None
            assert error.blocks == whole == len(found)
            assert error.position == max([0, *(end for end in ends if end <= size)])


def test_a_version_2_archive_cut_short_is_broken_even_between_blocks() -> None:
    car = version_2(archive(), padding=9)
    for size in range(len(car)):
        found, error = read(car[:size])
        assert error is not None
        assert found == BLOCKS[: len(found)]


def test_the_message_says_how_much_is_whole_and_where_it_broke() -> None:
    car = archive()
    _, error = read(car[:-1])
    assert str(error) == (
        f"CAR broken at byte {len(car) - 37}: it ends after 36 bytes of a block that takes at least 37; "
        "2 blocks before that are whole"
    )
    _, error = read(b"")
    assert str(error) == "CAR broken at byte 0: it ends in its header; 0 blocks before that are whole"
    _, error = read(version_2(archive([ACORN]), size=1_000))
    assert (
        str(error) == "CAR broken at byte 152: it ends, its payload goes on to byte 1051; 1 block before that is whole"
    )


def test_a_block_that_is_not_its_cid_breaks_the_archive_after_those_before_it() -> None:
    car = archive([ACORN, Block(BEECH.cid, b"beach"), CEDAR])
    reader = CarReader()
    assert reader.receive_data(car) == [ACORN]
    for _ in range(2):
        with pytest.raises(BrokenCar, match=f"5 bytes that are not {BEECH.cid}"):
            reader.receive_data(b"")
    with pytest.raises(BrokenCar):
        reader.receive_eof()


def test_damage_at_the_very_start_of_a_piece_is_said_at_once() -> None:
    reader = CarReader()
    with pytest.raises(BrokenCar):
        reader.receive_data(b"<!DOCTYPE html><html><head><title>Not found</title></head></html>")


def test_hashing_can_be_left_to_the_caller() -> None:
    lie = Block(BEECH.cid, b"beach")
    assert read(archive([lie]), reader=CarReader(verify=False)) == ([lie], None)


UNKNOWN_HASH = CID(1, multicodec.RAW, varint.serialize(0x1012) + b"\x20" + bytes(32))
SHORT_DIGEST = CID(1, multicodec.RAW, b"\x12\x04" + bytes(4))


@pytest.mark.parametrize("cid", [UNKNOWN_HASH, SHORT_DIGEST], ids=["an unknown function", "a digest of four bytes"])
def test_a_hash_that_proves_nothing_breaks_the_archive(cid: CID) -> None:
    found, error = read(archive([ACORN, Block(cid, b"data")]))
    assert found == [ACORN]
    assert error is not None


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"\x00", id="a section of no bytes"),
        pytest.param(b"\x81\x00", id="a length not in its shortest form"),
        pytest.param(b"\xff\xff\xff\x7f", id="a section of 256 MiB"),
        pytest.param(b"\xff" * 20, id="a length without end"),
        pytest.param(b"\x03\x01\x55\x12", id="a CID longer than its section"),
        pytest.param(b"\x04\x02\x55\x00\x00", id="a CID of version 2"),
        pytest.param(b"\x05" + bytes.fromhex("0155000000"), id="a byte that an identity CID does not have"),
    ],
)
def test_a_damaged_section_breaks_the_archive(damage: bytes) -> None:
    car = archive([ACORN])
    for piece in (1, 1_000):
        found, error = read(car + damage + bytes(100), piece)
        assert found == [ACORN]
        assert error is not None
        assert error.position == len(car)


def test_blocks_and_headers_are_limited() -> None:
    largest = Block.create(bytes(MAX_BLOCK))
    assert read(archive([largest])) == ([largest], None)
    _, error = read(archive([Block(CID.of(bytes(MAX_BLOCK + 1)), bytes(MAX_BLOCK + 1))]))
    assert f"the limit is {MAX_BLOCK}" in str(error)
    _, error = read(archive(), reader=CarReader(max_block=200))
    assert "the limit is 200" in str(error)
    _, error = read(varint.serialize(MAX_HEADER + 1) + bytes(20))
    assert error is not None
    _, error = read(archive(), reader=CarReader(max_header=20))
    assert error is not None


def test_what_is_announced_is_not_waited_for_in_vain() -> None:
    reader = CarReader()
    reader.receive_data(archive([]))
    with pytest.raises(BrokenCar):
        reader.receive_data(b"\xff\xff\xff\xff")


@pytest.mark.parametrize("size", [0, 1, 50, 100, 150])
def test_a_version_2_payload_ends_where_its_header_says(size: int) -> None:
    payload = archive([ACORN])
    found, error = read(version_2(payload, size=min(size, len(payload) - 1)))
    assert found == []
    assert error is not None


def test_what_follows_a_version_2_payload_is_not_read() -> None:
    car = version_2(archive([ACORN]), index=b"\x81\x08" + bytes(100))
    reader = CarReader()
    assert reader.receive_data(car) == [ACORN]
    assert reader.receive_data(b"anything") == []
    reader.receive_eof()


def test_a_version_2_archive_inside_another_is_refused() -> None:
    _, error = read(version_2(version_2(archive())))
    assert error is not None


@given(st.binary(max_size=300), st.integers(1, 400))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes, piece: int) -> None:
    read(data, piece)
    read(archive([ACORN]) + data, piece)
    read(version_2(data), piece)


@given(st.integers(0, len(archive()) - 1), st.integers(1, 255), st.integers(1, 400))
def test_one_wrong_byte_never_gives_a_wrong_block(position: int, flip: int, piece: int) -> None:
    car = bytearray(archive())
    car[position] ^= flip
    try:
        found, _ = read(bytes(car), piece)
    except WireError:
        return
    assert all(block.cid.multihash == CID.of(block.data).multihash for block in found if block.cid.hash_code)
