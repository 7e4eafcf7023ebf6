"""`python -m benchmarks [--quick] [NAME ...]`: run the named benchmarks, or all."""

from __future__ import annotations

import argparse
import compileall
import importlib
import pkgutil
import sys

import benchmarks
from benchmarks.harness import machine, print_rows
from benchmarks.processes import ROOT


def main() -> int:
    """Run and print; the exit status says whether every bar was reached."""
    names = sorted(
        module.name
        for module in pkgutil.iter_modules(benchmarks.__path__)
        if module.name not in {"__main__", "harness"}
    )
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *names], help="default: all of " + ", ".join(names))
    parser.add_argument("--quick", action="store_true", help="smaller inputs and one round, to see that it runs")
    arguments = parser.parse_args()
    compileall.compile_dir(ROOT / "src" / "zwerm", quiet=1)  # as installing does; Python may be told not to by itself
    print(machine(), flush=True)
    reached = True
    for name in arguments.names or names:
        measure = getattr(importlib.import_module(f"benchmarks.{name}"), "measure", None)
        if measure is not None:
            reached &= print_rows(measure(quick=arguments.quick))
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
