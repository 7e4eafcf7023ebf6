"""What a file is, by its name and, failing that, its first bytes (Path Gateway specification, "Content-Type")."""

from __future__ import annotations

import codecs
import mimetypes
from typing import Final

SNIFF_SIZE: Final = 512  # bytes looked at, as in the WHATWG MIME Sniffing standard

_types: Final = mimetypes.MimeTypes()
for _type, _suffix in {
    "text/javascript": ".mjs",
    "text/markdown": ".md",
    "image/avif": ".avif",
    "image/webp": ".webp",
    "image/jxl": ".jxl",
    "application/wasm": ".wasm",
    "application/manifest+json": ".webmanifest",
    "application/vnd.ipld.car": ".car",
    "font/woff2": ".woff2",
    "video/mp2t": ".ts",
    "video/x-matroska": ".mkv",
    "audio/ogg": ".opus",
    "audio/flac": ".flac",
    "text/yaml": ".yaml",
    "application/toml": ".toml",
}.items():
    _types.add_type(_type, _suffix)

_MAGIC: Final[tuple[tuple[bytes, int, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBPVP", 8, "image/webp"),
    (b"BM", 0, "image/bmp"),
    (b"\x00\x00\x01\x00", 0, "image/x-icon"),
    (b"%PDF-", 0, "application/pdf"),
    (b"OggS\x00", 0, "application/ogg"),
    (b"ID3", 0, "audio/mpeg"),
    (b"fLaC", 0, "audio/flac"),
    (b"WAVE", 8, "audio/wav"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypM4A", 4, "audio/mp4"),
    (b"ftyp", 4, "video/mp4"),
    (b"\x1aE\xdf\xa3", 0, "video/webm"),
    (b"\x1f\x8b\x08", 0, "application/gzip"),
    (b"PK\x03\x04", 0, "application/zip"),
    (b"wOF2", 0, "font/woff2"),
    (b"\x00asm", 0, "application/wasm"),
)
_MARKUP: Final[tuple[tuple[bytes, str], ...]] = (
    (b"<!doctype html", "text/html; charset=utf-8"),
    (b"<html", "text/html; charset=utf-8"),
    (b"<head", "text/html; charset=utf-8"),
    (b"<body", "text/html; charset=utf-8"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "text/xml; charset=utf-8"),
)
_TEXT_TYPES: Final = frozenset({"application/json", "application/javascript", "application/xml", "application/toml"})


def from_name(name: str) -> str | None:
    """Return the media type that the name's suffix stands for, or None."""
    guessed, encoding = _types.guess_type(name.rsplit("/", 1)[-1], strict=False)
    if encoding is not None:
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}.get(
            encoding, "application/octet-stream"
        )
    if guessed is not None and (guessed.startswith("text/") or guessed in _TEXT_TYPES):
        return f"{guessed}; charset=utf-8"
    return guessed


def from_bytes(head: bytes) -> str:
    """Return the media type that the first `SNIFF_SIZE` bytes look like; every byte string has an answer."""
    for magic, offset, media_type in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return media_type
    start = head[:SNIFF_SIZE].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for tag, media_type in _MARKUP:
        if start.startswith(tag):
            return "image/svg+xml" if tag == b"<?xml" and b"<svg" in start else media_type
    if b"\x00" in head:
        return "application/octet-stream"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"
