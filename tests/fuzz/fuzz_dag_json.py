"""A dag-json block is refused with WireError, or what it says, written canonically, reads the same."""

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import dag_json
from zwerm.multiformats.cid import CID

SEEDS = [
    dag_json.encode({"a": [1, -1, 1.5, None, True, "text", b"bytes", CID.of(b"x")], "b": {}}),
    b'{"/":{"bytes":"AQ"}}',
    b'{"/":"bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"}',
    b"[[[[1e5]]]]",
    b'"\\ud800\\u0000"',
    b"-0",
]


def fuzz(data: bytes) -> None:
    try:
        value = dag_json.decode(data)
    except WireError:
        return
    try:
        canonical = dag_json.encode(value)
    except LocalProtocolError:
        return
    assert dag_json.encode(dag_json.decode(canonical)) == canonical
    assert sorted(map(str, dag_json.links(data))) == sorted(map(str, dag_json.links(canonical)))
