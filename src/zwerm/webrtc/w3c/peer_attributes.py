"""What can be read of an RTCPeerConnection (WebRTC 1.0 section 4.4.2), and its event handlers."""

from __future__ import annotations

from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.jsep.signaling import Description, Side
from zwerm.webrtc.sdp.description import SessionDescription
from zwerm.webrtc.w3c.emitter import EventHandler
from zwerm.webrtc.w3c.session_description import RTCSessionDescription
from zwerm.webrtc.w3c.transport_objects import TransportObjects


class PeerAttributes(TransportObjects):
    """States and descriptions."""

    _session: Session
    _connection_state: str
    _is_closed: bool
    _added: list[tuple[str, Candidate | None]]  # by `addIceCandidate`, with their generation; None: the end of it

    onnegotiationneeded = EventHandler()
    onicecandidate = EventHandler()
    onicecandidateerror = EventHandler()
    onsignalingstatechange = EventHandler()
    oniceconnectionstatechange = EventHandler()
    onicegatheringstatechange = EventHandler()
    onconnectionstatechange = EventHandler()
    ondatachannel = EventHandler()
    ontrack = EventHandler()

    @property
    def signalingState(self) -> str:  # noqa: N802 - the W3C's names
        return self._session.signaling.state

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
        return self._local(self._session.signaling.of(Side.LOCAL))

    @property
    def currentLocalDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._local(self._session.signaling.current.get(Side.LOCAL))

    @property
    def pendingLocalDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._local(self._session.signaling.pending.get(Side.LOCAL))

    @property
    def remoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        """The other side's, with the candidates that were added until now."""
        return self._remote(self._session.signaling.of(Side.REMOTE))

    @property
    def currentRemoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._remote(self._session.signaling.current.get(Side.REMOTE))

    @property
    def pendingRemoteDescription(self) -> RTCSessionDescription | None:  # noqa: N802
        return self._remote(self._session.signaling.pending.get(Side.REMOTE))

    @property
    def canTrickleIceCandidates(self) -> bool | None:  # noqa: N802
        """Whether the other side takes candidates one by one; None before its description is known."""
        remote = self._session.remote
        return None if remote is None else "trickle" in remote.ice_options

    def _local(self, description: Description | None) -> RTCSessionDescription | None:
        if description is None:
            return None
        transport = description.transport
        sdp = description.sdp
        if transport is not None:
            sdp = self._bundle.with_candidates(description, transport.index, transport.ufrag)
        return RTCSessionDescription(sdp, description.type)

    def _remote(self, description: Description | None) -> RTCSessionDescription | None:
        if description is None:
            return None
        transport = description.transport
        mine = [] if transport is None else [one for ufrag, one in self._added if ufrag == transport.ufrag]
        if transport is None or not mine:
            return RTCSessionDescription(description.sdp, description.type)
        parsed = SessionDescription.parse(description.sdp)
        medium = parsed.media[transport.index]
        for candidate in mine:
            if candidate is None:
                medium.add_attribute("end-of-candidates")
            else:
                medium.add_attribute("candidate", str(candidate).removeprefix("candidate:"))
        return RTCSessionDescription(str(parsed), description.type)
