"""Builds the hot modules with mypyc where a C compiler is found; without one the same files run as plain Python."""

import os
import shutil
import sys

from setuptools import setup

COMPILED: list[str] = [
]


def extensions() -> list[object]:
    """Return the compiled form of `COMPILED`, or nothing where it cannot be made."""
    if os.environ.get("ZWERM_PURE") == "1" or not COMPILED:
        return []
    if not (shutil.which("cc") or shutil.which("gcc")):
        print("zwerm: no C compiler found, the plain Python form is used", file=sys.stderr)
        return []
    from mypyc.build import mypycify

    return list(mypycify(COMPILED, opt_level="3"))


setup(ext_modules=extensions())
