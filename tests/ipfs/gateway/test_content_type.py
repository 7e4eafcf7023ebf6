"""Path Gateway specification, "Content-Type": by name, then by magic bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.ipfs.gateway import content_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/b/app.mjs", "text/javascript; charset=utf-8"),
        ("photo.JPG", "image/jpeg"),
        ("picture.webp", "image/webp"),
        ("logo.svg", "image/svg+xml"),
        ("data.json", "application/json; charset=utf-8"),
        ("archive.tar.gz", "application/gzip"),
        ("README.md", "text/markdown; charset=utf-8"),
        ("module.wasm", "application/wasm"),
        ("no-suffix", None),
    ],
)
def test_by_name(name: str, media_type: str | None) -> None:
    assert content_type.from_name(name) == media_type


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"%PDF-1.7", "application/pdf"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypisom", "video/mp4"),
        (b"  <!DOCTYPE HTML><p>", "text/html; charset=utf-8"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml"),
        (b'<?xml version="1.0"?><feed>', "text/xml; charset=utf-8"),
        (b"hello", "text/plain; charset=utf-8"),
        ("één".encode()[:-1], "text/plain; charset=utf-8"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xff\xfe\xfd", "application/octet-stream"),
        (b"", "text/plain; charset=utf-8"),
    ],
)
def test_by_first_bytes(head: bytes, media_type: str) -> None:
    assert content_type.from_bytes(head) == media_type


@given(st.binary(max_size=600))
def test_every_byte_string_has_a_type(head: bytes) -> None:
    assert "/" in content_type.from_bytes(head)


@given(st.text(max_size=60))
def test_no_name_breaks_it(name: str) -> None:
    content_type.from_name(name)
