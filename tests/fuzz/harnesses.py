"""The harnesses: files `fuzz_NAME.py`, each with `SEEDS` and `fuzz(data)`, which returns or raises what is a bug.

A corpus file holds one input a line, in hex: inputs that reach code which no other reaches, found by `tools/fuzz.py`.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDER: Final = Path(__file__).parent
CORPUS: Final = FOLDER / "corpus"
NAMES: Final = sorted(path.stem.removeprefix("fuzz_") for path in FOLDER.glob("fuzz_*.py"))


def load(name: str) -> ModuleType:
    """Return the harness, importing the parser it is about."""
    return importlib.import_module(f"tests.fuzz.fuzz_{name}")


def read_corpus(name: str) -> list[bytes]:
    path = CORPUS / f"{name}.txt"
    return [bytes.fromhex(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_corpus(name: str, inputs: list[bytes]) -> None:
    CORPUS.mkdir(exist_ok=True)
    lines = sorted(data.hex() for data in inputs)
    (CORPUS / f"{name}.txt").write_text("".join(f"{line}\n" for line in sorted(lines, key=len)))
