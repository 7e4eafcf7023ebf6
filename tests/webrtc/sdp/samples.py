"""Descriptions that others wrote: browsers, telephones, cameras; one file each in `tests/vectors/sdp`."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "vectors" / "sdp"
NAMES: Final = sorted(path.stem for path in FOLDER.glob("*.sdp"))
BROWSERS: Final = [name for name in NAMES if name.startswith(("chromium", "firefox"))]


def read(name: str) -> str:
    return (FOLDER / f"{name}.sdp").read_bytes().decode("utf-8", "surrogateescape")
