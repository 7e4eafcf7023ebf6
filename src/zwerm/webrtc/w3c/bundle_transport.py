"""The transport that all sections of a connection share (RFC 9143), and what was gathered for it.

`RTCPeerConnection` decides what is signaled; this carries it out on the ICE agent, and knows the candidates so far.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from zwerm.core.machine import Instant
from zwerm.core.random import SYSTEM
from zwerm.webrtc.connection.aio import TransportDriver
from zwerm.webrtc.connection.description import Local, Remote, with_candidates
from zwerm.webrtc.connection.local_network import LocalNetwork
from zwerm.webrtc.connection.transport import Event, Transport
from zwerm.webrtc.dtls.certificate import Certificate
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.ice.agent import Agent
from zwerm.webrtc.ice.config import Role as ICERole
from zwerm.webrtc.ice.events import CandidateGathered, GatheringState
from zwerm.webrtc.w3c.capturing import Capturing
from zwerm.webrtc.w3c.configuration import RTCConfiguration
from zwerm.webrtc.w3c.session_description import RTCSessionDescription


class BundleTransport:
    """ICE, DTLS and SCTP of one connection on sockets, from `open` until `close`."""

    def __init__(self, certificate: Certificate, on_event: Callable[[Event], None]) -> None:
        self.certificate = certificate
        self.transport = Transport(certificate, random=SYSTEM, now=asyncio.get_running_loop().time())
        self.driver = TransportDriver(self.transport, on_event)
        self.is_open = False  # it has sockets
        self.is_gathered = asyncio.Event()
        self._session_id = SYSTEM.getrandbits(62)
        self._gathered: list[CandidateGathered] = []
        self._capturing: Capturing | None = None

    @property
    def agent(self) -> Agent:
        return self.transport.agent

    @property
    def now(self) -> Instant:
        return self.driver.now

    async def configure(self, role: ICERole, configuration: RTCConfiguration) -> None:
        """Take the role in ICE and the servers, unless gathering has begun already. Names are looked up meanwhile.

        Raises:
            TransportError: the file to capture into cannot be opened.
        """
        config = await configuration.to_ice()
        if self._capturing is None:
            self._capturing = Capturing(configuration, self.now)
            self.transport.tap = self._capturing.tap
        if self.agent.gathering_state is GatheringState.NEW and self.agent.remote_credentials is None:
            self.transport.configure(role, config)

    def open(self, network: LocalNetwork) -> None:
        """Bind sockets, and follow the addresses of this machine; twice is harmless.

        Raises:
            TransportError: there is no address to bind one on.
        """
        if not self.is_open:
            self.driver.open(network)
            self.is_open = True

    def gather(self) -> None:
        """Begin to gather, when there are sockets. Twice is harmless."""
        if self.is_open:
            self.agent.gather(self.now)
            self.driver.pump()

    def local(self) -> Local:
        """What a description says of this side."""
        size = self.transport.channels.association.config.max_message_size
        agent = self.agent
        fingerprint = self.certificate.fingerprint()
        return Local(self._session_id, agent.local_credentials, agent.options, fingerprint, size)

    def tell(self, remote: Remote) -> None:
        """Give the agent what a description of the other side says."""
        agent, now = self.agent, self.now
        agent.set_remote(remote.credentials, now, lite=remote.is_lite, options=remote.ice_options)
        for candidate in remote.candidates:
            agent.add_remote_candidate(candidate, now)
        if remote.has_ended:
            agent.end_of_candidates(now)
        self.driver.pump()

    def start(self, remote: Remote, role: DTLSRole) -> None:
        """Both descriptions are known. Twice is harmless."""
        if not self.transport.is_started:
            self.transport.start(remote, role, self.now)

    def found(self, event: CandidateGathered) -> None:
        """Keep a candidate, and those of its generation only."""
        self._gathered = [one for one in self._gathered if one.ufrag == event.ufrag] + [event]

    def with_candidates(self, description: RTCSessionDescription | None) -> RTCSessionDescription | None:
        """A description of ours with what was gathered since."""
        if description is None:
            return None
        ufrag = self.agent.local_credentials.ufrag
        candidates = [event.candidate for event in self._gathered if event.ufrag == ufrag]
        has_ended = self.agent.gathering_state is GatheringState.COMPLETE
        return RTCSessionDescription(
            with_candidates(description.sdp, candidates, has_ended=has_ended), description.type
        )

    def close(self) -> None:
        """Tell the peer, and let go of every socket."""
        self.transport.close(self.now)
        self.driver.close()
        if self._capturing is not None:
            self._capturing.close()
        self.is_gathered.set()
