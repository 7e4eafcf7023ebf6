"""What payload types and header extensions are called in a session (RFC 9143 sections 9.1 and 10, RFC 8285).

In a bundle a number means one thing in every section. Peers hold on to what they offered even after it was taken back,
so what a peer has ever called something is what we call it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from zwerm.webrtc.jsep.codecs import EXTENSION_IDS, Codec, read_codecs, renumber
from zwerm.webrtc.jsep.sections import is_rtp
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import HeaderExtension


class Numbers:
    """See the module."""

    def __init__(self) -> None:
        self._formats: dict[int, Codec] = {}
        self._extensions: dict[str, int] = {}

    def learn(self, description: SessionDescription) -> None:
        """Take over what the other side calls things; the first name stays."""
        for medium in description.media:
            if is_rtp(medium):
                for codec in read_codecs(medium):
                    self._formats.setdefault(codec.payload_type, codec)
                for extension in medium.header_extensions:
                    self._extensions.setdefault(extension.uri, extension.id)

    def formats_for(self, codecs: Iterable[Codec]) -> list[Codec]:
        """The formats by the numbers that they have here."""
        return renumber(codecs, list(self._formats.values()))

    def extensions_for(self, kind: str) -> list[HeaderExtension]:
        """The header extensions that we offer for "audio" or "video"."""
        taken = set(self._extensions.values())
        found: list[HeaderExtension] = []
        for uri, usual in EXTENSION_IDS[kind].items():
            free = (number for number in itertools.chain([usual], range(1, 15)) if number not in taken)
            number = self._extensions.get(uri) or next(free, None)
            if number is not None:
                taken.add(number)
                found.append(HeaderExtension(number, uri))
        return found
