"""Run the codecs over a checkout of github.com/ipld/codec-fixtures: `python tools/codec_fixtures.py PATH`.

Each fixture is one value as blocks of several codecs, each file named after its CID. Every block is decoded, encoded
again by every codec the fixture has, and held against the CID; the negative fixtures must be refused by the error that
says whose fault it is. Prints the figures, and ends with status 1 when anything failed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.ipfs.ipld import codec
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID


def positive(root: Path) -> tuple[Counter[str], list[str]]:
    """Check every directory of `fixtures`."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for directory in sorted(path for path in root.iterdir() if path.is_dir()):
        blocks = {path.suffix[1:]: path for path in directory.iterdir() if path.suffix[1:] in multicodec.CODECS}
        counts["fixtures"] += 1
        for source, path in blocks.items():
            data = path.read_bytes()
            counts["blocks"] += 1
            try:
                value = codec.decode(multicodec.CODECS[source], data)
                found = codec.links(multicodec.CODECS[source], data)
            except WireError as error:
                failures.append(f"{directory.name}: {source} is refused: {error}")
                continue
            for target, expected in blocks.items():
                counts["encodings"] += 1
                code = multicodec.CODECS[target]
                encoded = codec.encode(code, value)
                if str(CID.of(encoded, code)) != expected.stem:
                    failures.append(f"{directory.name}: {source} to {target} gives {encoded[:80]!r}")
                elif codec.links(code, encoded) != found and sorted(codec.links(code, encoded)) != sorted(found):
                    failures.append(f"{directory.name}: {source} and {target} have other links")
    return counts, failures


def negative(root: Path) -> tuple[Counter[str], list[str]]:
    """Check every file of `negative-fixtures`."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for path in sorted(root.rglob("*.json")):
        name, phase = path.parts[-3:-1]
        code = multicodec.CODECS[name]
        for fixture in json.loads(path.read_bytes()):
            counts[phase] += 1
            expected = WireError if phase == "decode" else LocalProtocolError
            try:
                if phase == "decode":
                    codec.decode(code, bytes.fromhex(fixture["hex"]))
                else:
                    codec.encode(code, codec.decode(multicodec.DAG_JSON, json.dumps(fixture["dag-json"]).encode()))
            except expected:
                continue
            failures.append(f"{name} {phase}: {fixture['name']} is not refused")
    return counts, failures


def main(root: Path) -> int:
    """Run both, print what was found."""
    counts, failures = positive(root / "fixtures")
    refused, more = negative(root / "negative-fixtures")
    for failure in failures + more:
        print(failure)
    print(
        f"{counts['fixtures']} fixtures, {counts['blocks']} blocks, {counts['encodings']} encodings; "
        f"{refused['decode']} negative decodings, {refused['encode']} negative encodings; "
        f"{len(failures + more)} failures"
    )
    return 1 if failures or more or not counts["blocks"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
