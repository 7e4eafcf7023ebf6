"""The specification's record vectors, from their file, and records made for a test."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final, NamedTuple

from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipns.name import from_text
from zwerm.ipfs.ipns.record import Record
from zwerm.ipfs.ipns.timestamp import SECOND

_FILE: Final = Path(__file__).parents[2] / "vectors" / "ipns_records.json"

NOW: Final = 1_800_000_000 * SECOND
HOUR: Final = 3_600 * SECOND
PATH: Final = "/ipfs/bafkqaddwgevxmmraojswg33smq"
OTHER_PATH: Final = "/ipfs/bafkqadtwgiww63tmpeqhezldn5zgi"


class Vector(NamedTuple):
    """A record of somebody else's making."""

    case: str
    name: PeerId
    path: str | None  # None: it must be refused
    encoded: bytes


def vectors() -> list[Vector]:
    return [
        Vector(one["case"], from_text(one["name"]), one["path"], base64.b64decode(one["record"]))
        for one in json.loads(_FILE.read_text())
    ]


def vector(case: str) -> Vector:
    return next(one for one in vectors() if one.case == case)


def signed(key: PrivateKey, path: str = PATH, *, sequence: int = 0, life: int = 48 * HOUR, ttl: int = HOUR) -> Record:
    return Record.create(key, path, sequence=sequence, validity=NOW + life, ttl=ttl)
