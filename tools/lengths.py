#!/usr/bin/env python3
"""Keep files readable at one go: fail over 600 lines, print those over 400. `make check` runs it.

Functions are ruff's to measure (PLR0915: 50 statements, C901: complexity 12).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

SOFT: Final = 400  # lines
HARD: Final = 600
SUFFIXES: Final = {".py", ".js", ".mjs", ".css", ".html"}
EXEMPT: Final = ("/vendor/", "tests/vectors/")  # other people's code, and data


def main() -> int:
    """Measure every file that git knows or would add; return 1 when one is too long."""
    root = Path(__file__).resolve().parent.parent
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    lengths = {
        name: (root / name).read_bytes().count(b"\n")
        for name in listing.stdout.splitlines()
        if Path(name).suffix in SUFFIXES and (root / name).is_file() and not any(part in name for part in EXEMPT)
    }
    for name, length in sorted(lengths.items(), key=lambda row: -row[1]):
        if length > SOFT:
            print(f"{length:5d} lines  {name}  {f'over {HARD}: split it' if length > HARD else f'over {SOFT}'}")
    return int(any(length > HARD for length in lengths.values()))


if __name__ == "__main__":
    sys.exit(main())
