"""Runs a daemon in which a call that waits for the disk on the thread of the loop is an error: `watched.py ARGUMENTS`.

Whatever such a call was made for fails with a `BlockingError`, so that the test of it fails, or its log does. `ALLOWED`
names who may all the same.
"""

from __future__ import annotations

import sys
from typing import Final

from blockbuster.blockbuster import BlockBuster, BlockBusterFunction

ALLOWED: Final = (
    ("zwerm/daemon/process.py", ("_serve",)),  # before there are requests, and after
    ("zwerm/daemon/http/sendfile.py", ("_send_run", "_send_bytes")),  # sockets that never wait
    ("zwerm/daemon/metrics.py", ("_resident", "_descriptors")),  # /proc is no disk
    ("zwerm/ipfs/pins/marks.py", ("__init__", "take_back_round")),  # a private database in memory
    ("zwerm/ipfs/database.py", ("row",)),  # one row by its key costs less than a thread
    ("zwerm/ipfs/blockstore/index.py", ("find", "find_many", "page")),  # likewise; a page of keys at a time
    ("zwerm/ipfs/blockstore/block_reader.py", ("_cached",)),  # asks the kernel for what it has in memory only
    ("zwerm/webrtc/capture/file.py", ("_write", "_begin")),  # to the page cache, while somebody looks for something
    ("zwerm/net/interfaces.py", ("_dump",)),  # the kernel answers at once
    ("logging/__init__.py", ("emit",)),
)
MORE: Final = ("os.fsync", "os.fdatasync", "os.open", "os.pread", "os.pwrite", "os.pwritev", "os.ftruncate")


def watch(*allowed: tuple[str, tuple[str, ...]]) -> BlockBuster:
    """Return the watch over all of zwerm, not begun."""
    watching = BlockBuster(scanned_modules="zwerm")
    more = {name: BlockBusterFunction(None, name, scanned_modules="zwerm") for name in MORE}
    watching.functions |= more
    for function in watching.functions.values():
        for file, names in (*ALLOWED, *allowed):
            function.can_block_in(file, names)
    return watching


if __name__ == "__main__":
    from zwerm.cli.text_form import text_form
    from zwerm.daemon.process import up

    watch().activate()
    sys.exit(up(**eval(sys.argv[1]), text=text_form))
