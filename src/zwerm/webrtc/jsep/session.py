"""Offer and answer as one machine (RFC 9429 sections 4.1 and 5, WebRTC 1.0 section 4.4.1.5).

    session = Session()
    session.wants_data = True
    offer = session.create_offer(local)          # text
    session.set_local("offer", offer)
    session.set_remote("answer", text_of_the_other_side)
    session.remote, session.role                 # whom to connect to, and who starts

It knows sections and transceivers, and no transport: what ours says of itself comes in as `Local`, what the other side
says of its own goes out as `remote`. Sections keep their places for ever (`Slot`); a place whose section both sides
refused is used again. The first offer that leaves `stable` makes a snapshot, which a rollback brings back.

Nothing is changed when an exception is raised. What the program should hear of is in `take_events`.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from zwerm.core.errors import WireError
from zwerm.webrtc.connection.description import (
    Local,
    Remote,
    data_medium,
    role_for_answer,
    role_for_offer,
    setup_of,
)
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.jsep.checks import (
    check_answer,
    check_continuity,
    check_credentials,
    check_mux,
    check_offer,
)
from zwerm.webrtc.jsep.codecs import read_codecs
from zwerm.webrtc.jsep.events import SessionEvent
from zwerm.webrtc.jsep.grouping import Grouping, describe
from zwerm.webrtc.jsep.negotiation_needed import is_negotiation_needed
from zwerm.webrtc.jsep.numbers import Numbers
from zwerm.webrtc.jsep.plan import Planned, plan_sections
from zwerm.webrtc.jsep.sections import (
    Flow,
    Slot,
    add_data,
    add_flow,
    add_rejected,
    begin,
    is_rtp,
    mid_of,
)
from zwerm.webrtc.jsep.signaling import Description, Side, Signaling, TransportSection
from zwerm.webrtc.jsep.transceiver import Snapshot, Transceiver
from zwerm.webrtc.jsep.transceivers import Transceivers
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.sdp.values import Setup
from zwerm.webrtc.w3c.errors import InvalidStateError, OperationError


class _Stable(NamedTuple):
    """What a rollback brings back."""

    slots: tuple[Slot, ...]
    transceivers: tuple[Snapshot, ...]
    remote: Remote | None
    role: DTLSRole | None


class Session:
    """See the module."""

    def __init__(self, *, is_bundle_only: bool = False, requires_mux: bool = True) -> None:
        """`is_bundle_only` is the policy "max-bundle", `requires_mux` the policy "require" of RTCP."""
        self.signaling = Signaling()
        self.media = Transceivers()
        self.wants_data = False
        self.remote: Remote | None = None  # as its last description has it
        self.role: DTLSRole | None = None  # of ours; decided by the first answer
        self.restarts = False  # the pending offer of the other side has new ICE credentials
        self._is_bundle_only = is_bundle_only
        self._requires_mux = requires_mux
        self._slots: tuple[Slot, ...] = ()
        self._stable: _Stable | None = None  # while something is pending
        self._numbers = Numbers()
        self._plan: dict[str, Transceiver] = {}  # by mid, of the offer that was created last
        self._version = 0

    @property
    def transceivers(self) -> list[Transceiver]:
        """All there are, in the order they were made; the program's own are put here by the owner."""
        return self.media.records

    def take_events(self) -> list[SessionEvent]:
        """What happened since it was asked last."""
        return self.media.take_events()

    def is_negotiation_needed(self) -> bool:
        return is_negotiation_needed(self.signaling, self.transceivers, wants_data=self.wants_data)

    # What descriptions say of the transport.

    @property
    def transport(self) -> TransportSection | None:
        """The section of our description that stands for it; None where there is none."""
        local = self.signaling.of(Side.LOCAL)
        return None if local is None else local.transport

    def ufrags(self, side: Side, *, is_current: bool = False) -> set[str]:
        """The username fragments in the descriptions of a side, or in its current one."""
        both = (self.signaling.current.get(side), None if is_current else self.signaling.pending.get(side))
        return {one.transport.ufrag for one in both if one is not None and one.transport is not None}

    def generation_of(self, mid: str | None, index: int | None, ufrag: str | None) -> str | None:
        """The username fragment that a candidate of the other side belongs to; None where its section is not used.

        Raises:
            InvalidStateError: there is no description of the other side.
            OperationError: it has no such section, or the section no such fragment.
        """
        described = self.signaling.of(Side.REMOTE)
        if described is None:
            raise InvalidStateError("a candidate before the remote description")
        media = described.parsed.media
        if mid is not None:
            index = next((place for place, one in enumerate(media) if one.mid == mid), None)
            if index is None:
                raise OperationError(f"a candidate of section {mid!r}, which the remote description does not have")
        elif index is not None and not 0 <= index < len(media):
            raise OperationError(f"a candidate of section {index}, the remote description has {len(media)}")
        transport = described.transport
        is_present = ufrag is None or (transport is not None and ufrag == transport.ufrag)
        if ufrag is not None and not is_present and ufrag not in self._remote_ufrags(index):
            raise OperationError(f"a candidate of the generation {ufrag[:40]!r}, which no remote description has")
        if transport is None or self.remote is None or index not in (None, transport.index):
            return None
        return ufrag or transport.ufrag

    def _remote_ufrags(self, index: int | None) -> set[str]:
        found: set[str] = set()
        for described in (self.signaling.current.get(Side.REMOTE), self.signaling.pending.get(Side.REMOTE)):
            for place, medium in enumerate(() if described is None else described.parsed.media):
                ice = medium.effective_ice
                if ice is not None and index in (None, place):
                    found.add(ice[0])
            if described is not None and described.transport is not None:
                found.add(described.transport.ufrag)
        return found

    # Writing.

    def create_offer(self, local: Local) -> str:
        """Write an offer of everything that is wanted.

        Raises:
            InvalidStateError: an offer of the other side, or a provisional answer, is being dealt with.
        """
        if self.signaling.state not in ("stable", "have-local-offer"):
            raise InvalidStateError(f"createOffer in signaling state {self.signaling.state}")
        may_recycle = self.signaling.state == "stable"
        plan = list(plan_sections(self._slots, self.transceivers, wants_data=self.wants_data, may_recycle=may_recycle))
        live = self._in_order([one.mid for one in plan if not one.is_rejected])
        self._version += 1
        description = begin(local, self._version, live)
        for one in plan:
            is_bundle_only = self._is_bundle_only and one.is_new and one.mid != live[0]
            self._write_offered(description, local, one, is_bundle_only=is_bundle_only)
        self._plan = {one.mid: one.transceiver for one in plan if one.transceiver is not None}
        return str(description)

    def create_answer(self, local: Local) -> str:
        """Write the answer to the offer that is pending.

        Raises:
            InvalidStateError: there is none.
        """
        pending = self.signaling.pending.get(Side.REMOTE)
        if self.signaling.state not in ("have-remote-offer", "have-local-pranswer") or pending is None:
            raise InvalidStateError(f"createAnswer in signaling state {self.signaling.state}")
        offered = pending.parsed
        grouping = Grouping.of(offered, self.media.refused(offered))
        setup = setup_of(self.role or (DTLSRole.CLIENT if self.remote is None else role_for_offer(self.remote.setup)))
        self._version += 1
        description = begin(local, self._version, grouping.mids if grouping.is_bundle else ())
        for index, medium in enumerate(offered.media):
            mid = mid_of(medium, index)
            if mid not in grouping.mids:
                add_rejected(description, Slot.of(medium, index), mid=medium.mid)
            elif medium.is_data_channel:
                add_data(description, local, medium.mid, setup)
            else:
                add_flow(description, local, medium.mid, setup, self.media.flow(medium, mid))
        return str(description)

    def _in_order(self, mids: list[str]) -> list[str]:
        """What is bundled already comes first, so that its transport stays the one (RFC 9143 section 7.5.1)."""
        current = self.signaling.current.get(Side.LOCAL)
        before = () if current is None else current.parsed.bundle
        return [mid for mid in before if mid in mids] + [mid for mid in mids if mid not in before]

    # Applying.

    def set_local(self, kind: str, sdp: str) -> bool:
        """Apply what was created last; return whether the signaling state is another one now.

        Raises:
            InvalidStateError: not in this state.
        """
        self.signaling.check(Side.LOCAL, kind)
        description = describe(kind, sdp, SessionDescription.parse(sdp))
        self._begin(kind)
        is_changed = self.signaling.apply(Side.LOCAL, description)
        for index, medium in enumerate(description.parsed.media):
            mid = mid_of(medium, index)
            one = self.media.find(mid) or self._plan.get(mid)
            if one is not None:
                one.mid = mid
                if kind != "offer":
                    self.media.answer(one, medium)
        if kind != "offer":
            self._settle_transport(description.parsed)
        self._end(description)
        return is_changed

    def set_remote(self, kind: str, sdp: str) -> bool:
        """Apply what the other side says; return whether the signaling state is another one now.

        Raises:
            InvalidStateError: not in this state.
            WireError: it is malformed, or lacks what a connection needs.
            InvalidAccessError: it does not fit what it answers, or what was agreed before.
            OperationError: it asks for what one transport cannot do.
        """
        self.signaling.check(Side.REMOTE, kind)
        parsed = SessionDescription.parse(sdp)
        parsed.check()
        description = describe(kind, sdp, parsed)
        remote = self._read(kind, parsed)
        role = self.role
        if role is None and remote is not None and kind != "offer":
            role = role_for_answer(remote.setup)
        known = self.remote if self._stable is None else self._stable.remote
        self._begin(kind)
        is_changed = self.signaling.apply(Side.REMOTE, description)
        if remote is not None:
            self.restarts = kind == "offer" and known is not None and known.credentials != remote.credentials
            self.remote, self.role = remote, role
        for index, medium in enumerate(parsed.media):
            if is_rtp(medium):
                self.media.take(kind, medium, mid_of(medium, index))
        self._end(description)
        return is_changed

    def rollback(self) -> None:
        """Be as before the pending offer.

        Raises:
            InvalidStateError: none is pending, or it has a provisional answer.
        """
        was_remote = self.signaling.state == "have-remote-offer"
        self.signaling.rollback()
        if self._stable is not None:
            self._slots, self.remote, self.role = self._stable.slots, self._stable.remote, self._stable.role
            self.media.restore(self._stable.transceivers, was_remote=was_remote)
        self._stable, self._plan, self.restarts = None, {}, False

    def close(self) -> None:
        self.signaling.close()
        for one in self.transceivers:
            one.stop()

    # What offers hold.

    def _write_offered(
        self, description: SessionDescription, local: Local, one: Planned, *, is_bundle_only: bool
    ) -> None:
        if one.is_rejected and one.slot is not None:
            add_rejected(description, one.slot, mid=one.mid)
        elif one.transceiver is None:
            add_data(description, local, one.mid, Setup.ACTPASS, is_bundle_only=is_bundle_only)
        else:
            transceiver = one.transceiver
            kind, rids = transceiver.kind, transceiver.rids
            codecs = self._numbers.formats_for(transceiver.codecs)
            extensions = self._numbers.extensions_for(kind)
            flow = Flow(transceiver, transceiver.direction, codecs, extensions, rids)
            add_flow(description, local, one.mid, Setup.ACTPASS, flow, is_bundle_only=is_bundle_only)

    # What descriptions of the other side mean.

    def _read(self, kind: str, parsed: SessionDescription) -> Remote | None:
        """Check a description against what is known, and read what it says of the transport."""
        stable = self._stable
        if kind == "offer":
            check_offer(parsed, self._slots if stable is None else stable.slots)
        else:
            check_answer(parsed, self.signaling.pending[Side.LOCAL].parsed)
        if self._requires_mux:
            check_mux(parsed)
        for medium in parsed.media:
            if is_rtp(medium):
                read_codecs(medium)
        self._numbers.learn(parsed)
        grouping = Grouping.of(parsed)
        check_credentials(parsed, grouping)
        remote = _remote_of(parsed, grouping)
        known = stable.remote if stable is not None and kind == "offer" else self.remote
        if remote is not None and known is not None:
            may_restart = kind == "offer" or (self.signaling.state == "have-local-offer" and self._offered_restart())
            check_continuity(kind, known, remote, may_restart=may_restart)
        return remote

    def _offered_restart(self) -> bool:
        """Whether our pending offer has other ICE credentials than the description before it."""
        before, now = self.signaling.current.get(Side.LOCAL), self.signaling.pending.get(Side.LOCAL)
        if before is None or now is None or before.transport is None or now.transport is None:
            return True
        return before.transport.ufrag != now.transport.ufrag

    def _settle_transport(self, answer: SessionDescription) -> None:
        """Our answer says which section stands for the transport."""
        pending = self.signaling.of(Side.REMOTE)
        if pending is None:
            return
        refused = {mid_of(medium, index) for index, medium in enumerate(answer.media) if medium.is_rejected}
        with contextlib.suppress(WireError):  # a bundled section may leave to the first one what they have in common
            self.remote = _remote_of(pending.parsed, Grouping.of(pending.parsed, refused)) or self.remote
        if self.remote is not None and self.role is None:
            self.role = role_for_offer(self.remote.setup)

    # Before and after.

    def _begin(self, kind: str) -> None:
        if kind == "offer" and self.signaling.state == "stable":
            snapshots = tuple(map(Snapshot.of, self.transceivers))
            self._stable = _Stable(self._slots, snapshots, self.remote, self.role)

    def _end(self, description: Description) -> None:
        media = description.parsed.media
        self._slots = tuple(Slot.of(medium, index) for index, medium in enumerate(media))
        if self.signaling.state != "stable":
            return
        self._stable, self._plan, self.restarts = None, {}, False
        self.media.settle({slot.mid for slot in self._slots if slot.is_rejected})


def _remote_of(description: SessionDescription, grouping: Grouping) -> Remote | None:
    if grouping.tagged is None:
        return None
    data = data_medium(description)
    index = -1 if data is None else description.media.index(data)
    is_used = data is not None and mid_of(data, index) in grouping.mids
    return Remote.read(description, grouping.mids[0], grouping.tagged, data if is_used else None)
