"""IPLD codecs: dag-cbor beside cbor2, which checks less; dag-pb directories of 10,000 entries."""

from __future__ import annotations

import time
from collections.abc import Callable

import cbor2

from benchmarks.harness import Row, alternate
from zwerm.ipfs.ipld import cbor_reader, dag_cbor, dag_pb
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.multiformats.cid import CID

RECORDS = [
    {"id": number, "name": f"name {number}", "score": number * 0.5, "tags": ["a", "bc"], "ok": True, "none": None}
    for number in range(500)
]


def measure(*, quick: bool) -> list[Row]:
    """Milliseconds, the best of many rounds."""
    rounds = 1 if quick else 5
    form = "" if cbor_reader.__file__.endswith(".py") else " (compiled)"
    encoded = dag_cbor.encode(RECORDS)
    links = tuple(PBLink(CID.of(b"%d" % number), f"file{number:06}", number) for number in range(10_000))
    directory = PBNode(links, b"\x08\x01")
    block = directory.serialize()
    decode, them = alternate(
        best(lambda: dag_cbor.decode(encoded)), {"": best(lambda: cbor2.loads(encoded))}, rounds=rounds
    )
    encode, they = alternate(
        best(lambda: dag_cbor.encode(RECORDS)), {"": best(lambda: cbor2.dumps(RECORDS))}, rounds=rounds
    )
    written, _ = alternate(best(directory.serialize), {}, rounds=rounds)
    parsed, _ = alternate(best(lambda: dag_pb.decode(block)), {}, rounds=rounds)
    return [
        Row(f"dag-cbor read, 28 kB{form}", "ms", decode, "cbor2", them[""], 0.15, higher_is_better=False),
        Row(f"dag-cbor written, 28 kB{form}", "ms", encode, "cbor2", they[""], 0.15, higher_is_better=False),
        Row(f"dag-pb written, 10,000 links{form}", "ms", written, "the bar", 30, 1, higher_is_better=False),
        Row(f"dag-pb read, 10,000 links{form}", "ms", parsed, "the bar", 50, 1, higher_is_better=False),
    ]


def best(work: Callable[[], object]) -> Callable[[], float]:
    """Return what times `work`, in milliseconds."""

    def timing() -> float:
        took = []
        for _ in range(15):
            began = time.perf_counter()
            work()
            took.append(time.perf_counter() - began)
        return min(took) * 1e3

    return timing
