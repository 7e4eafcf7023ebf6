"""Writing the sections of offers and answers (RFC 9429 sections 5.2 and 5.3).

There is one transport, so every section that is not rejected is in the one BUNDLE group, and repeats what is said of
the transport: RFC 9143 would have it in the first one only, and not every peer finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from zwerm.webrtc.connection.description import DISCARD, FORMAT, PROTOCOL, SCTP_PORT, Local
from zwerm.webrtc.jsep.codecs import EXTENSION_IDS, Codec
from zwerm.webrtc.jsep.transceiver import SENDING, Transceiver
from zwerm.webrtc.sdp.description import MediaDescription, SessionDescription
from zwerm.webrtc.sdp.values import Direction, HeaderExtension, Setup

RTP_PROTOCOL: Final = "UDP/TLS/RTP/SAVPF"


class Slot(NamedTuple):
    """A place in the order of sections, which never changes, and what stands there now."""

    kind: str
    protocol: str
    formats: tuple[str, ...]
    mid: str
    is_rejected: bool

    @classmethod
    def of(cls, medium: MediaDescription, index: int) -> Slot:
        return cls(medium.kind, medium.protocol, medium.formats, mid_of(medium, index), medium.is_rejected)

    @property
    def is_data(self) -> bool:
        return self.kind == "application" and self.protocol.endswith("DTLS/SCTP")


class Flow(NamedTuple):
    """What one section for media says."""

    transceiver: Transceiver
    direction: Direction
    codecs: Sequence[Codec]
    extensions: Sequence[HeaderExtension]
    rids: Sequence[str] = ()  # that we send


def mid_of(medium: MediaDescription, index: int) -> str:
    """The identification of a section; one without gets a name by its place, which is not signaled."""
    return medium.mid if medium.mid is not None else f"section-{index}"


def is_rtp(medium: MediaDescription) -> bool:
    """Whether it is media that could be negotiated: over DTLS (RFC 5764), and with payload types."""
    return medium.kind in ("audio", "video") and medium.protocol.endswith(("TLS/RTP/SAVP", "TLS/RTP/SAVPF"))


def begin(local: Local, version: int, bundle: Iterable[str]) -> SessionDescription:
    """Write the part before the sections."""
    description = SessionDescription()
    description.add("v", "0")
    description.add("o", f"- {local.session_id} {version} IN IP4 127.0.0.1")
    description.add("s", "-")
    description.add("t", "0 0")
    members = tuple(bundle)
    if members:
        description.add_attribute("group", " ".join(("BUNDLE", *members)))
    return description


def add_rejected(description: SessionDescription, slot: Slot, *, mid: str | None) -> None:
    """Write a section that is refused, or that is over."""
    medium = description.add_media(slot.kind, 0, slot.protocol, slot.formats)
    medium.add("c", "IN IP4 0.0.0.0")
    if mid is not None:
        medium.add_attribute("mid", mid)
    medium.add_attribute("inactive")


def add_data(
    description: SessionDescription,
    local: Local,
    mid: str | None,
    setup: Setup,
    *,
    is_bundle_only: bool = False,
) -> None:
    """Write the section of data channels (RFC 8841)."""
    medium = description.add_media("application", 0 if is_bundle_only else DISCARD, PROTOCOL, (FORMAT,))
    _add_transport(medium, local, mid, setup, is_bundle_only=is_bundle_only)
    medium.add_attribute("sctp-port", SCTP_PORT)
    medium.add_attribute("max-message-size", local.max_message_size)


def add_flow(
    description: SessionDescription,
    local: Local,
    mid: str | None,
    setup: Setup,
    flow: Flow,
    *,
    is_bundle_only: bool = False,
) -> None:
    """Write a section for media."""
    one = flow.transceiver
    numbers = [codec.payload_type for codec in flow.codecs]
    medium = description.add_media(one.kind, 0 if is_bundle_only else DISCARD, RTP_PROTOCOL, numbers)
    _add_transport(medium, local, mid, setup, is_bundle_only=is_bundle_only)
    for extension in flow.extensions:
        medium.add_attribute("extmap", extension)
    medium.add_attribute(flow.direction.value)
    if one.direction in SENDING:  # what it wants, also where the answer gives less
        for stream in one.streams or ("-",):
            medium.add_attribute("msid", f"{stream} {one.track}".rstrip())
    medium.add_attribute("rtcp-mux")
    medium.add_attribute("rtcp-rsize")
    for codec in flow.codecs:
        _add_codec(medium, codec)
    if len(flow.rids) > 1 and flow.direction in SENDING:
        for rid in flow.rids:
            medium.add_attribute("rid", f"{rid} send")
        medium.add_attribute("simulcast", f"send {';'.join(flow.rids)}")


def agreed_extensions(medium: MediaDescription) -> list[HeaderExtension]:
    """Those of an offer that we know, by its numbers."""
    known = EXTENSION_IDS.get(medium.kind, {})
    return [HeaderExtension(one.id, one.uri) for one in medium.header_extensions if one.uri in known]


def _add_transport(
    medium: MediaDescription, local: Local, mid: str | None, setup: Setup, *, is_bundle_only: bool
) -> None:
    medium.add("c", "IN IP4 0.0.0.0")
    if mid is not None:
        medium.add_attribute("mid", mid)
    if is_bundle_only:
        medium.add_attribute("bundle-only")
        return
    medium.add_attribute("ice-ufrag", local.credentials.ufrag)
    medium.add_attribute("ice-pwd", local.credentials.password)
    medium.add_attribute("ice-options", " ".join(local.ice_options))
    medium.add_attribute("fingerprint", local.fingerprint)
    medium.add_attribute("setup", setup.value)


def _add_codec(medium: MediaDescription, codec: Codec) -> None:
    channels = f"/{codec.channels}" if codec.channels is not None and codec.channels > 1 else ""
    medium.add_attribute("rtpmap", f"{codec.payload_type} {codec.encoding}/{codec.clock_rate}{channels}")
    for kind in codec.feedback:
        medium.add_attribute("rtcp-fb", f"{codec.payload_type} {kind}")
    if codec.parameters:
        medium.add_attribute("fmtp", f"{codec.payload_type} {codec.parameters}")
