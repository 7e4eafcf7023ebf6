"""An IPNS record is refused with a WireError, or it reads the same again; names, topics and keys likewise."""

import json
from base64 import b64decode
from pathlib import Path

from tests.fuzz.inputs import text
from zwerm.core.errors import RemoteProtocolError, WireError
from zwerm.ipfs.ipns import name
from zwerm.ipfs.ipns.record import Record

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ipns_records.json").read_text())
_NAME = name.from_text(_VECTORS[1]["name"])
SEEDS = [*(b64decode(one["record"]) for one in _VECTORS), name.topic(_NAME).encode(), name.routing_key(_NAME)]


def fuzz(data: bytes) -> None:
    try:
        record = Record.parse(data)
    except WireError:
        record = None
    if record is not None:
        try:
            record.verify(_NAME, 0)
            assert record.path.root
        except RemoteProtocolError:
            pass
        assert Record.parse(record.encoded) == record
    for read, write in ((name.from_topic, name.topic), (name.from_text, name.to_text)):
        try:
            found = read(text(data))
        except WireError:
            continue
        assert read(write(found)) == found
    try:
        assert name.routing_key(name.from_routing_key(data)) == data
    except WireError:
        return
