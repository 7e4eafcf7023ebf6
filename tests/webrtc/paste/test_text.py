"""Codes as text: what mail and chat do to them is undone, what cannot be undone is told in one clear line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.paste.test_code import CHROMIUM, FIREFOX, NAME, codes
from zwerm.webrtc.paste.code import MAX_CANDIDATES, Code, Kind, Place
from zwerm.webrtc.paste.text import (
    MAX_DIGITS,
    MAX_INPUT,
    Damaged,
    Incomplete,
    NotACode,
    OtherVersion,
    PasteError,
    read,
    wrap,
    write,
)

TEXT = write(FIREFOX)


@given(codes)
def test_every_code_survives_as_letters_and_figures(code: Code) -> None:
    text = write(code)
    assert read(text) == code
    assert text.isalnum()
    assert text.isascii()


def test_typical_codes_are_under_two_hundred_characters() -> None:
    chromium = Code("x/Nq", "L1GUewGNT1DW1aLO5awPyXO+", b"\xff" * 32, (Place(Kind.HOST, NAME, 65_535),) * 2)
    firefox = Code("a1b2c3d4", "f" * 32, b"\xff" * 32, (Place(Kind.HOST, NAME, 1), Place(Kind.REFLEXIVE, "1.2.3.4", 1)))
    assert (len(write(chromium)), len(write(firefox))) == (140, 136)


def test_the_largest_code_can_be_read() -> None:
    code = Code("/" * 63, "/" * 63, b"\xff" * 32, (Place(Kind.RELAYED, "ff" * 2 + ":" * 2, 65_535),) * MAX_CANDIDATES)
    assert len(write(code)) <= MAX_DIGITS + 8
    assert read(write(code)) == code


@pytest.mark.parametrize("width", [1, 20, 33, 72, 500])
def test_a_wrapped_code_is_read(width: int) -> None:
    lines = wrap(TEXT, width).split("\n")
    assert max(map(len, lines)) <= max(width, 20)
    assert read("\r\n".join(lines)) == FIREFOX


@pytest.mark.parametrize(
    "carried",
    [
        f'"{TEXT}"',
        f"> {TEXT[:60]}\n> {TEXT[60:]}\n",
        f"``{TEXT[:30]}\u200b{TEXT[30:]}``",
        f"Hoi, hier is hij:\n\n  {TEXT}\n\nGroet, Bram",
        f"\ufeff{TEXT}{TEXT}",
        "\u00a0".join(TEXT),
        f"*{TEXT}*",
    ],
    ids=["quotes", "quoted mail", "zero width", "in a letter", "twice", "spaced out", "stars"],
)
def test_what_people_and_programs_put_around_a_code_is_ignored(carried: str) -> None:
    assert read(carried) == FIREFOX


@pytest.mark.parametrize("size", range(6, len(TEXT), 13))
def test_the_beginning_of_a_code_asks_for_the_rest(size: int) -> None:
    with pytest.raises(Incomplete, match="cut short"):
        read(TEXT[:size])


@pytest.mark.parametrize("place", range(8, len(TEXT), 11))
def test_one_wrong_character_is_noticed(place: int) -> None:
    for wrong in "2z0":
        if TEXT[place] != wrong:
            with pytest.raises(Damaged, match="changed on the way"):
                read(TEXT[:place] + wrong + TEXT[place + 1 :])


def test_two_swapped_characters_are_noticed() -> None:
    place = next(index for index in range(20, 60) if TEXT[index] != TEXT[index + 1])
    with pytest.raises(Damaged):
        read(TEXT[:place] + TEXT[place + 1] + TEXT[place] + TEXT[place + 2 :])


def test_case_that_was_changed_is_told_as_that() -> None:
    with pytest.raises(Damaged, match="Capital and small letters"):
        read(TEXT.upper())
    with pytest.raises(PasteError):
        read(TEXT.lower())


def test_other_versions_say_who_has_to_update() -> None:
    with pytest.raises(OtherVersion, match="Update zwerm here"):
        read("zwerm2" + TEXT[6:])
    with pytest.raises(OtherVersion, match="other side has to update"):
        read("zwerm0" + TEXT[6:])


@pytest.mark.parametrize("text", ["", "hello", "v=0\r\no=- 1 1", "zwermen vliegen in de herfst", "x" * (MAX_INPUT + 1)])
def test_what_is_no_code_is_told_as_that(text: str) -> None:
    with pytest.raises(NotACode, match="begins with zwerm1"):
        read(text)


def test_a_length_that_makes_no_sense_is_damage() -> None:
    for length in ("11", "zz", "0I"):
        with pytest.raises(Damaged, match="length makes no sense"):
            read(f"zwerm1{length}{TEXT[8:]}")


@given(st.text(max_size=300) | st.text(max_size=60).map(lambda more: TEXT[:40] + more))
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        code = read(text)
    except PasteError as error:
        told = str(error)
    else:
        told = "."
        assert read(write(code)) == code
    assert told.endswith(".")


def test_codes_of_both_kinds_differ() -> None:
    assert write(CHROMIUM) != TEXT
