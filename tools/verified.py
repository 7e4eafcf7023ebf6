#!/usr/bin/env python3
"""Run the full sets and write docs/verified.md: `make test-all`, or `make test-all PART=1/4` for a quarter of them.

Every test (`full` ones too) on the compiled form, those that touch compiled modules on the plain Python form again, an
hour of fuzzing, what each module's own test file covers, and the commands of `tools/claims.py`. A row is replaced when
its run passed; one that was not run keeps its figure and date, and one that failed is a message and the status 1.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.forms import COMPILED  # noqa: E402  after the path is set
from tools.claims import CLAIMS, Claim  # noqa: E402  after the path is set
from tools.verified_page import TABLES, Rows, cells, parse, render  # noqa: E402

PAGE: Final = ROOT / "docs" / "verified.md"
# What touches compiled modules: the folders of their own tests, and who uses them most.
PURE_TOO: Final = (
    *sorted({"/".join(["tests", *name.split(".")[1:-1]]) for name in COMPILED}),
    "tests/fuzz",
    "tests/ipfs",
    "tests/interop/test_ipld_codecs.py",
    "tests/interop/test_unixfs_cids.py",
)
FUZZ_MINUTES: Final = 60  # of processor time
FUZZ_JOBS: Final = 2
BAR: Final = 95.0  # percent of lines and branches; modules below it are listed


class Suite(NamedTuple):
    """What the tests of one file came to."""

    passed: int
    failed: int
    seconds: float


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", default="1/1", help="the first of four parts: 1/4 (default %(default)s)")
    steps = ("suites", "pure", "commands", "fuzz", "branches")
    parser.add_argument("--only", nargs="+", choices=[*steps, "benchmarks"], default=steps, metavar="STEP")
    arguments = parser.parse_args()
    part, parts = map(int, arguments.part.split("/"))
    if not 1 <= part <= parts:
        parser.error(f"part {arguments.part}, expected 1/4 to 4/4")
    run = Run(part, parts, f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")
    for step in arguments.only:
        getattr(run, step)()
        write_page(run)
    for failure in run.failures:
        print(f"zwerm: not verified: {failure}", file=sys.stderr)
    return int(bool(run.failures))


def write_page(run: Run) -> None:
    """Renew the page with what was found so far."""
    tables = parse(PAGE.read_text("utf-8"))
    for heading, rows in run.rows.items():
        known = tables[heading] | rows
        tables[heading] = {key: known[key] for key in sorted(known) if is_there(heading, key)}
    claims = tables["Claims"]
    tables["Claims"] = {claim.claim: claims[claim.claim] for claim in CLAIMS if claim.claim in claims}
    for module in run.reached:
        tables["Branch coverage"].pop(module, None)
    PAGE.write_text(render(tables), "utf-8")


def is_there(heading: str, key: str) -> bool:
    """Whether what a row is about still exists."""
    match heading:
        case "Suites":
            return (ROOT / key.partition(",")[0]).is_dir()
        case "Fuzzing":
            return (ROOT / "tests" / "fuzz" / f"fuzz_{key}.py").is_file()
        case "Branch coverage":
            return (ROOT / "src" / "zwerm" / key).is_file()
        case _:
            return True


class Run:
    """One run over one part; what it found stands in `rows`, by heading."""

    def __init__(self, part: int, parts: int, date: str) -> None:
        self.rows: dict[str, Rows] = {name: {} for name in TABLES}
        self.reached: set[str] = set()  # modules that are covered as they should be
        self.failures: list[str] = []
        self._part = part
        self._parts = parts
        self._date = date

    def suites(self) -> None:
        """Every test on the compiled form, and the claims that are read off it."""
        results = self._pytest(self._share(areas()), "compiled", examples="1000")
        self._by_area(results, "")
        for claim in CLAIMS:
            if claim.command.startswith("pytest "):
                named = [test for path in claim.command.split()[1:] for test in tests_at(path)]
                if named and all(test in results and not results[test].failed for test in named):
                    self._claim(claim, f"{sum(results[test].passed for test in named)} passed")

    def pure(self) -> None:
        """The tests that touch compiled modules, on the plain Python form."""
        touched = {test for path in PURE_TOO for test in tests_at(path)}
        mine = [test for test in self._share(areas()) if test in touched]
        self._by_area(self._pytest(mine, "pure", "-m", "not full"), ", plain Python")

    def commands(self) -> None:
        """The claims with a command of their own."""
        own = [claim for claim in CLAIMS if not claim.command.startswith(("pytest ", "python -m benchmarks"))]
        for claim in own[self._part - 1 :: self._parts]:
            if not claim.needs or claim.needs in os.environ:
                self._shell(claim)

    def benchmarks(self) -> None:
        """The claims about speed; only when asked for."""
        for claim in CLAIMS:
            if claim.command.startswith("python -m benchmarks"):
                self._shell(claim)

    def fuzz(self) -> None:
        """An hour of fuzzing, or this part's share of it."""
        minutes = FUZZ_MINUTES / FUZZ_JOBS / self._parts
        part = f"--part {self._part}/{self._parts} --jobs {FUZZ_JOBS}"
        output, status = execute(f"python tools/fuzz.py {part} --minutes {minutes:g}")
        if status:
            self.failures.append("a parser under fuzzing")
        self.rows["Fuzzing"] |= {row[0]: (*row, self._date) for row in cells(output) if row[-1] == "held"}

    def branches(self) -> None:
        """What each module's own test file covers of it."""
        output, status = execute(f"python tools/branches.py --part {self._part}/{self._parts}")
        if status:
            self.failures.append("a test file under coverage")
        for module, percent in cells(output):
            if float(percent.removesuffix(" %")) < BAR:
                self.rows["Branch coverage"][module] = (module, percent, self._date)
            else:
                self.reached.add(module)

    def _share(self, areas: dict[str, list[str]]) -> list[str]:
        return [test for area in sorted(areas)[self._part - 1 :: self._parts] for test in areas[area]]

    def _pytest(self, tests: list[str], form: str, *options: str, examples: str = "100") -> dict[str, Suite]:
        if not tests:
            return {}
        with tempfile.TemporaryDirectory(prefix="zwerm-verified-") as folder:
            report = Path(folder, "report.xml")
            command = [
                "pytest",
                "-q",
                "-n",
                "2",
                "--dist",
                "loadgroup",
                "--timeout",
                "3600",
                "-o",
                "junit_family=xunit1",
            ]
            command += [f"--junit-xml={report}", *options, *tests]
            environment = environment_of_tests() | {"ZWERM_FORM": form, "ZWERM_EXAMPLES": examples}
            done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
            if done.returncode:
                self.failures.append(f"the suite on the {form} form")
            return read_report(report) if report.exists() else {}

    def _by_area(self, results: dict[str, Suite], suffix: str) -> None:
        together: dict[str, list[Suite]] = defaultdict(list)
        for test, suite in results.items():
            together[area_of(test)].append(suite)
        for area, suites in together.items():
            if not any(suite.failed for suite in suites):
                passed, seconds = sum(suite.passed for suite in suites), sum(suite.seconds for suite in suites)
                name = area + suffix
                self.rows["Suites"][name] = (name, f"{passed:,}", f"{seconds:,.0f}", self._date)

    def _shell(self, claim: Claim) -> None:
        output, status = execute(claim.command)
        found = re.search(claim.pattern, output)
        if status or found is None:
            self.failures.append(claim.claim)
        else:
            self._claim(claim, " ".join(found.groups()) or found[0])

    def _claim(self, claim: Claim, figure: str) -> None:
        self.rows["Claims"][claim.claim] = (claim.claim, f"`{claim.command}`", figure, self._date)


def areas() -> dict[str, list[str]]:
    """Every test file there is, by the folder it is counted under."""
    found: dict[str, list[str]] = defaultdict(list)
    for test in tests_at("tests"):
        found[area_of(test)].append(test)
    return found


def area_of(test: str) -> str:
    """`tests/ipfs/unixfs/directory/test_bulk.py` counts under `tests/ipfs/unixfs`."""
    return "/".join(test.split("/")[:-1][:3])


def tests_at(path: str) -> list[str]:
    """The test files at or below a path, as paths from the root of the tree."""
    place = ROOT / path
    found = [place] if place.is_file() else place.rglob("test_*.py")
    return sorted(
        name
        for name in (test.relative_to(ROOT).as_posix() for test in found)
        if not name.startswith("tests/peers/")  # other people's suites are run by tests of ours
    )


def read_report(report: Path) -> dict[str, Suite]:
    """Count what pytest's report says, by test file."""
    counted: dict[str, Suite] = defaultdict(lambda: Suite(0, 0, 0.0))
    for case in ET.parse(report).iter("testcase"):
        bad = any(child.tag in ("failure", "error") for child in case)
        good = not bad and case.find("skipped") is None
        suite = counted[case.attrib["file"]]
        seconds = suite.seconds + float(case.attrib["time"])
        counted[case.attrib["file"]] = Suite(suite.passed + good, suite.failed + bad, seconds)
    return dict(counted)


def execute(command: str) -> tuple[str, int]:
    """Run one line of shell in the root of the tree, shown while it runs; return its output and status."""
    print(f"$ {command}", flush=True)
    with subprocess.Popen(
        command, shell=True, cwd=ROOT, env=environment_of_tests(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return "".join(lines), process.returncode


def environment_of_tests() -> dict[str, str]:
    """Return our environment, with the tools of this interpreter first in the path."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    sys.exit(main())
