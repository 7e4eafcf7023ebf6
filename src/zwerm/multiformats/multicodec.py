"""The multicodec table (multiformats/multicodec, table.csv): the codes zwerm knows by name."""

from __future__ import annotations

from typing import Final

IDENTITY: Final = 0x00
SHA1: Final = 0x11
SHA2_256: Final = 0x12
SHA2_512: Final = 0x13
SHA3_512: Final = 0x14
SHA3_384: Final = 0x15
SHA3_256: Final = 0x16
SHA3_224: Final = 0x17
BLAKE3: Final = 0x1E
BLAKE2B_256: Final = 0xB220
BLAKE2B_512: Final = 0xB240

RAW: Final = 0x55
CBOR: Final = 0x51
DAG_PB: Final = 0x70
DAG_CBOR: Final = 0x71
LIBP2P_KEY: Final = 0x72
GIT_RAW: Final = 0x78
DAG_JSON: Final = 0x0129
JSON: Final = 0x0200

CODECS: Final[dict[str, int]] = {
    "raw": RAW,
    "cbor": CBOR,
    "dag-pb": DAG_PB,
    "dag-cbor": DAG_CBOR,
    "libp2p-key": LIBP2P_KEY,
    "git-raw": GIT_RAW,
    "dag-json": DAG_JSON,
    "json": JSON,
}
CODEC_NAMES: Final[dict[int, str]] = {code: name for name, code in CODECS.items()}


def codec_name(code: int) -> str:
    """Return the table's name, or the number in hex for a code we do not know."""
    return CODEC_NAMES.get(code, f"{code:#x}")
