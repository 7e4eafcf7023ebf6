"""How people name a version, and what is none."""

from __future__ import annotations

import datetime as dt

import pytest

from zwerm.ipfs.versions.address import AtTime, Back, BadVersion, Named, parse, short, split
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

COMMIT = CID.of(b"commit", multicodec.DAG_CBOR)
OTHER = CID.of(b"other", multicodec.DAG_CBOR)
UTC = dt.UTC
BERLIN = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(("text", "count"), [("~", 1), ("~0", 0), ("~1", 1), ("~25", 25)])
def test_so_many_back(text: str, count: int) -> None:
    assert parse(text) == Back(count)


@pytest.mark.parametrize("length", [6, 7, 8, 11, 12, 51, 52])
def test_the_beginning_of_a_commit_after_what_all_have_in_common(length: int) -> None:
    text = str(COMMIT)
    for beginning in (text[7 : 7 + length], text[: 7 + length]):
        named = parse(beginning)
        assert isinstance(named, Named)
        assert named.matches(COMMIT)
        assert not named.matches(OTHER)


def test_a_whole_cid_is_that_commit_alone() -> None:
    for text in (str(COMMIT), COMMIT.encode("base58btc")):
        named = parse(text)
        assert isinstance(named, Named)
        assert named.cid == COMMIT
    assert parse(str(COMMIT)[:30]).cid is None
    blake = CID.of(b"commit", multicodec.DAG_CBOR, multicodec.BLAKE3)
    assert parse(str(blake)).cid == blake


def test_a_short_form_leads_back() -> None:
    assert len(short(COMMIT)) == 12
    assert parse(short(COMMIT)).matches(COMMIT)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-31", dt.datetime(2026, 7, 31, 23, 59, 59, 999_999, UTC)),
        ("20260731", dt.datetime(2026, 7, 31, 23, 59, 59, 999_999, UTC)),
        ("2026-07-31T12:30", dt.datetime(2026, 7, 31, 12, 30, tzinfo=UTC)),
        ("2026-07-31 12:30:15", dt.datetime(2026, 7, 31, 12, 30, 15, tzinfo=UTC)),
        ("2026-07-31T12:30:15.25Z", dt.datetime(2026, 7, 31, 12, 30, 15, 250_000, UTC)),
        ("2026-07-31T12:30+02:00", dt.datetime(2026, 7, 31, 12, 30, tzinfo=BERLIN)),
    ],
)
def test_a_date_is_a_moment_and_a_bare_one_the_end_of_its_day(text: str, moment: dt.datetime) -> None:
    assert parse(text, zone=UTC) == AtTime(int(moment.timestamp() * 1000))


def test_a_date_without_a_zone_is_one_of_this_machine() -> None:
    local = dt.datetime(2026, 7, 31, 12, 30).astimezone()
    assert parse("2026-07-31T12:30") == AtTime(int(local.timestamp() * 1000))


@pytest.mark.parametrize(
    "text",
    [
        *("", "~x", "~-1", "abcde", "ABCDEF", "abcde1", "2026-13-01", "2026-07-31T99:00", "0000-01-01", "last week"),
        "a" * 53,
        "bafyrei" + "a" * 60,
        str(CID.of(b"raw")),
        str(CID.of(b"pb", multicodec.DAG_PB)),
        "b" + "a" * 58,
    ],
)
def test_what_names_no_version_is_said_so(text: str) -> None:
    with pytest.raises(BadVersion):
        parse(text, zone=UTC)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/a/b@~2", ("/a/b", "~2")),
        ("/a@b@2026-07-31", ("/a@b", "2026-07-31")),
        (f"/a@{short(COMMIT)}", ("/a", short(COMMIT))),
        ("/a/me@work", ("/a/me@work", None)),
        ("/a@~1/b", ("/a@~1/b", None)),
        ("/a", ("/a", None)),
        ("@~1", ("@~1", None)),
    ],
)
def test_a_path_and_its_version_are_told_apart(text: str, parts: tuple[str, str | None]) -> None:
    assert split(text) == parts
