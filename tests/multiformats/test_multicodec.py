"""multiformats/multicodec: names and codes are one to one, and a code nobody knows still has a text."""

from zwerm.multiformats import multicodec
from zwerm.multiformats.multicodec import CODEC_NAMES, CODECS, KNOWN_CODECS, KNOWN_HASHES, codec_name
from zwerm.multiformats.multihash import FUNCTION_NAMES, FUNCTIONS


def test_the_codes_everybody_meets() -> None:
    assert {name: CODECS[name] for name in ("raw", "dag-pb", "dag-cbor", "libp2p-key", "dag-json")} == {
        "raw": 0x55, "dag-pb": 0x70, "dag-cbor": 0x71, "libp2p-key": 0x72, "dag-json": 0x0129,
    }  # fmt: skip


def test_no_code_has_two_names() -> None:
    assert len(CODEC_NAMES) == len(KNOWN_CODECS)
    assert len(FUNCTION_NAMES) == len(KNOWN_HASHES) + len(FUNCTIONS)
    assert not set(CODEC_NAMES) & set(FUNCTION_NAMES)


def test_an_unknown_code_is_written_in_hex() -> None:
    assert codec_name(multicodec.DAG_CBOR) == "dag-cbor"
    assert codec_name(0x90) == "eth-block"
    assert codec_name(0x999999) == "0x999999"
