"""XSalsa20 against the figures of "Cryptography in NaCl" (Bernstein), sections 8 and 9."""

import hashlib

import pytest

from zwerm.libp2p.pnet.xsalsa20 import hsalsa20, xsalsa20

SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
FIRST = "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"
SECOND = "dc908dda0b9344a953629b733820778880f3ceb421bb61b91cbd4c3e66256ce4"
NONCE = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"


@pytest.mark.parametrize(
    ("key", "nonce", "expected"), [(SHARED, "00" * 16, FIRST), (FIRST, NONCE[:32], SECOND)], ids=["first", "second"]
)
def test_the_keys_of_the_paper(key: str, nonce: str, expected: str) -> None:
    assert hsalsa20(bytes.fromhex(key), bytes.fromhex(nonce)).hex() == expected


def test_the_stream_of_the_paper_in_pieces_of_any_size() -> None:
    cipher, digest, size = xsalsa20(bytes.fromhex(FIRST), bytes.fromhex(NONCE)), hashlib.sha256(), 4_194_304
    for piece in (1, 63, 64, 65, 100_000, size - 100_193):
        digest.update(cipher.encrypt(bytes(piece)))
    assert digest.hexdigest() == "662b9d0e3463029156069b12f918691a98f7dfb2ca0393c96bbfc6b1fbd630a2"
