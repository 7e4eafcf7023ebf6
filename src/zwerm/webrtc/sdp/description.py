"""Session descriptions (RFC 8866): a session section and media sections, with the attributes of JSEP.

    description = SessionDescription.parse(text)
    description.media[0].mid, description.bundle, str(description) == text

`parse` looks at the shape alone; `check` reads every value that this module knows, so that what is malformed is found
before anything is made of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final, Self

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.sdp.line import Line, parse_lines
from zwerm.webrtc.sdp.section import Section
from zwerm.webrtc.sdp.values import (
    Connection,
    Direction,
    Feedback,
    FormatParameters,
    Group,
    MediaStreamId,
    Origin,
    Rid,
    RtpMap,
    Setup,
    Simulcast,
    SourceAttribute,
    number,
    tokens,
)

MAX_MEDIA: Final = 256  # media sections of a description
MAX_CANDIDATES: Final = 1_000  # of one section
DEFAULT_MAX_MESSAGE_SIZE: Final = 65_536  # bytes, where `a=max-message-size` is absent (RFC 8841 section 6.1)


class MediaDescription(Section):
    """`m=` and what belongs to it."""

    def __init__(self, lines: Iterable[Line], session: Section) -> None:
        """Take lines of which the first is `m=`.

        Raises:
            WireError: the first line has not a kind, a port, a protocol and formats.
        """
        super().__init__(lines)
        self._session = session
        fields = self.lines[0].value.split()
        if len(fields) < 3:
            raise WireError(f"medium {self.lines[0].value[:80]!r}, expected a kind, a port, a protocol and formats")
        self.kind = fields[0]
        port, _, count = fields[1].partition("/")
        self.port = number(port, 65_535, "port")
        self.port_count = number(count, 65_535, "number of ports") if count else 1
        self.protocol = fields[2]
        self.formats = tuple(fields[3:])

    @property
    def is_rejected(self) -> bool:
        """RFC 3264 section 6: port 0, unless it waits for a bundle (RFC 9143 section 6)."""
        return self.port == 0 and not self.has("bundle-only")

    @property
    def is_data_channel(self) -> bool:
        """RFC 8841: SCTP over DTLS, in the form of today or of the drafts before."""
        return self.kind == "application" and self.protocol.endswith("DTLS/SCTP")

    @property
    def mid(self) -> str | None:
        value = self.attribute("mid")
        if value is not None and len(tokens(value, "mid")) != 1:
            raise WireError(f"mid {value[:40]!r}, expected a token")
        return value

    # What the session may say for all media.

    @property
    def effective_connection(self) -> Connection | None:
        return self.connection or self._session.connection

    @property
    def effective_direction(self) -> Direction:
        return self.direction or self._session.direction or Direction.SENDRECV

    @property
    def effective_ice(self) -> tuple[str, str] | None:
        """Username fragment and password, of one level, never mixed; None where there are none."""
        for level in (self, self._session):
            ufrag, pwd = level.ice_ufrag, level.ice_pwd
            if ufrag is not None and pwd is not None:
                return ufrag, pwd
        return None

    @property
    def effective_ice_options(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._session.ice_options + self.ice_options))

    @property
    def effective_fingerprints(self) -> list[Fingerprint]:
        """RFC 8122 section 5: those of the medium, else of the session."""
        return self.fingerprints or self._session.fingerprints

    @property
    def effective_setup(self) -> Setup | None:
        return self.setup or self._session.setup

    # Data channels.

    @property
    def sctp_port(self) -> int | None:
        """RFC 8841 section 5, or the `sctpmap` of the drafts; None where neither is given."""
        value = self.attribute("sctp-port")
        if value is None and (old := self.attribute("sctpmap")) is not None:
            value = old.partition(" ")[0]
        return None if value is None else number(value, 65_535, "sctp-port")

    @property
    def max_message_size(self) -> int:
        """Bytes; 0 means any size (RFC 8841 section 6)."""
        value = self.attribute("max-message-size")
        return DEFAULT_MAX_MESSAGE_SIZE if value is None else number(value, (1 << 64) - 1, "max-message-size")

    # Transport.

    @property
    def candidates(self) -> list[Candidate]:
        """Those that can be read: RFC 8839 section 5.1 lets an agent pass over what it does not understand."""
        found: list[Candidate] = []
        for value in self.attributes("candidate")[:MAX_CANDIDATES]:
            try:
                found.append(Candidate.from_text(f"candidate:{value}"))
            except WireError:
                continue
        return found

    @property
    def has_end_of_candidates(self) -> bool:
        return self.has("end-of-candidates") or self._session.has("end-of-candidates")

    @property
    def has_rtcp_mux(self) -> bool:
        return self.has("rtcp-mux") or self.has("rtcp-mux-only")

    # RTP.

    @property
    def rtp_maps(self) -> list[RtpMap]:
        return self._records("rtpmap", RtpMap.from_text)

    @property
    def format_parameters(self) -> list[FormatParameters]:
        return self._records("fmtp", FormatParameters.from_text)

    @property
    def feedback(self) -> list[Feedback]:
        return self._records("rtcp-fb", Feedback.from_text)

    @property
    def sources(self) -> list[SourceAttribute]:
        return self._records("ssrc", SourceAttribute.from_text)

    @property
    def source_groups(self) -> list[Group]:
        return self._records("ssrc-group", Group.from_text)

    @property
    def media_stream_ids(self) -> list[MediaStreamId]:
        return self._records("msid", MediaStreamId.from_text)

    @property
    def rids(self) -> list[Rid]:
        return self._records("rid", Rid.from_text)

    @property
    def simulcast(self) -> Simulcast | None:
        value = self.attribute("simulcast")
        return None if value is None else Simulcast.from_text(value)

    def check(self) -> None:
        """Read everything once; raises WireError at the first that is malformed."""
        _read(self, _OF_MEDIA)


class SessionDescription(Section):
    """A whole description; `lines` are those before the first medium."""

    def __init__(self, lines: Iterable[Line] = (), media: Iterable[MediaDescription] = ()) -> None:
        super().__init__(lines)
        self.media = list(media)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read untrusted text; bytes are to be decoded as UTF-8 with `surrogateescape`, and come out as they were.

        Raises:
            WireError: no `v=0` at the start, a malformed line or medium, or more than a limit allows.
        """
        lines = parse_lines(text)
        if not lines or lines[0][:2] != ("v", "0"):
            raise WireError(f"SDP begins with {text[:20]!r}, expected v=0")
        starts = [index for index, line in enumerate(lines) if line.type == "m"]
        if len(starts) > MAX_MEDIA:
            raise WireError(f"{len(starts)} media, the limit is {MAX_MEDIA}")
        description = cls(lines[: starts[0]] if starts else lines)
        for start, end in itertools.pairwise([*starts, len(lines)]):
            description.media.append(MediaDescription(lines[start:end], description))
        return description

    def add_media(self, kind: str, port: int, protocol: str, formats: Iterable[object]) -> MediaDescription:
        """Append a medium and return it, to be filled."""
        value = " ".join((kind, str(port), protocol, *map(str, formats)))
        section = Section()
        section.add("m", value)
        medium = MediaDescription(section.lines, self)
        self.media.append(medium)
        return medium

    def __str__(self) -> str:
        return super().__str__() + "".join(map(str, self.media))

    def to_bytes(self) -> bytes:
        """As it goes over the wire; the inverse of decoding with `surrogateescape`."""
        return str(self).encode("utf-8", "surrogateescape")

    @property
    def origin(self) -> Origin | None:
        value = self.find("o")
        return None if value is None else Origin.from_text(value)

    @property
    def name(self) -> str | None:
        return self.find("s")

    @property
    def groups(self) -> list[Group]:
        return self._records("group", Group.from_text)

    @property
    def bundle(self) -> tuple[str, ...]:
        """The mids of the first BUNDLE group (RFC 9143); empty where there is none."""
        return next((group.members for group in self.groups if group.semantics == "BUNDLE"), ())

    @property
    def is_ice_lite(self) -> bool:
        return self.has("ice-lite")

    @property
    def allows_mixed_extensions(self) -> bool:
        return self.has("extmap-allow-mixed")

    def medium(self, mid: str) -> MediaDescription | None:
        """The medium of that mid; None where there is none."""
        return next((medium for medium in self.media if medium.mid == mid), None)

    def check(self) -> None:
        """Read everything once, and see that mids are unique and groups name only what is there.

        Raises:
            WireError: the first thing that is malformed.
        """
        _read(self, _OF_SESSIONS)
        for medium in self.media:
            medium.check()
        mids = [medium.mid for medium in self.media if medium.mid is not None]
        if len(set(mids)) < len(mids):
            raise WireError(f"mids {', '.join(mids)}, expected each once")
        strangers = set(self.bundle) - set(mids)
        if strangers:
            raise WireError(f"BUNDLE names {', '.join(sorted(strangers))}, which no medium has")


def _read(section: Section, properties: Iterable[str]) -> None:
    with section._indexed():
        for name in properties:
            getattr(section, name)


def _properties(kind: type[Section]) -> tuple[str, ...]:
    members = [member for owner in kind.__mro__ for member in vars(owner).items()]
    return tuple(dict.fromkeys(name for name, value in members if isinstance(value, property)))


_OF_SESSIONS: Final = _properties(SessionDescription)
_OF_MEDIA: Final = _properties(MediaDescription)
