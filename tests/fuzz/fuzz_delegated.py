"""A record of delegated routing is refused with WireError, or survives, filtered or not."""

import json

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.routing.delegated.peer_record import PeerRecord, parse_filter

_ID = "12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"
_RECORD = {"Schema": "peer", "ID": _ID, "Addrs": ["/ip4/192.0.2.1/tcp/4001"], "Protocols": ["transport-bitswap"]}
SEEDS = [
    json.dumps(_RECORD).encode(),
    json.dumps(_RECORD | {"Schema": "bitswap", "Protocol": "x"}).encode(),
    b"tcp,!quic-v1,unknown",
]


def fuzz(data: bytes) -> None:
    try:
        names = parse_filter(text(data))
    except WireError:
        names = ()
    try:
        record = PeerRecord.parse(data)
    except WireError:
        return
    assert PeerRecord.from_json(record.to_json()) == record
    kept = record.filtered(names, names)
    assert kept is None or set(kept.addresses) <= set(record.addresses)
