"""What reaches the screen: names made safe, columns, sizes, times."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.cli.listing import mode_text, moment_text
from zwerm.cli.output import Output, human_size, safe, table


def written(*pieces: object) -> bytes:
    """Write lines, documents and bytes to a pipe."""
    reader, writer = os.pipe()
    try:
        output = Output(writer)
        for piece in pieces:
            if isinstance(piece, bytes):
                output.data(piece)
            elif isinstance(piece, str):
                output.line(piece)
            else:
                output.json(piece)
        output.flush()
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as file:
        return file.read()


def test_lines_bytes_and_documents_keep_their_order() -> None:
    assert written("a", b"\0\1", {"k": "é"}, "\udcff") == b'a\n\0\1{"k":"\xc3\xa9"}\n\xff\n'


def test_large_writes_are_whole() -> None:
    import threading

    reader, writer = os.pipe()
    got = bytearray()

    def read() -> None:
        while chunk := os.read(reader, 65_536):
            got.extend(chunk)

    thread = threading.Thread(target=read)
    thread.start()
    Output(writer).data(bytes(range(256)) * 20_000)
    os.close(writer)
    thread.join()
    os.close(reader)
    assert bytes(got) == bytes(range(256)) * 20_000


@given(st.text())
def test_safe_names_are_printable_and_plain_ones_unchanged(name: str) -> None:
    shown = safe(name)
    assert all(c.isprintable() or "\udc80" <= c <= "\udcff" for c in shown)
    if name.isprintable():
        assert shown == name


def test_columns_are_as_wide_as_their_widest() -> None:
    assert table([("a", "bb", "c"), ("aaa", "b", "cc")]) == ["a   bb c", "aaa b  cc"]
    assert table([]) == []


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_550_000, "1.6 MB"), (10**13, "10.0 TB")]
)
def test_sizes_as_people_write_them(size: int, text: str) -> None:
    assert human_size(size) == text


@pytest.mark.parametrize(
    ("mode", "kind", "text"),
    [
        (0, "-", "-"),
        (0o644, "-", "-rw-r--r--"),
        (0o755, "d", "drwxr-xr-x"),
        (0o4755, "-", "-rwsr-xr-x"),
        (0o2644, "-", "-rw-r-Sr--"),
        (0o1777, "d", "drwxrwxrwt"),
    ],
)
def test_modes_as_ls_writes_them(mode: int, kind: str, text: str) -> None:
    assert mode_text(mode, kind) == text


def test_times_as_ls_writes_them() -> None:
    assert moment_text("0001-01-01T00:00:00Z") == moment_text(None) == "-"
    assert moment_text("2001-02-03T04:05:06.7Z") == "Feb 03  2001"
