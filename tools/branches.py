#!/usr/bin/env python3
"""Measure what a module's own test file covers of it, branches counted: `tools/branches.py [FOLDER OR MODULE...]`.

`src/zwerm/ipfs/car/reader.py` is measured by `tests/ipfs/car/test_reader.py` alone, in a process of its own and on the
plain Python form; what `tests/test_layout.py` lists is measured by the files named there.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import coverage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.test_layout import SOURCE, TESTS, files_that_test

ROOT: Final = Path(__file__).resolve().parent.parent
BAR: Final = 95  # percent, for machines and parsers


class Covered(NamedTuple):
    """What the test files of one module reached."""

    module: str  # below src/zwerm
    percent: float
    missing: list[int]  # lines
    half: list[list[int]]  # branches never taken: from line, to line; negative leaves the function
    failed: bool  # the test file itself


def main() -> int:
    """Measure what the command line names; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, default=[SOURCE], help="below src/zwerm; all of it by default")
    parser.add_argument("--part", default="1/1", help="the first of four parts: 1/4 (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default %(default)s)")
    parser.add_argument("--lines", action="store_true", help="name the lines and branches that are missing")
    arguments = parser.parse_args()
    part, parts = map(int, arguments.part.split("/"))
    groups = sorted(grouped(path.resolve() for path in arguments.paths).items())[part - 1 :: parts]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        found = pool.map(lambda group: measure(*group), groups)
        results = sorted(itertools.chain.from_iterable(found), key=lambda covered: covered.percent)
    print("| module | covered by its own test file |")
    print("| --- | ---: |")
    for covered in results:
        print(f"| {covered.module} | {covered.percent:.1f} % |")
        if arguments.lines and covered.percent < 100:
            print(f"    lines {covered.missing}\n    branches {covered.half}")
    failed = [covered.module for covered in results if covered.failed]
    for module in failed:
        print(f"the test file of {module} fails", file=sys.stderr)
    under = sum(covered.percent < BAR for covered in results)
    print(f"{len(results)} modules with a test file, {len(results) - under} of them covered to {BAR} %")
    return int(bool(failed))


def grouped(paths: Iterable[Path]) -> dict[tuple[str, ...], list[str]]:
    """Return the modules at or below the paths by the test files that cover them."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        for found in [path] if path.is_file() else sorted(path.rglob("*.py")):
            module = found.relative_to(SOURCE).as_posix()
            if tests := files_that_test(module):
                groups.setdefault(tests, []).append(module)
    return groups


def measure(tests: tuple[str, ...], modules: list[str]) -> list[Covered]:
    """Run test files and read what they cover of the modules, child processes counted."""
    with tempfile.TemporaryDirectory(prefix="zwerm-branches-") as folder:
        settings = Path(folder, "settings")
        include = "".join(f"\n  {SOURCE / module}" for module in modules)
        settings.write_text(
            f"[run]\nbranch = true\nparallel = true\npatch = subprocess\nsigterm = true\n"
            f"include ={include}\ndata_file = {folder}/data\ndisable_warnings = no-data-collected\n"
            "[report]\nexclude_also =\n  if TYPE_CHECKING:\n  ^ *\\.\\.\\.$\n"
        )
        command = [
            sys.executable,
            "-m",
            "coverage",
            "run",
            f"--rcfile={settings}",
            "-m",
            "pytest",
            "-q",
            "-m",
            "not full",
        ]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *(str(TESTS / test) for test in tests)],
            cwd=ROOT,
            env=os.environ | {"ZWERM_FORM": "pure"},
            capture_output=True,
            check=False,  # a failure is a row of the result
        )
        report = Path(folder, "report.json")
        measured = coverage.Coverage(config_file=str(settings))
        measured.combine([folder])
        measured.json_report([str(SOURCE / module) for module in modules], outfile=str(report))
        files = json.loads(report.read_text())["files"]
        found = [
            Covered(
                module=Path(name).absolute().relative_to(SOURCE).as_posix(),
                percent=file["summary"]["percent_covered"],
                missing=file["missing_lines"],
                half=file.get("missing_branches", []),  # not there when nothing of the module ran
                failed=bool(done.returncode),
            )
            for name, file in files.items()
        ]
        for covered in found:
            print(f"{covered.module}: {covered.percent:.1f} %", file=sys.stderr)
        return found


if __name__ == "__main__":
    sys.exit(main())
