"""The two forms of the modules that setup.py compiles, and how a process takes one of them.

`ZWERM_FORM=pure pytest ...` runs the tests of this process on the plain Python form though the compiled one stands
beside it; `ZWERM_FORM=compiled` fails at once where the compiled one is missing. Without it, what is installed is used.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src"
COMPILED: Final = [
    path.removesuffix(".py").replace("/", ".")
    for path in re.findall(r'^ *"src/(.*\.py)",', (ROOT / "setup.py").read_text("utf-8"), re.MULTILINE)
]


def take_the_form_asked_for() -> None:
    """Do what `ZWERM_FORM` says; to be called before any of our modules is imported."""
    match os.environ.get("ZWERM_FORM", ""):
        case "":
            pass
        case "pure":
            prefer_source()
        case "compiled":
            missing = [name for name in COMPILED if form_of(name) != "compiled"]
            if missing:
                raise RuntimeError(
                    f"there is no compiled form of {', '.join(missing)}; make one with: pip install -e ."
                )
        case other:
            raise RuntimeError(f"ZWERM_FORM is {other}, expected pure or compiled")


def prefer_source() -> None:
    """Import our modules from source where a compiled form stands beside it."""

    def finder(path: str) -> FileFinder:
        if not Path(path).is_relative_to(SOURCE):
            raise ImportError(path)
        return FileFinder(path, (SourceFileLoader, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()


def form_of(name: str) -> str:
    """Import the module and say in which form it came."""
    return "pure" if str(importlib.import_module(name).__file__).endswith(".py") else "compiled"
