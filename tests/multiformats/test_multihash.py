"""multiformats/multihash: the vectors of its repository, the functions' own vectors, and the limits."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import multicodec, multihash, varint
from zwerm.multiformats.multihash import FUNCTIONS, MAX_IDENTITY, MIN_DIGEST, UnknownHash, digest, parse_prefix, verify

with (Path(__file__).parents[1] / "vectors" / "multihash.csv").open() as file:
    VECTORS = [
        (row["algorithm"], int(row["bits"]), row["input"].encode(), row["multihash"]) for row in csv.DictReader(file)
    ]

BLAKE2B_OF_ABC = (
    "c0e40240ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
)
# RFC 7693 appendix A; FIPS 202 examples; BLAKE3's test_vectors.json; RFC 7693 for 32 bytes
OWN_VECTORS = [
    ("blake2b-512", b"abc", BLAKE2B_OF_ABC),
    ("blake2b-256", b"", "a0e402200e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
    ("sha3-256", b"", "1620a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
    ("sha3-224", b"", "171c6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"),
    ("blake3", b"", "1e20af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
    ("sha1", b"abc", "1114a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("identity", b"abc", "0003616263"),
    ("identity", b"", "0000"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "bits", "data", "expected"), VECTORS)
def test_vectors_of_the_specification(name: str, bits: int, data: bytes, expected: str) -> None:
    wanted = bytes.fromhex(expected)
    whole = digest(data, FUNCTIONS["sha3-512" if name == "sha3" else name])
    assert whole[2 : 2 + bits // 8] == wanted[2:]
    if bits // 8 < MIN_DIGEST:
        with pytest.raises(WireError, match="truncated"):
            verify(wanted, data)
        return
    assert verify(wanted, data)
    assert not verify(wanted, data + b"\0")


@pytest.mark.parametrize(("name", "data", "expected"), OWN_VECTORS)
def test_vectors_of_the_functions(name: str, data: bytes, expected: str) -> None:
    assert digest(data, FUNCTIONS[name]).hex() == expected
    assert verify(bytes.fromhex(expected), data)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_makes_it_verifies(name: str) -> None:
    made = digest(b"zwerm", FUNCTIONS[name])
    code, start, end = parse_prefix(made)
    assert (code, end) == (FUNCTIONS[name], len(made))
    if name != "identity" and end - start < MIN_DIGEST:
        with pytest.raises(WireError):
            verify(made, b"zwerm")
        return
    assert verify(made, b"zwerm")
    assert verify(made, memoryview(b"zwerm"))
    assert not verify(made, b"swarm")


def test_blake2b_of_every_size_has_the_code_of_the_table() -> None:
    assert FUNCTIONS["blake2b-8"] == 0xB201
    assert FUNCTIONS["blake2b-256"] == multicodec.BLAKE2B_256
    assert FUNCTIONS["blake2b-512"] == multicodec.BLAKE2B_512
    assert len(digest(b"", FUNCTIONS["blake2b-184"])) == 4 + 23


@pytest.mark.parametrize(("name", "data", "expected"), OWN_VECTORS)
def test_a_multihash_cut_short_at_any_byte_is_refused(name: str, data: bytes, expected: str) -> None:
    whole = bytes.fromhex(expected)
    for size in range(len(whole)):
        with pytest.raises(WireError):
            parse_prefix(whole[:size])
        with pytest.raises(WireError):
            verify(whole[:size], data)


def test_identity_is_limited_both_ways() -> None:
    data = b"x" * MAX_IDENTITY
    assert verify(digest(data, multicodec.IDENTITY), data)
    with pytest.raises(LocalProtocolError, match="129"):
        digest(data + b"x", multicodec.IDENTITY)
    with pytest.raises(WireError, match="129"):
        parse_prefix(b"\0" + varint.serialize(129) + bytes(129))


def test_a_digest_longer_than_any_function_makes_is_refused_before_it_is_read() -> None:
    with pytest.raises(WireError, match="at most 128"):
        parse_prefix(b"\x12" + varint.serialize(2**40))


def test_bytes_behind_a_multihash_are_refused_by_verify() -> None:
    made = digest(b"x")
    with pytest.raises(WireError, match="1 bytes after"):
        verify(made + b"\0", b"x")


def test_a_digest_that_claims_more_than_its_function_gives_is_no_match() -> None:
    assert not verify(b"\x11\x15" + digest(b"x", multicodec.SHA1)[2:] + b"\0", b"x")


def test_an_unknown_function_is_named() -> None:
    md5 = multicodec.KNOWN_HASHES["md5"]
    with pytest.raises(UnknownHash, match="md5"):
        digest(b"", md5)
    with pytest.raises(UnknownHash, match="0x99999"):
        verify(varint.serialize(0x99999) + b"\x20" + bytes(32), b"")
    assert multihash.function_name(0x12) == "sha2-256"


@given(st.binary(max_size=200), st.integers(0, 20))
def test_untrusted_bytes_are_a_multihash_or_refused(data: bytes, offset: int) -> None:
    try:
        code, start, end = parse_prefix(data, offset)
    except WireError:
        return
    assert offset < start <= end <= len(data)
    assert data[offset:start] == varint.serialize(code) + varint.serialize(end - start)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_untrusted_bytes_verify_or_not_and_nothing_else(made: bytes, data: bytes) -> None:
    try:
        matches = verify(made, data)
    except (WireError, UnknownHash):
        return
    assert not matches or made == digest(data, multicodec.IDENTITY)
