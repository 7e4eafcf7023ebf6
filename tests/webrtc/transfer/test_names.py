"""Names from elsewhere: whatever they say, one harmless name comes out."""

from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.webrtc.transfer.names import MAX_BYTES, NAMELESS, numbered, part_name, safe_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("zonsopgang é 🐦.txt", "zonsopgang é 🐦.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\evil.exe", "evil.exe"),
        ("..", NAMELESS),
        (".", NAMELESS),
        ("", NAMELESS),
        ("folder/", NAMELESS),
        (".bashrc", "bashrc"),
        ("a\x00b\n\x1b[31m.txt", "ab[31m.txt"),
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("name. ", "name"),
        ("a:b*c?.txt", "a_b_c_.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("console.log", "console.log"),
        ("e\u0301.txt", "é.txt"),
        ("a\u2028b\u00a0c", "a b c"),
        ("\udc80", NAMELESS),
    ],
)
def test_names(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


def test_long_names_keep_their_extension() -> None:
    name = safe_name("🐦" * 300 + ".tar.gz")
    assert name.endswith("🐦.tar.gz")
    assert len(name.encode()) <= MAX_BYTES
    assert len(safe_name("x" * 5_000).encode()) == MAX_BYTES


@given(st.text(max_size=400))
def test_any_name_is_made_safe_and_stays_as_it_is_then(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert len(safe.encode()) <= MAX_BYTES
    assert not safe.startswith(".")
    assert "/" not in safe
    assert "\\" not in safe
    assert all(unicodedata.category(character)[0] != "C" for character in safe)
    assert Path("folder", safe).parent == Path("folder")


def test_numbers_go_before_the_extension() -> None:
    assert list(itertools.islice(numbered("a.tar.gz"), 3)) == ["a.tar.gz", "a (2).tar.gz", "a (3).tar.gz"]
    assert list(itertools.islice(numbered("README"), 2)) == ["README", "README (2)"]


def test_parts_of_different_content_have_different_names() -> None:
    assert part_name("a.txt", bytes(32)) == "a.txt.000000000000.part"
    assert part_name("a.txt", b"\1" * 32) != part_name("a.txt", bytes(32))
    assert len(part_name("x" * MAX_BYTES, bytes(32)).encode()) <= 255
