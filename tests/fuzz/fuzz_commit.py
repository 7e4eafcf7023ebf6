"""A commit is refused with WireError, or it is written again byte for byte; only its author's signature is right."""

import contextlib
import datetime as dt

from tests.fuzz.inputs import text
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.keys import PrivateKey
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.versions import address
from zwerm.ipfs.versions.commit import Commit
from zwerm.ipfs.versions.policy import Policy
from zwerm.multiformats.cid import CID

_KEY = PrivateKey.parse(
    bytes.fromhex(
        "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
        "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
    )
)
_DOCUMENT = {
    "type": "zwerm/commit",
    "root": CID.of(b"root", 0x70),
    "parents": [CID.of(b"parent", 0x71)],
    "time": 1_700_000_000_000,
    "author": _KEY.public.serialize(),
    "message": "first day",
    "changes": [{"kind": "added", "path": "a"}, {"kind": "moved", "path": "b", "from": "c"}],
    "signature": bytes(64),
}
SEEDS = [
    dag_cbor.encode(_DOCUMENT),
    b"~3",
    b"2026-07-31T12:00",
    b"last 5",
    b"photos@~1",
    str(CID.of(b"", 0x71)).encode(),
]


def fuzz(data: bytes) -> None:
    try:
        commit = Commit.parse(data)
    except WireError:
        pass
    else:
        assert Commit.parse(commit.to_block().data) == commit
        assert not commit.signed_by_author()
    given = text(data)
    with contextlib.suppress(LocalProtocolError):
        address.parse(given, zone=dt.UTC)
    path, version = address.split(given)
    assert given == path if version is None else given == f"{path}@{version}"
    try:
        policy = Policy.from_text(given)
    except LocalProtocolError:
        return
    assert Policy.from_text(str(policy)) == policy
