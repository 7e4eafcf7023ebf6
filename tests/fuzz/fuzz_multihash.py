"""A multihash is refused with WireError, or lies within its bytes; data matches the hashes it makes, and no other."""

from zwerm.core.errors import WireError
from zwerm.multiformats import multicodec, multihash
from zwerm.multiformats.multihash import FUNCTIONS, UnknownHash

_DATA = b"zwerm"
_MADE = {code: multihash.digest(_DATA, code) for code in FUNCTIONS.values()}
_DIGESTS = {code: made[multihash.parse_prefix(made)[1] :] for code, made in _MADE.items()}
SEEDS = [_MADE[FUNCTIONS[name]] for name in ("identity", "sha1", "sha2-256", "sha3-512", "blake3", "blake2b-256")]


def fuzz(data: bytes) -> None:
    try:
        code, start, end = multihash.parse_prefix(data)
    except WireError:
        return
    assert 0 < start <= end <= len(data)
    claimed = data[start:end]
    try:
        matches = multihash.verify(data[:end], _DATA)
    except (WireError, UnknownHash):
        return
    expected = _DIGESTS[code]
    assert matches == (claimed == expected if code == multicodec.IDENTITY else expected.startswith(claimed))
