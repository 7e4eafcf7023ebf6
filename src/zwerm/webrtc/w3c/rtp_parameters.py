"""What senders and receivers are told and tell (WebRTC 1.0 sections 5.2 and 5.3)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from zwerm.webrtc.jsep.codecs import EXTENSION_IDS, Codec, codecs_of
from zwerm.webrtc.w3c.errors import InvalidAccessError, RTCRangeError, RTCTypeError

_RID: Final = re.compile(r"[0-9A-Za-z_-]{1,255}")  # RFC 8851 section 10

MAX_ENCODINGS: Final = 8


@dataclasses.dataclass(frozen=True)
class RTCRtpCodecCapability:
    """A format that may be negotiated."""

    mimeType: str  # noqa: N815 - the W3C's names; "video/VP8"
    clockRate: int  # noqa: N815 - Hz
    channels: int | None = None
    sdpFmtpLine: str = ""  # noqa: N815

    @classmethod
    def of(cls, kind: str, codec: Codec) -> RTCRtpCodecCapability:
        return cls(f"{kind}/{codec.encoding}", codec.clock_rate, codec.channels, _without_apt(codec))

    @property
    def name(self) -> str:
        """The part of the type after the kind, as programs for aiortc ask for it."""
        return self.mimeType.partition("/")[2]

    @property
    def parameters(self) -> dict[str, str]:
        return Codec(0, self.name, self.clockRate, self.channels, self.sdpFmtpLine).values()


@dataclasses.dataclass(frozen=True)
class RTCRtpHeaderExtensionCapability:
    """A header extension that may be negotiated."""

    uri: str


@dataclasses.dataclass(frozen=True)
class RTCRtpCapabilities:
    """Everything that may be negotiated of a kind."""

    codecs: list[RTCRtpCodecCapability]
    headerExtensions: list[RTCRtpHeaderExtensionCapability]  # noqa: N815


@dataclasses.dataclass(frozen=True)
class RTCRtpCodecParameters:
    """A format that was negotiated."""

    payloadType: int  # noqa: N815
    mimeType: str  # noqa: N815
    clockRate: int  # noqa: N815
    channels: int | None = None
    sdpFmtpLine: str = ""  # noqa: N815


@dataclasses.dataclass
class RTCRtpEncodingParameters:
    """One of the streams that a sender makes of its track."""

    rid: str | None = None
    active: bool = True
    maxBitrate: int | None = None  # noqa: N815 - bit/s
    maxFramerate: float | None = None  # noqa: N815
    scaleResolutionDownBy: float | None = None  # noqa: N815

    @classmethod
    def of(cls, given: RTCRtpEncodingParameters | Mapping[str, Any]) -> RTCRtpEncodingParameters:
        """A copy, also of a dictionary as in JavaScript.

        Raises:
            RTCTypeError: it has a member that is not known.
        """
        if isinstance(given, RTCRtpEncodingParameters):
            return dataclasses.replace(given)
        try:
            return cls(**given)
        except TypeError as error:
            raise RTCTypeError(f"an encoding of {', '.join(given)}: {error}") from None


@dataclasses.dataclass
class RTCRtpSendParameters:
    """What `getParameters` gives, and `setParameters` takes back with changes."""

    transactionId: str  # noqa: N815
    encodings: list[RTCRtpEncodingParameters]
    codecs: list[RTCRtpCodecParameters]
    headerExtensions: list[RTCRtpHeaderExtensionCapability] = dataclasses.field(default_factory=list)  # noqa: N815


@dataclasses.dataclass
class RTCRtpReceiveParameters:
    """What a receiver has agreed on."""

    codecs: list[RTCRtpCodecParameters]
    headerExtensions: list[RTCRtpHeaderExtensionCapability] = dataclasses.field(default_factory=list)  # noqa: N815


def capabilities_of(kind: str) -> RTCRtpCapabilities | None:
    """What may be negotiated of "audio" or "video"; None of anything else."""
    if kind not in EXTENSION_IDS:
        return None
    codecs = list(dict.fromkeys(RTCRtpCodecCapability.of(kind, codec) for codec in codecs_of(kind)))
    return RTCRtpCapabilities(codecs, [RTCRtpHeaderExtensionCapability(uri) for uri in EXTENSION_IDS[kind]])


def preferences_of(kind: str, codecs: Iterable[RTCRtpCodecCapability]) -> tuple[Codec, ...]:
    """Read the argument of `setCodecPreferences`; empty: no preference.

    Raises:
        InvalidAccessError: one cannot be negotiated, or only retransmission is left.
    """
    wanted = list(dict.fromkeys(codecs))
    known = {RTCRtpCodecCapability.of(kind, codec): codec for codec in codecs_of(kind) if not codec.is_retransmission}
    repeats = {one for one in wanted if one.mimeType.lower() == f"{kind}/rtx"}
    plain = [one for one in wanted if one not in repeats]
    for one in plain:
        if one not in known:
            raise InvalidAccessError(f"{one.mimeType} {one.sdpFmtpLine} cannot be negotiated".rstrip())
    if wanted and not plain:
        raise InvalidAccessError("retransmission alone, expected a codec")
    result: list[Codec] = []
    for one in plain:
        codec = known[one]
        result.append(codec)
        if repeats:
            result += [again for again in codecs_of(kind) if again.repaired == codec.payload_type]
    return tuple(result)


def check_encodings(
    kind: str, given: Sequence[RTCRtpEncodingParameters | Mapping[str, Any]]
) -> list[RTCRtpEncodingParameters]:
    """Read the argument `sendEncodings` of `addTransceiver` (WebRTC 1.0 section 5.1); at least one comes out.

    Raises:
        RTCTypeError: a rid is malformed, missing beside others, or there twice.
        RTCRangeError: a resolution would grow, or a rate of frames is not above zero.
    """
    encodings = [RTCRtpEncodingParameters.of(one) for one in given]
    rids = [one.rid for one in encodings if one.rid is not None]
    if any(not _RID.fullmatch(rid) for rid in rids):
        raise RTCTypeError(f"rids {', '.join(rids)}, expected letters, digits, - and _")
    if rids and len(rids) < len(encodings):
        raise RTCTypeError("some encodings have a rid and others have none")
    if len(set(rids)) < len(rids):
        raise RTCTypeError(f"rids {', '.join(rids)}, expected each once")
    for one in encodings:
        if kind == "audio":
            one.scaleResolutionDownBy = one.maxFramerate = None
        check_ranges(one)
    encodings = encodings[:MAX_ENCODINGS] or [RTCRtpEncodingParameters()]
    if kind == "video":
        is_scaled = any(one.scaleResolutionDownBy is not None for one in encodings)
        for index, one in enumerate(encodings):
            if one.scaleResolutionDownBy is None:
                one.scaleResolutionDownBy = 1.0 if is_scaled else 2.0 ** (len(encodings) - index - 1)
    if len(encodings) == 1:
        encodings[0].rid = None
    return encodings


def check_ranges(encoding: RTCRtpEncodingParameters) -> None:
    """Raise RTCRangeError where a number is out of its range."""
    scale, rate = encoding.scaleResolutionDownBy, encoding.maxFramerate
    if scale is not None and scale < 1.0:
        raise RTCRangeError(f"scaleResolutionDownBy {scale}, expected 1.0 or more")
    if rate is not None and rate <= 0.0:
        raise RTCRangeError(f"maxFramerate {rate}, expected more than 0")


def codec_parameters(kind: str, codecs: Iterable[Codec]) -> list[RTCRtpCodecParameters]:
    return [
        RTCRtpCodecParameters(
            codec.payload_type, f"{kind}/{codec.encoding}", codec.clock_rate, codec.channels, codec.parameters
        )
        for codec in codecs
    ]


def _without_apt(codec: Codec) -> str:
    return "" if codec.is_retransmission else codec.parameters
