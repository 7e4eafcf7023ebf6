"""Paths of the file system are cleaned as Go's `path.Clean` does it, and new names are checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.path import MAX_NAME, FilePath, check_name


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/a//b", "/a/b"),
        ("/a/./b/.", "/a/b"),
        ("/a/../b", "/b"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/ä/é 語/", "/ä/é 語/"),
    ],
)
def test_a_path_is_cleaned_in_its_text(text: str, cleaned: str) -> None:
    assert str(FilePath.from_text(text)) == cleaned


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "paths must not be empty"), ("a/b", "paths must start with a leading slash")],
)
def test_what_is_no_path_is_refused_in_kubos_words(text: str, sentence: str) -> None:
    with pytest.raises(BadPath, match=f"^{sentence}$"):
        FilePath.from_text(text)


def test_a_path_without_end_is_refused() -> None:
    with pytest.raises(BadPath, match="at most 32768"):
        FilePath.from_text("/" + "a" * 40_000)
    with pytest.raises(BadPath, match="at most 1024"):
        FilePath.from_text("/a" * 2_000)


def test_a_path_knows_its_name_its_parent_and_what_lies_below() -> None:
    path = FilePath.from_text("/a/b/c/")
    assert (path.name, str(path.parent), path.directory) == ("c", "/a/b", True)
    assert FilePath().name == ""
    assert FilePath().parent == FilePath()
    assert FilePath.from_text("/a").contains(path)
    assert not FilePath.from_text("/a/b").contains(FilePath.from_text("/a/bc"))
    assert str(FilePath.from_text("/a").child("b")) == "/a/b"


@pytest.mark.parametrize("name", ["a", "…", ".hidden", "..a", "a b", "\n", "e" * MAX_NAME, "語" * 85])
def test_a_name_may_be_any_utf8_of_up_to_255_bytes(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b", "\ud800", "e" * (MAX_NAME + 1), "語" * 86])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadPath):
        check_name(name)


@given(st.text(alphabet="/.ab", max_size=30))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = FilePath.from_text("/" + text)
    assert FilePath.from_text(str(once)) == once
    assert not {"", ".", ".."} & set(once.segments)
