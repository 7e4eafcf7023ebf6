"""A description is refused with WireError, or written as it was read; its values are read or refused with WireError."""

from tests.fuzz.inputs import text
from tests.webrtc.sdp.samples import NAMES, read
from zwerm.core.errors import WireError
from zwerm.webrtc.sdp.description import SessionDescription

SEEDS = [read(name).encode("utf-8", "surrogateescape")[:3_000] for name in NAMES] + [b"v=0", b"v=0\r\nm=audio 9 X 0\n"]


def fuzz(data: bytes) -> None:
    source = text(data)
    try:
        description = SessionDescription.parse(source)
    except WireError:
        return
    assert str(description) == source
    assert description.to_bytes() == data
    try:
        description.check()
    except WireError:
        return
    for medium in description.media:
        medium.check()
