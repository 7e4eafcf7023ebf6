"""Setting a key in any config.toml that can be read leaves every other value as it was, or refuses."""

import tomllib

from zwerm.core.errors import LocalProtocolError
from zwerm.node.toml import edit, flatten

SEEDS = [
    b'[addresses]\napi = "127.0.0.1:5001" # why\n\n[storage]\nmax = "10GB"\n',
    b'storage.max = """\n10GB"""\n',
    b"[storage]\nlist = [\n 1, # one\n 2]\n[[tables]]\na = 1\n",
    b"storage = {max = 1}",
    b"",
    b"'storage'.\"max\" = 1\r\n",
]


def fuzz(data: bytes) -> None:
    try:
        given = data.decode()
        before = flatten(tomllib.loads(given))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return
    for value in ("20GB", ["a", "b"], None):
        try:
            edited = edit(given, "storage.max", value)
        except LocalProtocolError:
            continue
        after = flatten(tomllib.loads(edited))
        assert after.pop("storage.max", None) == value
        assert repr(after) == repr({key: kept for key, kept in before.items() if key != "storage.max"})
