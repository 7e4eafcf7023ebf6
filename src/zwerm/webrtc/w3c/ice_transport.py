"""RTCIceTransport (WebRTC 1.0 section 5.6): the path below a connection, as programs see it.

Events: `statechange`, `gatheringstatechange`, `selectedcandidatepairchange`.
"""

from __future__ import annotations

import dataclasses

from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.ice import events as ice
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.emitter import Emitter, EventHandler
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate


@dataclasses.dataclass(frozen=True)
class RTCIceParameters:
    """What one side's checks are authenticated with."""

    usernameFragment: str  # noqa: N815 - the W3C's names
    password: str = dataclasses.field(repr=False)
    iceLite: bool = False  # noqa: N815


@dataclasses.dataclass(frozen=True)
class RTCIceCandidatePair:
    """Two candidates that data goes between."""

    local: RTCIceCandidate
    remote: RTCIceCandidate


class RTCIceGatherer:
    """What gathers for a transport, in aiortc's names; it begins when a description of ours is set."""

    def __init__(self, transport: RTCIceTransport) -> None:
        self._transport = transport

    @property
    def state(self) -> str:
        """`new`, `gathering` or `completed`, which the W3C calls complete."""
        state = self._transport.gatheringState
        return "completed" if state == "complete" else state

    def getLocalCandidates(self) -> list[RTCIceCandidate]:  # noqa: N802 - the W3C's names
        return self._transport.getLocalCandidates()

    def getLocalParameters(self) -> RTCIceParameters | None:  # noqa: N802
        return self._transport.getLocalParameters()


class RTCIceTransport(Emitter):
    """The one of a connection, for as long as it lives; a restart changes what it tells."""

    onstatechange = EventHandler()
    ongatheringstatechange = EventHandler()
    onselectedcandidatepairchange = EventHandler()

    component = "rtp"  # the only one: RTP and RTCP share it, and data has no other

    def __init__(self, bundle: BundleTransport, session: Session) -> None:
        super().__init__()
        self._bundle = bundle
        self._session = session
        self._state = bundle.agent.state
        self.iceGatherer = RTCIceGatherer(self)

    @property
    def role(self) -> str:
        """Who decides on the pair: `controlling`, `controlled`, or `unknown` before descriptions are exchanged."""
        return self._bundle.agent.role.value if self._bundle.agent.remote_credentials is not None else "unknown"

    @property
    def state(self) -> str:
        return self._state.value

    @property
    def gatheringState(self) -> str:  # noqa: N802 - the W3C's names
        return self._bundle.agent.gathering_state.value

    def getLocalCandidates(self) -> list[RTCIceCandidate]:  # noqa: N802
        """Those that were gathered, of the present generation."""
        ufrag, statistics = self._bundle.agent.local_credentials.ufrag, self._bundle.agent.statistics()
        servers = statistics.servers
        return [self._object(one, ufrag).told_by(servers.get(one)) for one in statistics.local_candidates]

    def getRemoteCandidates(self) -> list[RTCIceCandidate]:  # noqa: N802
        """Those that are used: signaled ones whose address may be, and those that checks came from."""
        remote = self._bundle.agent.remote_credentials
        ufrag = None if remote is None else remote.ufrag
        return [self._object(one, ufrag) for one in self._bundle.agent.statistics().remote_candidates]

    def getSelectedCandidatePair(self) -> RTCIceCandidatePair | None:  # noqa: N802
        """The pair that data goes over; None when there is none."""
        pair, agent = self._bundle.agent.selected_pair, self._bundle.agent
        if pair is None:
            return None
        remote = agent.remote_credentials
        return RTCIceCandidatePair(
            self._object(pair.local, agent.local_credentials.ufrag),
            self._object(pair.remote, None if remote is None else remote.ufrag),
        )

    def getLocalParameters(self) -> RTCIceParameters | None:  # noqa: N802
        """Ours; None before anything was gathered."""
        agent = self._bundle.agent
        return None if agent.gathering_state is ice.GatheringState.NEW else _parameters(agent.local_credentials)

    def getRemoteParameters(self) -> RTCIceParameters | None:  # noqa: N802
        """Those of the other side; None before its description was applied."""
        return _parameters(self._bundle.agent.remote_credentials)

    def take(self, event: Event) -> None:
        """Tell the handlers; called by the connection."""
        match event:
            case ice.ConnectionStateChanged(state):
                self._state = state
                self.emit("statechange")
            case ice.GatheringStateChanged():
                self.emit("gatheringstatechange")
            case ice.SelectedPairChanged():
                self.emit("selectedcandidatepairchange")

    def _object(self, candidate: Candidate, ufrag: str | None) -> RTCIceCandidate:
        section = self._session.transport
        mid, index = (None, 0) if section is None else (section.mid, section.index)
        return RTCIceCandidate(str(candidate), mid, index, ufrag)


def _parameters(credentials: Credentials | None) -> RTCIceParameters | None:
    return None if credentials is None else RTCIceParameters(credentials.ufrag, credentials.password)
