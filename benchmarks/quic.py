"""Files by bitswap over QUIC on the loopback, two processes; and one stream of it, which is what the library gives.

Ours with ours against Kubo with Kubo; ours with Kubo in both roles against the slower of the two with its own kind.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.bitswap import transfer
from benchmarks.exchangers import kubo_quic, zwerm_quic
from benchmarks.harness import Row, alternate
from benchmarks.streams import poured
from tests.peers.lines import LinePeer

_SIZE: Final = 256 * 1024 * 1024


def measure(*, quick: bool) -> list[Row]:
    """Measure."""
    size, rounds = (_SIZE // 8, 1) if quick else (_SIZE, 3)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        ours, others = alternate(
            transfer(here, size, zwerm_quic, zwerm_quic),
            {
                "Kubo to Kubo": transfer(here, size, kubo_quic, kubo_quic),
                "zwerm to Kubo": transfer(here, size, zwerm_quic, kubo_quic),
                "Kubo to zwerm": transfer(here, size, kubo_quic, zwerm_quic),
                "one stream": lambda: poured(lambda: LinePeer.python("stream_node.py", "quic-v1"), size),
            },
            rounds=rounds,
        )
    kubo = others["Kubo to Kubo"]
    slower = min(ours, kubo)
    what = f"bitswap {size >> 20} MiB, QUIC"
    return [
        Row(f"{what}, zwerm to zwerm", "MB/s", ours, "Kubo to Kubo", kubo, 1.0),
        Row(f"{what}, zwerm to Kubo", "MB/s", others["zwerm to Kubo"], "the slower, own kind", slower, 1.0),
        Row(f"{what}, Kubo to zwerm", "MB/s", others["Kubo to zwerm"], "the slower, own kind", slower, 1.0),
        Row("one stream, QUIC", "MB/s", others["one stream"], "bitswap, Kubo to Kubo", kubo, 1.0),
    ]
