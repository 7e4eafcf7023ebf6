"""A peer ID is refused with WireError, or it survives bytes, base58 and CID; a key inside is its own."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId

_TEXTS = [
    "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
]
SEEDS = [*map(str.encode, _TEXTS), *(bytes(PeerId.from_text(name)) for name in _TEXTS)]


def fuzz(data: bytes) -> None:
    for read in (lambda: PeerId.parse(data), lambda: PeerId.from_text(text(data))):
        try:
            peer_id = read()
        except WireError:
            continue
        assert PeerId.parse(bytes(peer_id)) == PeerId.from_text(str(peer_id)) == peer_id
        assert PeerId.from_text(str(peer_id.to_cid())) == peer_id
        try:
            key = peer_id.public_key
        except WireError:
            continue
        assert key is None or peer_id.matches(key)
