"""The transport that all sections of a connection share (RFC 9143), and what was gathered for it.

`RTCPeerConnection` decides what is signaled; this carries it out on the ICE agent, and knows the candidates so far.
"""

from __future__ import annotations

import asyncio
import time
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
from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.events import CandidateGathered, GatheringState
from zwerm.webrtc.jsep.signaling import Description
from zwerm.webrtc.w3c.capturing import Capturing
from zwerm.webrtc.w3c.configuration import RTCConfiguration


class BundleTransport:
    """ICE, DTLS and SCTP of one connection on sockets, from `open` until `close`."""

    def __init__(self, certificate: Certificate, on_event: Callable[[Event], None]) -> None:
        self.certificate = certificate
        self.transport = Transport(certificate, random=SYSTEM, now=time.monotonic())
        self.driver = TransportDriver(self.transport, on_event)
        self.is_open = False  # it has sockets
        self.is_gathered = asyncio.Event()
        self._session_id = SYSTEM.getrandbits(62)
        self._gathered: list[CandidateGathered] = []
        self._capturing: Capturing | None = None
        self._looking: set[asyncio.Task[None]] = set()  # up names of servers
        self._told = 0  # of these, to the program

    @property
    def agent(self) -> Agent:
        return self.transport.agent

    @property
    def now(self) -> Instant:
        return self.driver.now

    async def configure(self, role: ICERole, configuration: RTCConfiguration) -> None:
        """Take the role in ICE and the servers, unless gathering has begun already. Names are looked up by and by.

        Raises:
            TransportError: the file to capture into cannot be opened.
        """
        self.driver.bind()
        config, has_names = await configuration.to_ice_at_once()
        if self._capturing is None:
            self._capturing = Capturing(configuration, self.now)
            self.transport.tap = self._capturing.tap
        if self.agent.gathering_state is GatheringState.NEW and self.agent.remote_credentials is None:
            self.transport.configure(role, config)
            self._stop_looking()
            if has_names:
                self.agent.await_servers()
                task = asyncio.create_task(self._look_up(configuration))
                self._looking.add(task)
                task.add_done_callback(self._looking.discard)

    async def _look_up(self, configuration: RTCConfiguration) -> None:
        """Add the servers that are known by their names: what is slow about it delays no candidate but theirs."""
        config = await configuration.to_ice()
        if not self.transport.is_closed:
            self.agent.add_servers(config, self.now)
            self.driver.pump()

    def _stop_looking(self) -> None:
        for task in self._looking:
            task.cancel()

    async def reconfigure(self, configuration: RTCConfiguration) -> None:
        """Take other servers, or another policy, for the next restart. Names are looked up meanwhile."""
        self.agent.use_servers(await configuration.to_ice())

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

    def local(self, credentials: Credentials | None = None) -> Local:
        """What a description says of this side, with the credentials in force or others."""
        size = self.transport.channels.association.config.max_message_size
        agent = self.agent
        fingerprint = self.certificate.fingerprint()
        return Local(self._session_id, credentials or agent.local_credentials, agent.options, fingerprint, size)

    def use(self, credentials: Credentials) -> None:
        """A description of ours with these credentials was set: others than before restart ICE."""
        if credentials != self.agent.local_credentials:
            self._forget()
            self.agent.restart(self.now, credentials)
            self.driver.pump()

    def withdraw(self, stable: Credentials | None) -> None:
        """An offer was taken back. What it signaled is void: go on with what is in force, else begin anew."""
        agent = self.agent
        if agent.local_credentials == stable:
            return
        self._forget()
        if stable is None or not (agent.undo_restart(self.now) and agent.local_credentials == stable):
            agent.restart(self.now, stable)
        self.driver.pump()

    def tell(self, remote: Remote) -> None:
        """Give the agent what a description of the other side says."""
        agent, now = self.agent, self.now
        agent.set_remote(remote.credentials, now, lite=remote.is_lite, options=remote.ice_options)
        agent.add_remote_candidates(remote.candidates, now)
        if remote.has_ended:
            agent.end_of_candidates(now)
        self.driver.pump()

    def start(self, remote: Remote, role: DTLSRole) -> None:
        """Both descriptions are known, for the first time or again."""
        if not self.transport.is_started:
            self.transport.start(remote, role, self.now)
        else:
            self.transport.update(remote, self.now)

    def found(self, event: CandidateGathered) -> None:
        """Keep a candidate, and those of its generation only."""
        if self._gathered and self._gathered[0].ufrag != event.ufrag:
            self._forget()
        self._gathered.append(event)

    def release(self, ufrag: str | None) -> list[CandidateGathered]:
        """Those of this generation that the program was not told of yet (WebRTC 1.0, "release early candidates")."""
        early = [event for event in self._gathered[self._told :] if event.ufrag == ufrag]
        if early:
            self._told = len(self._gathered)
        return early

    def with_candidates(self, description: Description, index: int, ufrag: str | None) -> str:
        """A description of ours with what was gathered since, in the section at `index`."""
        if ufrag != self.agent.local_credentials.ufrag:
            return description.sdp
        candidates = [event.candidate for event in self._gathered if event.ufrag == ufrag]
        has_ended = self.agent.gathering_state is GatheringState.COMPLETE
        return with_candidates(description.parsed, candidates, index=index, has_ended=has_ended)

    def _forget(self) -> None:
        self._gathered = []
        self._told = 0

    async def wait_closed(self) -> None:
        """Wait until the loop has let go of what `close` closed: a few turns, whatever the other side does."""
        if self._looking:
            await asyncio.wait(self._looking)
        await self.driver.wait_closed()

    def close(self) -> None:
        """Tell the peer, and let go of every socket."""
        self.driver.bind()
        self._stop_looking()
        self.transport.close(self.now)
        self.driver.close()
        if self._capturing is not None:
            self._capturing.close()
        self.is_gathered.set()
