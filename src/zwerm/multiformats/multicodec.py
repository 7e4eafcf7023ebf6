"""The multicodec table (multiformats/multicodec, table.csv): the codes that a CID or a signed record can carry.

Constants are the codes that zwerm works with. `CODECS` names the document formats and `multihash.FUNCTIONS` the hash
functions it can compute; the two `KNOWN_` tables name what it can only show. The protocols of multiaddrs have a table
of their own in `multiaddr_protocol`.
"""

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

IPNS_RECORD: Final = 0x0300
LIBP2P_PEER_RECORD: Final = 0x0301
LIBP2P_RELAY_RESERVATION: Final = 0x0302

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
KNOWN_CODECS: Final[dict[str, int]] = CODECS | {
    "protobuf": 0x50,
    "rlp": 0x60,
    "bencode": 0x63,
    "torrent-info": 0x7B,
    "torrent-file": 0x7C,
    "blake3-hashseq": 0x80,
    "leofcoin-block": 0x81,
    "leofcoin-tx": 0x82,
    "leofcoin-pr": 0x83,
    "dag-jose": 0x85,
    "dag-cose": 0x86,
    "eth-block": 0x90,
    "eth-block-list": 0x91,
    "eth-tx-trie": 0x92,
    "eth-tx": 0x93,
    "eth-tx-receipt-trie": 0x94,
    "eth-tx-receipt": 0x95,
    "eth-state-trie": 0x96,
    "eth-account-snapshot": 0x97,
    "eth-storage-trie": 0x98,
    "eth-receipt-log-trie": 0x99,
    "eth-receipt-log": 0x9A,
    "bitcoin-block": 0xB0,
    "bitcoin-tx": 0xB1,
    "bitcoin-witness-commitment": 0xB2,
    "zcash-block": 0xC0,
    "zcash-tx": 0xC1,
    "stellar-block": 0xD0,
    "stellar-tx": 0xD1,
    "decred-block": 0xE0,
    "decred-tx": 0xE1,
    "dash-block": 0xF0,
    "dash-tx": 0xF1,
    "swarm-manifest": 0xFA,
    "swarm-feed": 0xFB,
    "beeson": 0xFC,
    "swhid-1-snp": 0x01F0,
    "messagepack": 0x0201,
    "car": 0x0202,
    "x509-certificate": 0x0210,
    "ipns-record": IPNS_RECORD,
    "car-index-sorted": 0x0400,
    "car-multihash-index-sorted": 0x0401,
    "ssz": 0xB501,
    "rdfc-1": 0xB403,
    "json-jcs": 0xB601,
}
KNOWN_HASHES: Final[dict[str, int]] = {
    "shake-128": 0x18,
    "shake-256": 0x19,
    "keccak-224": 0x1A,
    "keccak-256": 0x1B,
    "keccak-384": 0x1C,
    "keccak-512": 0x1D,
    "sha2-384": 0x20,
    "murmur3-x64-64": 0x22,
    "murmur3-32": 0x23,
    "dbl-sha2-256": 0x56,
    "md4": 0xD4,
    "md5": 0xD5,
    "fr32-sha256-trunc254-padbintree": 0x1011,
    "sha2-256-trunc254-padded": 0x1012,
    "sha2-224": 0x1013,
    "sha2-512-224": 0x1014,
    "sha2-512-256": 0x1015,
    "murmur3-x64-128": 0x1022,
    "ripemd-128": 0x1052,
    "ripemd-160": 0x1053,
    "ripemd-256": 0x1054,
    "ripemd-320": 0x1055,
    "x11": 0x1100,
    "kt-128": 0x1D01,
    "kt-256": 0x1D02,
    "sm3-256": 0x534D,
    "poseidon-bls12_381-a2-fc1": 0xB401,
    "poseidon-bls12_381-a2-fc1-sc": 0xB402,
    "ssz-sha2-256-bmt": 0xB502,
    "sha2-256-chunked": 0xB510,
    "bittorrent-pieces-root": 0xB702,
    "bcrypt-pbkdf": 0xD00D,
    "ed2k": 0xED20,
}
CODEC_NAMES: Final[dict[int, str]] = {code: name for name, code in KNOWN_CODECS.items()}


def codec_name(code: int) -> str:
    """Return the table's name, or the number in hex for a code we do not know."""
    return CODEC_NAMES.get(code, f"{code:#x}")
