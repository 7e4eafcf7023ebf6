"""The UnixFS message: one form for one value, nothing but WireError for bytes that are none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.ipfs.unixfs.data import DataType, Mtime, UnixFSData

UINT64 = st.integers(0, 2**64 - 1)
MTIMES = st.builds(Mtime, st.integers(-(2**63), 2**63 - 1), st.integers(0, 999_999_999))
MESSAGES = st.builds(
    UnixFSData,
    type=st.sampled_from(DataType),
    data=st.none() | st.binary(max_size=50),
    filesize=st.none() | UINT64,
    blocksizes=st.lists(UINT64, max_size=5).map(tuple),
    hash_type=st.none() | UINT64,
    fanout=st.none() | UINT64,
    mode=st.none() | st.integers(0, 2**32 - 1),
    mtime=st.none() | MTIMES,
)


@given(MESSAGES)
def test_what_is_written_reads_back(message: UnixFSData) -> None:
    assert UnixFSData.parse(message.serialize()) == message


@given(st.binary(max_size=60))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        message = UnixFSData.parse(data)
    except WireError:
        return
    assert UnixFSData.parse(message.serialize()) == message


@given(MESSAGES, st.data())
def test_cut_short_it_is_refused_or_another_message(message: UnixFSData, choice: st.DataObject) -> None:
    wire = message.serialize()
    cut = wire[: choice.draw(st.integers(0, len(wire) - 1))]
    with contextlib.suppress(WireError):
        assert UnixFSData.parse(cut) != message


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (UnixFSData(DataType.DIRECTORY), "0801"),
        (UnixFSData(DataType.FILE, filesize=0), "0802 1800"),
        (UnixFSData(DataType.FILE, b"hi", 2), "0802 1202 6869 1802"),
        (UnixFSData(DataType.FILE, filesize=300, blocksizes=(256, 44)), "0802 18ac02 208002 202c"),
        (UnixFSData(DataType.SYMLINK, b"../a"), "0804 1204 2e2e2f61"),
        (UnixFSData(DataType.HAMT_SHARD, b"\x01", hash_type=0x22, fanout=256), "0805 120101 2822 308002"),
        (UnixFSData(DataType.FILE, mode=0o755, mtime=Mtime(5)), "0802 38ed03 4202 0805"),
        (UnixFSData(DataType.FILE, mtime=Mtime(-1, 7)), "0802 4210 08ffffffffffffffffff01 1507000000"),
    ],
    ids=["directory", "empty file", "leaf", "node", "symlink", "shard", "mode and time", "before 1970"],
)
def test_vectors(message: UnixFSData, wire: str) -> None:
    """Field by field as `ipfs-unixfs` 11 writes them."""
    assert message.serialize() == bytes.fromhex(wire)
    assert UnixFSData.parse(bytes.fromhex(wire)) == message


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        ("0802 2203 010203", UnixFSData(DataType.FILE, blocksizes=(1, 2, 3))),
        ("2001 0802 2202 0203", UnixFSData(DataType.FILE, blocksizes=(1, 2, 3))),
        ("0801 0802", UnixFSData(DataType.FILE)),
        ("0802 7a03 616263 790000000000000000 7d00000000 7801", UnixFSData(DataType.FILE)),
        ("8800 02", UnixFSData(DataType.FILE)),
        ("0802 4204 0805 1a00", UnixFSData(DataType.FILE, mtime=Mtime(5))),
    ],
    ids=["packed", "packed and not", "the last counts", "unknown fields", "a long key", "unknown in the time"],
)
def test_what_other_writers_do_is_read(wire: str, message: UnixFSData) -> None:
    assert UnixFSData.parse(bytes.fromhex(wire)) == message


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ("", "type missing"),
        ("1800", "type missing"),
        ("0806", "type 6"),
        ("08ffffffffffffffffff01", "type 18446744073709551615"),
        ("08", "cut short"),
        ("0802 18", "cut short"),
        ("0802 1205 6869", "5 bytes, 2 are left"),
        ("0802 18 ffffffffffffffffffff01", "longer than ten"),
        ("0802 2202 0180", "cut short"),
        ("0802 0b", "wire type 3"),
        ("0802 7900", "cut short"),
        ("0802 7d00", "cut short"),
        ("0802 4200", "without seconds"),
        ("0802 4207 0805 15ffff ffff", "nanoseconds"),
        ("0802 4205 0805 15ff00", "mtime cut short"),
    ],
)
def test_malformed_messages_are_refused(wire: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        UnixFSData.parse(bytes.fromhex(wire))


def test_metadata_that_is_the_default_is_left_out() -> None:
    assert UnixFSData(DataType.FILE).with_metadata(0o644, None) == UnixFSData(DataType.FILE)
    assert UnixFSData(DataType.DIRECTORY).with_metadata(0o755, None) == UnixFSData(DataType.DIRECTORY)
    assert UnixFSData(DataType.HAMT_SHARD).with_metadata(0o755, None).mode is None
    assert UnixFSData(DataType.FILE).with_metadata(0o755, Mtime(1)).permissions == 0o755


def test_bits_of_the_mode_that_nobody_knows_survive_a_change() -> None:
    changed = UnixFSData(DataType.FILE, mode=0x12345 << 12 | 0o600).with_metadata(0o644, None)
    assert changed.mode == 0x12345 << 12 | 0o644
    assert changed.permissions == 0o644


@given(st.integers(-(2**62), 2**62))
def test_times_go_to_nanoseconds_and_back(nanoseconds: int) -> None:
    mtime = Mtime.from_nanoseconds(nanoseconds)
    assert mtime.to_nanoseconds() == nanoseconds
    assert 0 <= mtime.nanoseconds < 10**9
