"""The lines that differ between two text files."""

from __future__ import annotations

import pytest

from tests.ipfs.mfs.room import Room
from zwerm.ipfs.versions import text
from zwerm.ipfs.versions.text import text_diff


async def test_the_lines_that_differ_are_shown_as_diff_shows_them(room: Room) -> None:
    one = room.add(b"".join(b"line %d\n" % number for number in range(20)))
    other = room.add(b"".join(b"line %d\n" % number for number in range(20) if number != 10) + b"end")
    assert await text_diff(room.source, one, other, names=("a", "b")) == (
        "--- a\n+++ b\n@@ -8,7 +8,6 @@\n line 7\n line 8\n line 9\n-line 10\n line 11\n line 12\n line 13\n"
        "@@ -18,3 +17,4 @@\n line 17\n line 18\n line 19\n+end\n\\ No newline at end of file\n"
    )


async def test_a_file_that_was_not_there_is_empty(room: Room) -> None:
    cid = room.add("grüße\n".encode())
    assert await text_diff(room.source, None, cid) == "--- before\n+++ after\n@@ -0,0 +1 @@\n+grüße\n"
    assert await text_diff(room.source, cid, cid) == ""


@pytest.mark.parametrize(
    "data", [b"zero \0 byte", b"\xff\xfe", bytes(text.MAX_SIZE + 1), b"\n" * (text.MAX_LINES + 1)], ids=len
)
async def test_what_is_no_text_or_too_much_is_not_shown(room: Room, data: bytes) -> None:
    assert await text_diff(room.source, room.add(b"text"), room.add(data)) is None


async def test_a_directory_is_no_text(room: Room) -> None:
    assert await text_diff(room.source, await room.files.root(), room.add(b"text")) is None
