"""A disk that gives back other bytes than were written."""

from __future__ import annotations

from pathlib import Path


def rot(blocks: Path, content: bytes) -> None:
    """Change one bit where `content` lies in the packs of a folder."""
    for pack in blocks.iterdir():
        position = pack.read_bytes().find(content)
        if position >= 0:
            with pack.open("r+b") as file:
                file.seek(position)
                file.write(bytes([content[0] ^ 1]))
            return
    raise AssertionError("the content is in no pack")
