"""RFC 7578 and RFC 2046 section 5.1.1: uploads of any length, cut anywhere, in constant memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.daemon.harness import multipart
from zwerm.core.errors import WireError
from zwerm.daemon.http.multipart import (
    MAX_HEADERS,
    MAX_PREAMBLE,
    MultipartParser,
    PartBegin,
    PartData,
    PartEnd,
    boundary_of,
    split_parameters,
)


def parse(pieces: list[bytes], boundary: str = "zwermtest") -> list[tuple[dict[str, str], bytes]]:
    """Run the machine; return the parts' headers and data."""
    parser = MultipartParser(boundary)
    parts: list[tuple[dict[str, str], bytearray]] = []
    ended = 0
    for piece in pieces:
        for event in parser.receive_data(piece):
            match event:
                case PartBegin(headers):
                    assert ended == len(parts)
                    parts.append((headers, bytearray()))
                case PartData(data):
                    assert data
                    parts[-1][1].extend(data)
                case PartEnd():
                    ended += 1
    parser.receive_eof()
    assert ended == len(parts)
    return [(headers, bytes(data)) for headers, data in parts]


def parse_pieces(pieces: list[bytes]) -> None:
    """Feed without an end."""
    parser = MultipartParser("x")
    for piece in pieces:
        parser.receive_data(piece)


FILES = {"a": b"", "b": b"\r\n--zwermtes", "c": b"--zwermtes", "d": b"\r\n\r\n--\r\r\n-", "e": bytes(1000)}


def test_a_body_in_one_piece() -> None:
    body, _ = multipart(FILES)
    assert [data for _, data in parse([body])] == list(FILES.values())


def test_a_body_byte_by_byte() -> None:
    body, _ = multipart(FILES)
    assert [data for _, data in parse([body[at : at + 1] for at in range(len(body))])] == list(FILES.values())


def test_a_body_cut_in_two_at_every_place() -> None:
    body, _ = multipart(FILES)
    for at in range(len(body)):
        assert [data for _, data in parse([body[:at], body[at:]])] == list(FILES.values())


def test_a_body_that_breaks_off_is_an_error_at_every_place() -> None:
    body, _ = multipart(FILES)
    for at in range(len(body) - len("\r\n")):
        with pytest.raises(WireError):
            parse([body[:at]])


@given(
    st.lists(st.binary(max_size=40), max_size=4),
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
)
def test_any_parts_in_any_pieces_come_out_as_they_went_in(contents: list[bytes], sizes: list[int]) -> None:
    files = {str(number): data for number, data in enumerate(contents)}
    body, _ = multipart(files)
    if not files:
        body = b"--zwermtest--\r\n"
    pieces, at, turn = [], 0, 0
    while at < len(body):
        size = sizes[turn % len(sizes)]
        pieces.append(body[at : at + size])
        at, turn = at + size, turn + 1
    assert [data for _, data in parse(pieces)] == contents


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    for body in (data, b"--x\r\n" + data, b"--x\r\na: b\r\n\r\n" + data):
        try:
            parse([body], "x")
        except WireError:
            continue


def test_memory_does_not_grow_with_the_body() -> None:
    parser = MultipartParser("x")
    parser.receive_data(b"--x\r\na: b\r\n\r\n")
    for piece in (b"\r\n--" * 250, bytes(1000), b"\r" * 1000) * 50:
        out = sum(len(event.data) for event in parser.receive_data(piece) if isinstance(event, PartData))
        assert abs(out - 1000) <= 8
        assert len(parser._kept) <= 8


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\n" + b"a: " + b"b" * (MAX_HEADERS + 10),
        b"--x\r\n" + b"a: b\r\n" * MAX_HEADERS,
        b"p" * (MAX_PREAMBLE + 100),
        b"--x" + b" " * (MAX_PREAMBLE + 100),
        b"--x\r\nno colon\r\n\r\nx",
        b"--x\r\n: empty\r\n\r\nx",
        b"--xyz\r\n",
    ],
    ids=["long header", "many headers", "no boundary", "padding", "no colon", "no name", "longer boundary"],
)
def test_limits_and_malformed_parts_are_refused_before_the_end(body: bytes) -> None:
    with pytest.raises(WireError, match=r"multipart"):
        parse_pieces([body[at : at + 500] for at in range(0, len(body), 500)])


def test_what_stands_before_and_after_the_parts_is_ignored() -> None:
    body = b"preamble\r\n--x \t\r\n\r\ndata\r\n--x--\r\nepilogue\r\n--x\r\n"
    assert parse([body], "x") == [({}, b"data")]


def test_no_parts_at_all() -> None:
    assert parse([b"--x--"], "x") == []


@pytest.mark.parametrize("boundary", ["", "b" * 71, "ü"])
def test_boundaries_have_bounds(boundary: str) -> None:
    with pytest.raises(WireError, match="boundary"):
        MultipartParser(boundary)


def test_the_content_type_says_the_boundary() -> None:
    assert boundary_of('multipart/form-data; charset=utf-8; boundary="a b"') == "a b"
    assert boundary_of("Multipart/Form-Data;boundary=----WebKit1") == "----WebKit1"
    assert boundary_of("application/json") is None
    assert boundary_of("") is None
    with pytest.raises(WireError, match="without a boundary"):
        boundary_of("multipart/form-data")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('form-data; name="file"; filename="a%2Fb.txt"', {"name": "file", "filename": "a%2Fb.txt"}),
        (r'form-data; name="a\"b"', {"name": 'a"b'}),
        ("form-data; name=plain; filename*=UTF-8''%e2%82%ac.txt", {"name": "plain", "filename": "€.txt"}),
        ("form-data; filename=\"x\"; filename*=utf-8'nl'y", {"filename": "y"}),
        ("form-data", {}),
        ('form-data; name="a;b=c"', {"name": "a;b=c"}),
    ],
)
def test_parameters_of_a_header(value: str, expected: dict[str, str]) -> None:
    assert split_parameters(value) == ("form-data", expected)
