"""Which form of the content a request asks for (Path Gateway specification, "Accept", "format").

`format` in the URL wins over `Accept`; without either the content is shown as what it is.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from zwerm.core.errors import WireError

_MAX_ACCEPT: Final = 4_096  # characters looked at


class Format(enum.Enum):
    """A response format: the value of `?format=` and its media type."""

    RAW = ("raw", "application/vnd.ipld.raw")
    CAR = ("car", "application/vnd.ipld.car")
    TAR = ("tar", "application/x-tar")
    DAG_JSON = ("dag-json", "application/vnd.ipld.dag-json")
    DAG_CBOR = ("dag-cbor", "application/vnd.ipld.dag-cbor")
    JSON = ("json", "application/json")
    CBOR = ("cbor", "application/cbor")
    IPNS_RECORD = ("ipns-record", "application/vnd.ipfs.ipns-record")

    def __init__(self, word: str, media_type: str) -> None:
        self.word = word
        self.media_type = media_type


_BY_WORD: Final = {form.word: form for form in Format}
_BY_MEDIA_TYPE: Final = {form.media_type: form for form in Format}


class MediaRange(NamedTuple):
    """One element of an Accept header."""

    media_type: str
    parameters: dict[str, str]
    quality: float


class Wish(NamedTuple):
    """What the client wants. `format` is None for the content as it is."""

    format: Format | None
    parameters: dict[str, str]  # of the Accept element that was taken, such as CAR's order and dups
    html: bool  # whether the client can show HTML
    from_accept: bool  # the URL alone would not have said so: Content-Location is due


def parse_accept(header: str) -> list[MediaRange]:
    """Read an untrusted Accept header, the most wanted first; elements that are not media ranges are left out."""
    ranges = []
    for element in header[:_MAX_ACCEPT].split(","):
        media_type, *rest = (part.strip() for part in element.split(";"))
        parameters = {}
        for parameter in rest:
            name, equals, value = parameter.partition("=")
            if equals:
                parameters[name.strip().lower()] = value.strip().strip('"')
        try:
            quality = float(parameters.pop("q", "1"))
        except ValueError:
            continue
        if "/" in media_type and 0 < quality <= 1:
            ranges.append(MediaRange(media_type.lower(), parameters, quality))
    return sorted(ranges, key=lambda element: -element.quality)


def negotiate(format_word: str | None, accept: str) -> Wish:
    """Decide the form of the response.

    Raises:
        WireError: a `format` that the specification does not name.
    """
    accepted = parse_accept(accept)
    html = any(element.media_type in {"text/html", "application/xhtml+xml"} for element in accepted)
    if format_word is not None:
        form = _BY_WORD.get(format_word)
        if form is None:
            raise WireError(f"format {format_word[:64]!r}, expected one of {', '.join(_BY_WORD)}")
        match = next((element for element in accepted if _BY_MEDIA_TYPE.get(element.media_type)), None)
        same = match is not None and match.media_type == form.media_type
        return Wish(form, match.parameters if match and same else {}, html, match is not None and not same)
    for element in accepted:
        form = _BY_MEDIA_TYPE.get(element.media_type)
        if form is not None:
            return Wish(form, element.parameters, html, from_accept=True)
        if element.media_type in {"text/html", "*/*"}:
            break
    return Wish(None, {}, html, from_accept=False)
