"""Parameters and bodies of the app API: read, bounded, and refused by name."""

from __future__ import annotations

import pytest

from zwerm.core.errors import ResourceLimitError, WireError
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import (
    DEFAULT_LIMIT,
    MAX_BODY,
    MAX_LIMIT,
    ROUTES,
    Request,
    field,
    parse_cid,
    parse_time,
    path_list,
    route,
    time_text,
)
from zwerm.ipfs.mfs.errors import BadPath
from zwerm.ipfs.mfs.path import FilePath
from zwerm.multiformats.cid import CID


class Asked:
    """The part of an exchange that a request reads."""

    def __init__(self, body: bytes = b"", **parameters: str) -> None:
        self._body = body
        self._parameters = parameters

    def parameter(self, name: str) -> str | None:
        return self._parameters.get(name)

    async def body(self, limit: int) -> bytes:
        assert limit == MAX_BODY
        if len(self._body) > limit:
            raise ResourceLimitError("too much")
        return self._body


def asked(body: bytes = b"", **parameters: str) -> Request:
    return Request(None, Asked(body, **parameters), "rest")


def refused(function, *arguments, **options) -> AppError:
    with pytest.raises(AppError) as caught:
        function(*arguments, **options)
    assert caught.value.status == 400
    return caught.value


def test_a_parameter_is_there_or_named() -> None:
    assert asked(name="a").text("name") == "a"
    assert asked().text("name", "b") == "b"
    assert asked(name="").optional("name") is None
    error = refused(asked(name="").text, "name")
    assert (error.code, str(error), error.details) == ("bad-request", "The parameter name is missing", "name")


@pytest.mark.parametrize(
    ("text", "number"), [("", DEFAULT_LIMIT), ("7", 7), ("0", 1), ("-5", 1), ("99999999999", MAX_LIMIT), (" 8 ", 8)]
)
def test_a_number_is_brought_into_its_bounds(text: str, number: int) -> None:
    assert asked(limit=text).limit() == number


@pytest.mark.parametrize("text", ["x", "1.5", "1e3", "9" * 5_000])
def test_what_is_no_number_is_refused(text: str) -> None:
    assert refused(asked(limit=text).limit).details == "limit"


def test_a_choice_is_one_of_its_words() -> None:
    assert asked().choice("sort", "name", "size") == "name"
    assert asked(sort="size").choice("sort", "name", "size") == "size"
    assert "expected name, size" in str(refused(asked(sort="age").choice, "sort", "name", "size"))


def test_paths_and_cids_are_read() -> None:
    cid = CID.of(b"block")
    assert asked(cid=str(cid)).cid() == cid
    assert asked(path="/a/b/").path() == FilePath(("a", "b"))
    assert asked().path(default="/") == FilePath()
    error = refused(parse_cid, "nonsense" * 100)
    assert error.code == "bad-cid"
    assert len(error.details) == 200
    with pytest.raises(BadPath):
        asked(path="a").path()


@pytest.mark.parametrize(("body", "document"), [(b"", {}), (b"{}", {}), (b'{"a": [1]}', {"a": [1]})])
async def test_a_body_is_an_object(body: bytes, document: dict) -> None:
    assert await asked(body).json() == document


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"1", "not a JSON object"),
    ],
    ids=["cut short", "no text", "too deep", "a list", "a number"],
)
async def test_another_body_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(AppError, match=message):
        await asked(body).json()


async def test_a_body_without_end_is_refused() -> None:
    with pytest.raises(ResourceLimitError):
        await asked(bytes(MAX_BODY + 1)).json()


async def test_a_body_that_breaks_off_is_not_blamed_on_its_json() -> None:
    class Broken(Asked):
        async def body(self, limit: int) -> bytes:
            raise WireError("broke off")

    with pytest.raises(WireError, match="broke off"):
        await Request(None, Broken(), "").json()


def test_a_field_has_its_kind() -> None:
    assert field({"a": 1}, "a", int) == 1
    assert field({}, "a", int, 5) == 5
    assert field({"a": None}, "a", int, None) is None
    assert str(refused(field, {}, "a", int)) == "The field a is missing"
    assert str(refused(field, {"a": "1"}, "a", int)) == "The field a is not of the kind int"
    assert refused(field, {"a": True}, "a", int).details == "a"
    assert field({"a": True}, "a", bool) is True


def test_a_list_of_paths_has_at_least_one() -> None:
    assert path_list({"paths": ["/a", "/b/"]}, "paths") == [FilePath(("a",)), FilePath(("b",))]
    for wrong in ([], [1], ["/a", None]):
        assert "at least one path" in str(refused(path_list, {"paths": wrong}, "paths"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (1_580_000_000.5, "2020-01-26T00:53:20.500Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (2**60, None),
        (-(2**60), None),
        (2**63 - 1, None),
    ],
)
def test_a_time_is_text_in_utc_and_one_beyond_the_calendar_is_unknown(seconds: float | None, text: str | None) -> None:
    assert time_text(seconds) == text


def test_times_are_read_with_and_without_a_zone() -> None:
    assert parse_time("1970-01-01T00:00:10Z") == parse_time("1970-01-01T00:00:10") == 10
    assert parse_time("1970-01-01T01:00:10+01:00") == 10
    assert refused(parse_time, "yesterday" * 10).details == ("yesterday" * 10)[:40]


def test_a_route_is_entered_under_its_path_and_method() -> None:
    async def answer(request: Request) -> dict:
        return {}

    try:
        assert route("GET", "a test")(answer) is answer
        route("PUT", "a test")(answer)
        assert ROUTES["a test"] == {"GET": answer, "PUT": answer}
    finally:
        del ROUTES["a test"]
