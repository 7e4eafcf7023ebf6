"""How long `make up` takes in a clean clone until the page answers, the compiled form included, and the second time.

Packages come through pip as it is set up here, its cache included: what is measured is the work of this machine.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.harness import Row
from benchmarks.processes import ROOT


def measure(*, quick: bool) -> list[Row]:
    """The first start and, that done, further ones."""
    with tempfile.TemporaryDirectory(prefix="zwerm-bench-") as folder:
        clone = Path(folder) / "zwerm"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        first = until_the_page_answers(clone)
        assert list(clone.glob("src/zwerm/ipfs/ipld/dag_pb.*.so")), "not compiled"
        again = statistics.median(until_the_page_answers(clone) for _ in range(1 if quick else 5))
        return [
            Row("make up: a clean clone, to its page", "s", first, "the bar", 120, 1, higher_is_better=False),
            Row("make up: again, to its page", "s", again, "the bar", 3, 1, higher_is_better=False),
        ]


def until_the_page_answers(clone: Path) -> float:
    """Run it once, on free ports and a repository of its own; return the seconds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZWERM_", "MAKE", "MFLAGS"))}
    environment = kept | {"ZWERM_PROFILE": "test", "ZWERM_PATH": str(clone.parent / "repository")}
    began = time.perf_counter()
    process = subprocess.Popen(["make", "up"], cwd=clone, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.match(r"Web app: (http://\S+)", line):
                with urllib.request.urlopen(found[1]) as page:
                    assert b"<title>zwerm" in page.read()
                return time.perf_counter() - began
        raise AssertionError(f"make up ended with {process.wait()}")
    finally:
        process.terminate()  # make tells the node
        process.communicate()
