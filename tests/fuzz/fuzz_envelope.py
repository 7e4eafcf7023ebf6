"""An envelope is refused with WireError unless its signature is right, and then it is one that was sealed."""

from zwerm.core.errors import WireError
from zwerm.identity.envelope import Envelope
from zwerm.identity.keys import PrivateKey

_KEY = PrivateKey.parse(
    bytes.fromhex(
        "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
        "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
    )
)
_SEALED = Envelope.seal(_KEY, domain="fuzz", payload_type=b"/t", payload=b"payload")
SEEDS = [_SEALED.serialize(), _SEALED._replace(payload=b"other").serialize()]


def fuzz(data: bytes) -> None:
    try:
        envelope = Envelope.open_untrusted(data, domain="fuzz", payload_type=b"/t")
    except WireError:
        return
    assert envelope == _SEALED  # nobody else has the key, so other bytes may say it otherwise but not something else
