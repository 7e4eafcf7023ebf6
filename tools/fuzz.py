#!/usr/bin/env python3
"""Fuzz the parsers, led by coverage: `tools/fuzz.py --minutes 60`, or with names for a few of them.

Each harness of `tests/fuzz` runs in a process of its own under atheris (`pip install zwerm[fuzz]`), the time divided
among them. What it printed last becomes a row of the table at the end. An input that breaks an invariant is printed in
hex with its traceback, and the status is 1. With `--keep` the inputs that reach code no other reaches replace the
harness's corpus.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.forms import prefer_source  # noqa: E402  after the path is set
from tests.fuzz.harnesses import NAMES, load, read_corpus, write_corpus  # noqa: E402  after the path is set

# Names the harness to the processes that fuzz: libFuzzer starts some of its own and knows nothing of our arguments.
_CHILD: Final = "ZWERM_FUZZ_HARNESS"
MAX_INPUT: Final = 4_096  # bytes
MAX_KEPT: Final = 10_000  # bytes of one corpus; the shortest inputs are kept
SLOW: Final = 10  # seconds for one input, after which it counts as a hang
MEMORY: Final = 2_048  # MiB


class Outcome(NamedTuple):
    """What one harness came to."""

    name: str
    runs: int
    seconds: float
    edges: int  # of the code reached
    inputs: int  # in the corpus at the end
    failure: str  # empty when there was none


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"harnesses, all by default: {', '.join(NAMES)}")
    parser.add_argument("--minutes", type=float, default=1.0, help="for all of them together (default %(default)s)")
    parser.add_argument("--part", default="1/1", help="the first of four parts of them: 1/4 (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default %(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep what was found in tests/fuzz/corpus")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no harness {', '.join(unknown)}")
    part, parts = map(int, arguments.part.split("/"))
    names = (arguments.names or NAMES)[part - 1 :: parts]
    seconds = max(1, round(arguments.minutes * 60 * arguments.jobs / len(names)))
    print("| parser | inputs tried | a second | edges reached | corpus | outcome |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    outcomes = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for outcome in pool.map(lambda name: run(name, seconds, keep=arguments.keep), names):
            outcomes.append(outcome)
            rate = outcome.runs / max(outcome.seconds, 1)
            result = outcome.failure or "held"
            cells = (outcome.name, f"{outcome.runs:,}", f"{rate:,.0f}", outcome.edges, outcome.inputs, result)
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
    total = sum(outcome.runs for outcome in outcomes)
    print(f"{total:,} inputs, {sum(bool(outcome.failure) for outcome in outcomes)} of {len(outcomes)} harnesses failed")
    return int(any(outcome.failure for outcome in outcomes))


def run(name: str, seconds: int, *, keep: bool) -> Outcome:
    """Run one harness in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="zwerm-fuzz-") as folder:
        found, merged = Path(folder, "found"), Path(folder, "merged")
        found.mkdir()
        merged.mkdir()
        for number, data in enumerate([*load(name).SEEDS, *read_corpus(name)]):
            (found / f"known-{number}").write_bytes(data)
        command = [sys.executable, __file__]
        # libFuzzer starts this file by its first line, which looks for python3 in the path.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {_CHILD: name, "PATH": path}
        limits = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}"]
        process = subprocess.run(
            [*command, str(found), *limits, "-print_final_stats=1", f"-artifact_prefix={folder}/broken-"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,  # a failure is read below
        )
        log = process.stdout + process.stderr
        failure = ""
        if process.returncode:
            artifact = next(Path(folder).glob("broken-*"), None)
            failure = "no artifact" if artifact is None else artifact.read_bytes().hex()
            print(f"{name} broke on {failure}\n" + "\n".join(log.splitlines()[-60:]), file=sys.stderr)
        elif keep:
            merge = [*command, "-merge=1", str(merged), str(found)]
            subprocess.run(merge, cwd=folder, env=environment, capture_output=True, check=True)
            seeds = set(load(name).SEEDS)
            kept = [data for file in merged.iterdir() if (data := file.read_bytes()) not in seeds]
            room = itertools.accumulate(map(len, kept := sorted(kept, key=len)))
            write_corpus(name, [data for data, size in zip(kept, room, strict=True) if size <= MAX_KEPT])
        return Outcome(
            name,
            runs=_last(r"stat::number_of_executed_units:\s*(\d+)", log),
            seconds=float(seconds),
            edges=_last(r"cov: (\d+)", log),
            inputs=_last(r"corp: (\d+)", log),
            failure=failure and f"broke on {failure[:40]}",
        )


def fuzz(name: str) -> None:
    """Be the process that fuzzes one harness; the arguments are libFuzzer's, which ends the process."""
    import atheris

    prefer_source()  # atheris sees into bytecode only
    with atheris.instrument_imports(include=["zwerm"]):
        harness = load(name)
    atheris.Setup(sys.argv, harness.fuzz)
    atheris.Fuzz()


def _last(pattern: str, log: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0


if __name__ == "__main__":
    if _CHILD in os.environ:
        fuzz(os.environ[_CHILD])
    else:
        sys.exit(main())
