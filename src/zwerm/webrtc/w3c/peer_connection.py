"""RTCPeerConnection (WebRTC 1.0 section 4.4), for data channels; docs/webrtc.md says what is not there yet.

Events: `datachannel` (an RTCDataChannel), `icecandidate` (an RTCIceCandidate, or None at the end),
`signalingstatechange`, `icegatheringstatechange`, `iceconnectionstatechange`, `connectionstatechange`.
"""

from __future__ import annotations

import asyncio
import datetime as dt

from zwerm.core.errors import WireError
from zwerm.webrtc.connection.description import (
    Remote,
    answer,
    data_medium,
    offer,
    role_for_answer,
    role_for_offer,
    setup_of,
)
from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.datachannel import channel as news
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role as ICERole
from zwerm.webrtc.ice.events import CandidateGathered, ConnectionState, GatheringState, GatheringStateChanged
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.channel_set import ChannelSet
from zwerm.webrtc.w3c.configuration import RTCConfiguration
from zwerm.webrtc.w3c.connection_state import connection_state
from zwerm.webrtc.w3c.data_channel import RTCDataChannel
from zwerm.webrtc.w3c.errors import InvalidModificationError, InvalidStateError, OperationError, RTCTypeError
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate
from zwerm.webrtc.w3c.session_description import RTCSessionDescription
from zwerm.webrtc.w3c.signaling import Side, Signaling
from zwerm.webrtc.w3c.transport_objects import TransportObjects


class RTCPeerConnection(TransportObjects):
    """One connection to one peer. It owns its sockets from `setLocalDescription` until `close`."""

    def __init__(self, configuration: RTCConfiguration | None = None) -> None:
        """Make a connection that does nothing yet.

        Raises:
            RTCSyntaxError: something in the configuration is malformed.
        """
        super().__init__()
        self._configuration = configuration or RTCConfiguration()
        self._configuration.check()
        self._bundle = BundleTransport(Certificate.generate(now=dt.datetime.now(dt.UTC)), self._take)
        self._channels = ChannelSet(self._bundle.driver)
        self._chain = asyncio.Lock()  # WebRTC 1.0 section 4.4.1.2: one operation after the other
        self._signaling = Signaling()
        self._created: dict[str, str] = {}  # the last offer and the last answer that were made
        self._version = 0
        self._mid = "0"
        self._role: DTLSRole | None = None
        self._remote: Remote | None = None
        self._offered: SessionDescription | None = None  # by the other side
        self._is_closed = False
        self._ice_state = ConnectionState.NEW
        self._connection_state = "new"

    @property
    def signalingState(self) -> str:  # noqa: N802 - the W3C's names
        return self._signaling.state

    @property
    def iceGatheringState(self) -> str:  # noqa: N802
        return self._bundle.agent.gathering_state.value

    @property
    def iceConnectionState(self) -> str:  # noqa: N802
        return self._bundle.agent.state.value

    @property
    def connectionState(self) -> str:  # noqa: N802
        return self._connection_state

    @property
    def localDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        """Ours, with the candidates gathered until now."""
        return self._bundle.with_candidates(self._signaling.of(Side.LOCAL))

    @property
    def currentLocalDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._bundle.with_candidates(self._signaling.current.get(Side.LOCAL))

    @property
    def pendingLocalDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._bundle.with_candidates(self._signaling.pending.get(Side.LOCAL))

    @property
    def remoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._signaling.of(Side.REMOTE)

    @property
    def currentRemoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._signaling.current.get(Side.REMOTE)

    @property
    def pendingRemoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._signaling.pending.get(Side.REMOTE)

    @property
    def canTrickleIceCandidates(self) -> bool | None:  # noqa: N802
        """Whether the other side takes candidates one by one; None before its description is known."""
        return None if self._remote is None else "trickle" in self._remote.ice_options

    def createDataChannel(  # noqa: N802
        self,
        label: str,
        maxPacketLifeTime: int | None = None,  # noqa: N803
        maxRetransmits: int | None = None,  # noqa: N803
        ordered: bool = True,
        protocol: str = "",
        negotiated: bool = False,
        id: int | None = None,  # noqa: A002
    ) -> RTCDataChannel:
        """Open a channel, now or when the connection is there.

        Raises:
            InvalidStateError: the connection is closed.
            RTCTypeError: both limits, a name that is too long, or `negotiated` without an `id`.
            OperationError: the `id` is taken, or all are.
        """
        self._check_open()
        if negotiated and id is None:
            raise RTCTypeError("a negotiated channel needs an id")
        return self._channels.create(
            label,
            max_lifetime=maxPacketLifeTime,
            max_retransmits=maxRetransmits,
            ordered=ordered,
            protocol=protocol,
            negotiated_id=id if negotiated else None,
        )

    # Offer and answer.

    async def createOffer(self) -> RTCSessionDescription:  # noqa: N802
        """Write an offer: of data channels, once there is one.

        Raises:
            InvalidStateError: the connection is closed.
        """
        async with self._chain:
            return self._create_offer()

    async def createAnswer(self) -> RTCSessionDescription:  # noqa: N802
        """Write the answer to the offer that was set.

        Raises:
            InvalidStateError: there is none, or the connection is closed.
        """
        async with self._chain:
            return self._create_answer()

    async def setLocalDescription(self, description: RTCSessionDescription | None = None) -> None:  # noqa: N802
        """Apply an offer or answer of ours, or the one that fits, and gather.

        Unless the configuration says `trickle` it returns when everything is gathered, so that `localDescription` is
        whole. Cancelling it does not stop that.

        Raises:
            InvalidStateError: not in this state.
            InvalidModificationError: not what `createOffer` or `createAnswer` made last.
            NotSupportedError: a pranswer or rollback.
            TransportError: no socket could be opened.
        """
        async with self._chain:
            self._check_open()
            description = self._check_local(description)
            if data_medium(SessionDescription.parse(description.sdp)) is not None and not self._bundle.is_open:
                if description.type == "offer":
                    await self._configure(ICERole.CONTROLLING)
                self._bundle.open(self._configuration.network())
            self._apply(Side.LOCAL, description)
            self._bundle.gather()
        if self._bundle.is_open and not self._configuration.trickle:
            await self._bundle.is_gathered.wait()

    async def setRemoteDescription(self, description: RTCSessionDescription) -> None:  # noqa: N802
        """Apply an offer or answer of the other side.

        Raises:
            InvalidStateError: not in this state.
            OperationError: it is malformed, or lacks what a connection needs.
            NotSupportedError: a pranswer or rollback.
        """
        async with self._chain:
            self._check_open()
            self._signaling.check(Side.REMOTE, description.type)
            try:
                parsed = SessionDescription.parse(description.sdp)
                parsed.check()
                remote = Remote.from_description(parsed)
                decide = role_for_offer if description.type == "offer" else role_for_answer
                role = None if remote is None else decide(remote.setup)
            except WireError as error:
                raise OperationError(f"the remote {description.type}: {error}") from None
            if remote is not None:
                if description.type == "offer" and self._remote is None:
                    await self._configure(ICERole.CONTROLLED)
                self._mid, self._remote, self._role = remote.mid, remote, self._role or role
            self._offered = parsed if description.type == "offer" else None
            self._apply(Side.REMOTE, description)
            if remote is not None:
                self._bundle.tell(remote)

    async def addIceCandidate(self, candidate: RTCIceCandidate | None = None) -> None:  # noqa: N802
        """Take a candidate of the other side; None, or an empty one: there are no more.

        Raises:
            InvalidStateError: there is no remote description, or the connection is closed.
            OperationError: it is malformed, or of a section that the description does not have.
        """
        async with self._chain:
            self._check_open()
            if self._signaling.of(Side.REMOTE) is None or self._remote is None:
                raise InvalidStateError("a candidate before the remote description")
            ufrag = None if candidate is None else candidate.usernameFragment
            if candidate is not None and candidate.sdpMid not in (None, self._remote.mid):
                raise OperationError(f"a candidate of {candidate.sdpMid!r}, the data channels are {self._remote.mid!r}")
            if candidate is None or not candidate.candidate:
                self._bundle.agent.end_of_candidates(self._bundle.now, ufrag=ufrag)
            else:
                try:
                    parsed = Candidate.from_text(candidate.candidate)
                except WireError as error:
                    raise OperationError(str(error)) from None
                self._bundle.agent.add_remote_candidate(parsed, self._bundle.now, ufrag=ufrag)
            self._bundle.driver.pump()

    async def close(self) -> None:
        """Tell the peer, and close everything at once: every channel, every socket. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._signaling.close()
        self._bundle.close()
        self.emit("signalingstatechange")
        self._update_connection_state()
        await self._bundle.driver.wait_closed()

    # Inside.

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidStateError("the connection is closed")

    async def _configure(self, role: ICERole) -> None:
        await self._bundle.configure(role, self._configuration)
        self._check_open()

    def _create_offer(self) -> RTCSessionDescription:
        self._check_open()
        has_data = bool(self._channels) or self._remote is not None
        self._version += 1
        description = offer(self._bundle.local(), self._version, mid=self._mid if has_data else None)
        self._created["offer"] = str(description)
        return RTCSessionDescription(str(description), "offer")

    def _create_answer(self) -> RTCSessionDescription:
        self._check_open()
        if self._signaling.state != "have-remote-offer" or self._offered is None:
            raise InvalidStateError(f"createAnswer in signaling state {self._signaling.state}")
        setup = setup_of(self._role or DTLSRole.CLIENT)
        self._version += 1
        description = answer(self._bundle.local(), self._version, self._offered, setup)
        self._created["answer"] = str(description)
        return RTCSessionDescription(str(description), "answer")

    def _check_local(self, description: RTCSessionDescription | None) -> RTCSessionDescription:
        """The description to apply, made where none is given."""
        kind = "answer" if self._signaling.state == "have-remote-offer" else "offer"
        if description is not None:
            kind = description.type
        self._signaling.check(Side.LOCAL, kind)
        if description is None or not description.sdp:
            return self._create_offer() if kind == "offer" else self._create_answer()
        if description.sdp != self._created.get(kind):
            raise InvalidModificationError(f"this {kind} is not what was created last, and cannot be changed")
        return description

    def _apply(self, side: Side, description: RTCSessionDescription) -> None:
        is_changed = self._signaling.apply(side, description)
        if self._signaling.state == "stable" and self._remote is not None and self._role is not None:
            self._bundle.start(self._remote, self._role)
        if is_changed:
            self.emit("signalingstatechange")

    # What the transport tells.

    def _take(self, event: Event) -> None:
        match event:
            case news.ChannelAnnounced():
                self.emit("datachannel", self._channels.announced(event))
                self._channels.take(event)
            case CandidateGathered(candidate, ufrag):
                self._bundle.found(event)
                self.emit("icecandidate", RTCIceCandidate(str(candidate), self._mid, self._index(), ufrag))
            case GatheringStateChanged(state):
                self._gathering_changed(state)
            case (
                news.TextReceived()
                | news.BinaryReceived()
                | news.ChannelOpened()
                | news.ChannelClosing()
                | news.ChannelClosed()
                | news.BufferLow()
            ):
                self._channels.take(event)
            case _:
                self._update_connection_state()
        self._tell_objects(event)

    def _index(self) -> int:
        """Which section of our description is the one of data channels."""
        local = self._signaling.of(Side.LOCAL)
        media = [] if local is None else SessionDescription.parse(local.sdp).media
        return next((index for index, medium in enumerate(media) if medium.is_data_channel), 0)

    def _gathering_changed(self, state: GatheringState) -> None:
        self.emit("icegatheringstatechange")
        if state is GatheringState.COMPLETE:
            self.emit("icecandidate", None)
            self._bundle.is_gathered.set()
        else:
            self._bundle.is_gathered.clear()

    def _update_connection_state(self) -> None:
        ice, dtls = self._bundle.agent.state, self._bundle.transport.dtls
        if ice is not self._ice_state:
            self._ice_state = ice
            self.emit("iceconnectionstatechange")
        state = "closed" if self._is_closed else connection_state(ice, None if dtls is None else dtls.state)
        if state != self._connection_state:
            self._connection_state = state
            self.emit("connectionstatechange")
