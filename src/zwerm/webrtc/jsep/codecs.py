"""The formats that descriptions name (RFC 7874, RFC 7742), and how two sides agree on them (RFC 9429 section 5.3.1).

They are what can be negotiated. Nothing here encodes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.sdp.description import MediaDescription
from zwerm.webrtc.sdp.values import FormatParameters, RtpMap

RETRANSMISSION: Final = "rtx"  # RFC 4588
DYNAMIC: Final = tuple(range(96, 128)) + tuple(range(35, 64))  # payload types that are nobody's, RFC 3551 section 6

# Parameters that make one encoding two formats: those that differ in them do not agree.
_DISTINGUISHING: Final = {"h264": {"packetization-mode": "0"}, "vp9": {"profile-id": "0"}}
_H264_DEFAULT_PROFILE: Final = "42000a"  # RFC 6184 section 8.1: baseline, where profile-level-id is absent


@dataclasses.dataclass(frozen=True, slots=True)
class Codec:
    """A format with the number it goes by."""

    payload_type: int
    encoding: str  # "opus", without "audio/"
    clock_rate: int  # Hz
    channels: int | None = None  # of audio
    parameters: str = ""  # of fmtp
    feedback: tuple[str, ...] = ()  # "nack pli"

    @property
    def key(self) -> tuple[str, int, int]:
        return self.encoding.lower(), self.clock_rate, self.channels or 1

    @property
    def is_retransmission(self) -> bool:
        return self.encoding.lower() == RETRANSMISSION

    @property
    def repaired(self) -> int | None:
        """The payload type that a retransmission format repeats."""
        value = self.values().get("apt", "")
        return int(value) if self.is_retransmission and value.isdecimal() else None

    def values(self) -> dict[str, str]:
        return FormatParameters("", self.parameters).to_dict()

    def agrees(self, other: Codec) -> bool:
        """Whether both are the same format, whatever their numbers."""
        if self.key != other.key:
            return False
        ours, theirs = self.values(), other.values()
        name = self.encoding.lower()
        if name == "h264" and _h264_profile(ours) != _h264_profile(theirs):
            return False
        return all(
            ours.get(key, value) == theirs.get(key, value) for key, value in _DISTINGUISHING.get(name, {}).items()
        )


_VIDEO_FEEDBACK: Final = ("ccm fir", "nack", "nack pli")
_RTX: Final = (RETRANSMISSION, 90_000, None)

AUDIO: Final = (
    Codec(111, "opus", 48_000, 2, "minptime=10;useinbandfec=1"),
    Codec(9, "G722", 8_000, 1),
    Codec(0, "PCMU", 8_000, 1),
    Codec(8, "PCMA", 8_000, 1),
)
VIDEO: Final = (
    Codec(96, "VP8", 90_000, feedback=_VIDEO_FEEDBACK),
    Codec(97, *_RTX, "apt=96"),
    Codec(
        102,
        "H264",
        90_000,
        None,
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        _VIDEO_FEEDBACK,
    ),
    Codec(103, *_RTX, "apt=102"),
    Codec(98, "VP9", 90_000, None, "profile-id=0", _VIDEO_FEEDBACK),
    Codec(99, *_RTX, "apt=98"),
    Codec(45, "AV1", 90_000, None, "level-idx=5;profile=0;tier=0", _VIDEO_FEEDBACK),
    Codec(46, *_RTX, "apt=45"),
)
MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"  # without it packets of a bundle could not be told apart
EXTENSION_IDS: Final = {  # the numbers are Chromium's: when offers cross, it minds if ours mean something else
    "audio": {MID: 4},
    "video": {
        MID: 4,
        "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": 10,
        "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": 11,
    },
}


def codecs_of(kind: str) -> tuple[Codec, ...]:
    """Everything that may be negotiated of "audio" or "video"."""
    return AUDIO if kind == "audio" else VIDEO


def read_codecs(medium: MediaDescription) -> list[Codec]:
    """The formats of a section, in its order; those without `rtpmap` by their fixed numbers.

    Raises:
        WireError: something in it is malformed.
    """
    maps: dict[int, RtpMap] = {one.payload_type: one for one in medium.rtp_maps}
    parameters = {one.format: one.parameters for one in medium.format_parameters}
    fixed = {codec.payload_type: codec for codec in AUDIO if codec.payload_type < 35}
    found: list[Codec] = []
    for text in medium.formats:
        if not text.isdecimal() or int(text) > 127:
            raise WireError(f"format {text[:40]!r} of {medium.kind}, expected a payload type")
        number = int(text)
        one = maps.get(number)
        if one is not None:
            channels = int(one.parameters) if one.parameters.isdecimal() else None
            feedback = tuple(
                f"{line.kind} {line.parameters}".rstrip()
                for line in medium.feedback
                if line.payload_type in ("*", text)
            )
            found.append(Codec(number, one.encoding, one.clock_rate, channels, parameters.get(text, ""), feedback))
        elif number in fixed:
            found.append(fixed[number])
    return found


def agree(ours: Sequence[Codec], offered: Sequence[Codec], *, is_ours_first: bool = False) -> list[Codec]:
    """The formats both have, by the numbers of the offer and in its order, or in ours; each with its retransmission."""
    plain = [codec for codec in ours if not codec.is_retransmission]
    if is_ours_first:
        pairs = [(own, one) for own in plain for one in offered if own.agrees(one)]
    else:
        pairs = [(own, one) for one in offered for own in plain if own.agrees(one)]
    repeats = any(codec.is_retransmission for codec in ours)
    agreed: list[Codec] = []
    for own, one in pairs:
        if any(own.agrees(other) for other in agreed):
            continue
        feedback = tuple(kind for kind in own.feedback if kind in one.feedback)
        agreed.append(dataclasses.replace(own, payload_type=one.payload_type, feedback=feedback))
        repeat = next((codec for codec in offered if codec.repaired == one.payload_type), None)
        if repeats and repeat is not None:
            agreed.append(Codec(repeat.payload_type, *_RTX, f"apt={one.payload_type}"))
    return agreed


def renumber(codecs: Iterable[Codec], agreed: Sequence[Codec]) -> list[Codec]:
    """`codecs` with the numbers that were agreed on before (RFC 3264 section 8.3.2); no number stands for two."""
    codecs = list(codecs)
    numbers: dict[int, int] = {}  # of plain formats, from ours to the new one
    taken = {codec.payload_type for codec in agreed}
    fresh = iter([number for number in DYNAMIC if number not in taken | {codec.payload_type for codec in codecs}])
    result: list[Codec] = []
    for codec in codecs:
        parameters = codec.parameters
        if codec.is_retransmission:
            base = numbers.get(codec.repaired or -1, codec.repaired)
            known = next((one.payload_type for one in agreed if one.repaired == base), None)
            parameters = f"apt={base}"
        else:
            known = next((one.payload_type for one in agreed if one.agrees(codec)), None)
        if known is None:
            known = codec.payload_type if codec.payload_type not in taken else next(fresh)
        numbers[codec.payload_type] = known
        taken.add(known)
        result.append(dataclasses.replace(codec, payload_type=known, parameters=parameters))
    return result


def _h264_profile(values: dict[str, str]) -> str:
    """The profile without its level. Constrained baseline is met under two names (RFC 6184 section 8.1)."""
    text = values.get("profile-level-id", _H264_DEFAULT_PROFILE).lower()
    profile, constraints = text[:2], text[2:4]
    is_constrained = profile == "42" and constraints[:1] in set("4567cdef")  # the bit constraint_set1_flag
    return "constrained baseline" if is_constrained else f"{profile}{constraints}"
