"""RTCPeerConnection (WebRTC 1.0 section 4.4): the machine of offers and answers, and the transport, as one object.

Events: `datachannel` (an RTCDataChannel), `track` (a MediaStreamTrack), `icecandidate` (an RTCIceCandidate, or None at
the end), `icecandidateerror`, `negotiationneeded`, `signalingstatechange`, `icegatheringstatechange`,
`iceconnectionstatechange`, `connectionstatechange`. docs/webrtc.md says what is not there.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

from zwerm.core.errors import WireError
from zwerm.core.random import SYSTEM
from zwerm.webrtc.connection.description import Local
from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.datachannel import channel as news
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.ice import events as ice
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role as ICERole
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.jsep.signaling import Side
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.channel_set import ChannelSet
from zwerm.webrtc.w3c.configuration import RTCConfiguration
from zwerm.webrtc.w3c.connection_state import connection_state
from zwerm.webrtc.w3c.data_channel import RTCDataChannel
from zwerm.webrtc.w3c.errors import (
    InvalidModificationError,
    OperationError,
    RTCTypeError,
)
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate, RTCIceCandidateError
from zwerm.webrtc.w3c.operations_chain import OperationsChain, running_loop
from zwerm.webrtc.w3c.peer_media import PeerMedia
from zwerm.webrtc.w3c.rtc_error import sdp_error
from zwerm.webrtc.w3c.rtp_transceiver import TransceiverSet
from zwerm.webrtc.w3c.session_description import RTCSessionDescription

MAX_ADDED = 256  # candidates of the other side that its description is shown with


class RTCPeerConnection(PeerMedia):
    """One connection to one peer. It owns its sockets from `setLocalDescription` until `close`."""

    def __init__(self, configuration: RTCConfiguration | Mapping[str, Any] | None = None) -> None:
        """Make a connection that does nothing yet.

        Raises:
            RTCTypeError: a member of the configuration, or a value, is not known.
            RTCSyntaxError: a URL is malformed.
            InvalidAccessError: TURN without credentials, or a certificate that has expired.
        """
        super().__init__()
        self._configuration = RTCConfiguration.of(configuration)
        self._bundle = BundleTransport(self._certificate(), self._take)
        self._channels = ChannelSet(self._bundle.driver, self._objects)
        self._bundle.driver.on_message = self._channels.receive
        self._chain = OperationsChain(self._update_negotiation_needed)
        self._session = Session(is_bundle_only=self._configuration.bundlePolicy == "max-bundle")
        self._transceivers = TransceiverSet(self._session, self._update_negotiation_needed)
        self._created: dict[str, str] = {}  # the last offer and the last answer that were made
        self._to_replace: set[str] = set()  # username fragments, as `restartIce` found them
        self._is_negotiation_needed = False
        self._added = []
        self._ended: str | None = None  # the generation whose end of candidates was told
        self._is_releasing = False  # soon
        self._is_reconfigured = False  # since gathering took the configuration
        self._is_closed = False
        self._ice_state = ice.ConnectionState.NEW
        self._connection_state = "new"

    def createDataChannel(  # noqa: N802 - the W3C's names
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
        channel = self._channels.create(
            label,
            max_lifetime=maxPacketLifeTime,
            max_retransmits=maxRetransmits,
            ordered=ordered,
            protocol=protocol,
            negotiated_id=id if negotiated else None,
        )
        if not self._session.wants_data:
            self._session.wants_data = True
            self._update_negotiation_needed()
        return channel

    # Offer and answer.

    async def createOffer(  # noqa: N802
        self,
        options: Mapping[str, Any] | None = None,
        *,
        iceRestart: bool = False,  # noqa: N803
    ) -> RTCSessionDescription:
        """Write an offer of everything that was asked for.

        Raises:
            InvalidStateError: the connection is closed, or an offer of the other side waits for its answer.
        """
        self._check_open()
        async with self._chain:
            self._check_open()
            restart = iceRestart or bool((options or {}).get("iceRestart"))
            sdp = await self._create_offer(restart=restart)
            return RTCSessionDescription(sdp, "offer")

    async def createAnswer(self, options: Mapping[str, Any] | None = None) -> RTCSessionDescription:  # noqa: ARG002, N802
        """Write the answer to the offer that was set; there are no options.

        Raises:
            InvalidStateError: there is none, or the connection is closed.
        """
        self._check_open()
        async with self._chain:
            self._check_open()
            return RTCSessionDescription(self._create_answer(), "answer")

    async def setLocalDescription(  # noqa: N802
        self, description: RTCSessionDescription | Mapping[str, Any] | None = None
    ) -> None:
        """Apply what was created, or create it; then gather, to the end unless the configuration says `trickle`.

        Raises:
            InvalidStateError: not in this state.
            InvalidModificationError: it is not what was created last.
            TransportError: this machine has no address to gather from.
        """
        self._check_open()
        given = None if description is None else RTCSessionDescription.of(description, kind=self._implied())
        async with self._chain:
            self._check_open()
            kind = self._implied() if given is None else given.type
            if kind == "rollback":
                self._rollback()
                return
            self._session.signaling.check(Side.LOCAL, kind)
            await self._set_local(kind, "" if given is None else given.sdp)
        if self._bundle.is_open and not self._configuration.trickle:
            await self._bundle.is_gathered.wait()

    async def setRemoteDescription(self, description: RTCSessionDescription | Mapping[str, Any]) -> None:  # noqa: N802
        """Apply what the other side says; an offer takes the place of ours, when that has no answer yet.

        Raises:
            InvalidStateError: not in this state.
            InvalidAccessError: it does not fit what it answers, or what was agreed before.
            OperationError: it is malformed, lacks what a connection needs, or asks for what one transport cannot do.
        """
        self._check_open()
        given = RTCSessionDescription.of(description)
        async with self._chain:
            self._check_open()
            if given.type == "rollback":
                self._rollback()
                return
            if given.type == "offer" and not self._session.signaling.allows(Side.REMOTE, "offer"):
                self._rollback()
            self._session.signaling.check(Side.REMOTE, given.type)
            if not self._bundle.is_open:
                await self._bundle.configure(ICERole.CONTROLLED, self._configuration)
                self._check_open()
            try:
                is_changed = self._session.set_remote(given.type, given.sdp)
            except WireError as error:
                raise sdp_error(given.sdp, f"the remote {given.type}: {error}") from None
            if given.type != "offer":
                self._connect()
            self._applied(given.type, is_changed=is_changed)

    async def addIceCandidate(  # noqa: N802
        self, candidate: RTCIceCandidate | Mapping[str, Any] | None = None
    ) -> None:
        """Take a candidate of the other side; None, or an empty one: there are no more.

        Raises:
            RTCTypeError: it does not say which section it is of.
            InvalidStateError: there is no remote description, or the connection is closed.
            OperationError: it is malformed, or of a section or generation that the description does not have.
        """
        self._check_open()
        given = RTCIceCandidate.of(candidate)
        if given.candidate and given.sdpMid is None and given.sdpMLineIndex is None:
            raise RTCTypeError("a candidate needs sdpMid or sdpMLineIndex")
        async with self._chain:
            self._check_open()
            ufrag = self._session.generation_of(given.sdpMid, given.sdpMLineIndex, given.usernameFragment)
            if ufrag is None:
                return  # of a section whose transport is not used
            try:
                parsed = Candidate.from_text(given.candidate) if given.candidate else None
            except WireError as error:
                raise OperationError(str(error)) from None
            agent, now = self._bundle.agent, self._bundle.now
            if parsed is None:
                agent.end_of_candidates(now, ufrag=ufrag)
            else:
                agent.add_remote_candidate(parsed, now, ufrag=ufrag)
            if len(self._added) < MAX_ADDED:
                self._added.append((ufrag, parsed))
            self._bundle.driver.pump()

    def restartIce(self) -> None:  # noqa: N802
        """Have the next offer begin ICE anew; `negotiationneeded` asks for it. Channels go on."""
        if not self._is_closed:
            self._to_replace = self._session.ufrags(Side.LOCAL)
            self._update_negotiation_needed()

    # Configuration.

    def getConfiguration(self) -> RTCConfiguration:  # noqa: N802
        return RTCConfiguration.of(self._configuration)

    def setConfiguration(self, configuration: RTCConfiguration | Mapping[str, Any] | None = None) -> None:  # noqa: N802
        """Change servers and policy; they count when gathering begins, and again with each restart of ICE.

        Raises:
            InvalidStateError: the connection is closed.
            InvalidModificationError: it changes what cannot change.
            RTCTypeError, RTCSyntaxError, InvalidAccessError: as when a connection is made.
        """
        self._check_open()
        wanted = RTCConfiguration.of(configuration)
        is_pool_fixed = self._session.signaling.of(Side.LOCAL) is not None
        wanted.check_change(self._configuration, is_pool_fixed=is_pool_fixed)
        self._configuration = wanted
        self._is_reconfigured = True

    async def close(self) -> None:
        """Tell the peer, and close everything at once: every channel, every socket. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._session.close()
        self._transceivers.close()
        self._bundle.close()
        self.emit("signalingstatechange")
        self._update_connection_state()
        await self._bundle.wait_closed()

    # Inside.

    def _certificate(self) -> Certificate:
        given = self._configuration.certificates
        return given[0].certificate if given else Certificate.generate(now=dt.datetime.now(dt.UTC))

    def _implied(self) -> str:
        state = self._session.signaling.state
        return "offer" if state in ("stable", "have-local-offer", "have-remote-pranswer") else "answer"

    async def _create_offer(self, *, restart: bool = False) -> str:
        is_wanted = self._bundle.agent.local_credentials.ufrag in self._to_replace
        self._created["offer"] = sdp = self._session.create_offer(self._side(restart=restart or is_wanted))
        if self._configuration.iceCandidatePoolSize > 0 and _has_sections(sdp):
            await self._open(ICERole.CONTROLLING)
            self._bundle.gather()
        return sdp

    def _create_answer(self) -> str:
        self._created["answer"] = sdp = self._session.create_answer(self._side(restart=self._session.restarts))
        return sdp

    def _side(self, *, restart: bool) -> Local:
        """What the next description says of us; in a restart with new credentials, unless those were never in force."""
        ufrag = self._bundle.agent.local_credentials.ufrag
        is_used = ufrag in self._to_replace | self._session.ufrags(Side.LOCAL, is_current=True)
        return self._bundle.local(Credentials.random(SYSTEM) if restart and is_used else None)

    async def _set_local(self, kind: str, sdp: str) -> None:
        name = "offer" if kind == "offer" else "answer"
        if not sdp:
            sdp = await self._create_offer() if kind == "offer" else self._create_answer()
        elif sdp != self._created.get(name):
            raise InvalidModificationError(f"this {kind} is not what was created last, and cannot be changed")
        if _has_sections(sdp):
            await self._open(ICERole.CONTROLLING if kind == "offer" else ICERole.CONTROLLED)
        if self._is_reconfigured and self._bundle.is_open:
            self._is_reconfigured = False
            await self._bundle.reconfigure(self._configuration)
            self._check_open()
        is_changed = self._session.set_local(kind, sdp)
        if self._session.transport is not None:
            self._bundle.use(self._session.transport.credentials)
        if kind != "offer":
            self._connect()
        self._bundle.gather()
        self._release()
        self._applied(kind, is_changed=is_changed)

    async def _open(self, role: ICERole) -> None:
        if not self._bundle.is_open:
            await self._bundle.configure(role, self._configuration)
            self._check_open()
            self._bundle.open(self._configuration.network())

    def _connect(self) -> None:
        """Both sides' descriptions are there, if only for the time being."""
        remote, role = self._session.remote, self._session.role
        if remote is not None and role is not None and self._session.transport is not None:
            self._bundle.start(remote, role)
            self._bundle.tell(remote)

    def _rollback(self) -> None:
        was_local = self._session.signaling.state == "have-local-offer"
        self._session.rollback()
        if was_local and self._bundle.is_open:
            transport = self._session.transport
            self._bundle.withdraw(None if transport is None else transport.credentials)
            if self._session.remote is not None and self._bundle.agent.remote_credentials is None:
                self._bundle.tell(self._session.remote)
        self._applied("rollback", is_changed=True)

    def _applied(self, kind: str, *, is_changed: bool) -> None:
        """Tell what has changed (the end of WebRTC 1.0 section 4.4.1.5)."""
        if self._session.signaling.state == "stable":
            self._created.clear()
            if kind == "answer" and not self._to_replace & self._session.ufrags(Side.LOCAL, is_current=True):
                self._to_replace = set()
            self._is_negotiation_needed = False
            self._update_negotiation_needed()
        self._use_transport()
        if is_changed:
            self.emit("signalingstatechange")
        self._tell_media()

    def _use_transport(self) -> None:
        """Give halves of transceivers the transport of their section, where ours has it and does not refuse it."""
        local = self._session.signaling.of(Side.LOCAL)
        live = set() if local is None else {one.mid for one in local.parsed.media if not one.is_rejected}
        for transceiver in self._transceivers.known():
            has_one = transceiver.mid is not None and transceiver.mid in live
            transceiver.use_transport(self._objects().transport if has_one else None)

    # Whether to negotiate (WebRTC 1.0 section 4.7.3).

    def _update_negotiation_needed(self) -> None:
        if self._chain.is_empty and (loop := running_loop()) is not None:
            loop.call_soon(self._check_negotiation)
        else:
            self._chain.ask()  # no loop runs yet: when the first operation has ended

    def _check_negotiation(self) -> None:
        if self._is_closed:
            return
        if not self._chain.is_empty:
            self._chain.ask()
        elif self._session.signaling.state == "stable":
            was_needed = self._is_negotiation_needed
            self._is_negotiation_needed = bool(self._to_replace) or self._session.is_negotiation_needed()
            if self._is_negotiation_needed and not was_needed:
                self.emit("negotiationneeded")

    # What the transport tells.

    def _take(self, event: Event) -> None:
        match event:
            case news.ChannelAnnounced():
                channel = self._channels.announced(event)
                self.emit("datachannel", channel, channel=channel)
                self._channels.take(event)
            case ice.CandidateGathered():
                self._bundle.found(event)
                if self._configuration.trickle:
                    self._release()
                else:
                    self._release_candidates()
            case ice.GatheringStateChanged(state):
                self._gathering_changed(state)
            case ice.ServerFailed(server, code, reason):
                error = RTCIceCandidateError(server.url, code, reason)
                self.emit(
                    "icecandidateerror",
                    error,
                    url=server.url,
                    errorCode=code,
                    errorText=reason,
                    address=None,
                    port=None,
                )
            case ice.RestartNeeded():
                self.restartIce()
            case news.ChannelOpened() | news.ChannelClosing() | news.ChannelClosed() | news.BufferLow():
                self._channels.take(event)
            case _:
                self._update_connection_state()
        self._tell_objects(event)

    def _gathering_changed(self, state: ice.GatheringState) -> None:
        self.emit("icegatheringstatechange")
        if state is ice.GatheringState.COMPLETE:
            self._release()
            self._bundle.is_gathered.set()
        else:
            self._bundle.is_gathered.clear()

    def _release(self) -> None:
        """Tell the candidates of the description that counts, and their end.

        With trickle they come after whoever awaits `setLocalDescription` had its turn, to send the description first.
        """
        if not self._configuration.trickle:
            self._release_now()
        elif not self._is_releasing:
            self._is_releasing = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._release_now)

    def _release_now(self) -> None:
        self._is_releasing = False
        self._release_candidates()
        transport = self._session.transport
        is_over = self._bundle.agent.gathering_state is ice.GatheringState.COMPLETE
        if is_over and not self._is_closed and transport is not None and transport.ufrag != self._ended:
            self._ended = transport.ufrag
            self.emit("icecandidate", None, candidate=None, url=None)

    def _release_candidates(self) -> None:
        transport = self._session.transport
        if transport is None or self._is_closed:
            return
        for event in self._bundle.release(transport.ufrag):
            candidate = RTCIceCandidate(str(event.candidate), transport.mid, transport.index, event.ufrag)
            candidate.told_by(event.server)
            self.emit("icecandidate", candidate, candidate=candidate, url=candidate.url)

    def _update_connection_state(self) -> None:
        state, dtls = self._bundle.agent.state, self._bundle.transport.dtls
        if state is not self._ice_state:
            self._ice_state = state
            self.emit("iceconnectionstatechange")
        now = "closed" if self._is_closed else connection_state(state, None if dtls is None else dtls.state)
        if now != self._connection_state:
            self._connection_state = now
            self.emit("connectionstatechange")


def _has_sections(sdp: str) -> bool:
    return any(line.startswith("m=") for line in sdp.splitlines())
