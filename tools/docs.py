#!/usr/bin/env python3
"""Write the reference pages that are made from the code's own tables; `tests/docs` fails when one is behind."""

from __future__ import annotations

from pathlib import Path

from zwerm.cli.reference import commands_page
from zwerm.node.reference import config_page

PAGES = {"commands.md": commands_page, "config.md": config_page}


def main() -> None:
    """Write every page into `docs`."""
    folder = Path(__file__).resolve().parent.parent / "docs"
    for name, page in PAGES.items():
        (folder / name).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
