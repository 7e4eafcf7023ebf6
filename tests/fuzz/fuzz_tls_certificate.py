"""A certificate proves somebody, or is refused with a WireError."""

import contextlib
import json
from pathlib import Path

from zwerm.core.errors import WireError
from zwerm.libp2p.tls.certificate import verify_untrusted
from zwerm.libp2p.tls.signed_key import SignedKey

_VECTORS = Path(__file__).parents[1] / "vectors" / "libp2p_tls.json"
_TODAY = 1_800_000_000.0

SEEDS = [bytes.fromhex(vector["certificate"]) for vector in json.loads(_VECTORS.read_text())]


def fuzz(data: bytes) -> None:
    with contextlib.suppress(WireError):
        verify_untrusted(data, _TODAY)
    try:
        signed_key = SignedKey.parse(data)
    except WireError:
        return
    assert signed_key.serialize() == data
