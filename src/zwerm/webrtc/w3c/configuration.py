"""RTCConfiguration and RTCIceServer (WebRTC 1.0 sections 4.2.1 and 4.2.2), and what they mean for ICE."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.connection.ice_servers import find_servers
from zwerm.webrtc.connection.local_network import LocalNetwork
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.config import CandidatePolicy, Config
from zwerm.webrtc.stun.uri import IceServer, parse_ice_servers
from zwerm.webrtc.w3c.errors import RTCSyntaxError


@dataclasses.dataclass
class RTCIceServer:
    """A STUN or TURN server; `url` is the old name of `urls`."""

    urls: str | Sequence[str] = ()
    username: str | None = None
    credential: str | None = dataclasses.field(default=None, repr=False)
    url: str | None = None

    def parsed(self) -> IceServer:
        """Check the URLs.

        Raises:
            RTCSyntaxError: one is malformed, or TURN has no credentials.
        """
        urls = self.urls or self.url or ()
        try:
            (server,) = parse_ice_servers([{"urls": urls, "username": self.username, "credential": self.credential}])
        except LocalProtocolError as error:
            raise RTCSyntaxError(str(error)) from None
        return server


@dataclasses.dataclass
class RTCConfiguration:
    """How a connection is made."""

    iceServers: Sequence[RTCIceServer] | None = None  # noqa: N815 - the W3C's names
    iceTransportPolicy: str = "all"  # noqa: N815 - or "relay"
    trickle: bool = False  # ours: `setLocalDescription` returns at once, as in browsers; else when all is gathered
    includeLoopback: bool = False  # noqa: N815 - ours: gather on loopback, and talk to it; for two on one machine
    hideAddresses: bool = False  # noqa: N815 - ours: names of multicast DNS for host addresses, as browsers do
    interfaces: Sequence[str] | None = None  # ours: names or addresses to use, and no other; None: all
    portRange: tuple[int, int] | None = None  # noqa: N815 - ours: first and last port to bind; None: any
    iceTcp: bool = True  # noqa: N815 - ours: candidates of RFC 6544 too
    capture: CaptureFile | str | os.PathLike[str] | None = None  # ours: a file to capture into (docs/captures.md)
    captureKeys: bool = False  # noqa: N815 - ours: with the keys, so that whoever has the file can read everything

    def check(self) -> None:
        """Refuse what cannot be used.

        Raises:
            RTCSyntaxError: a URL of a server, or the policy.
        """
        for server in self.iceServers or ():
            server.parsed()
        if self.iceTransportPolicy not in [policy.value for policy in CandidatePolicy]:
            raise RTCSyntaxError(f"iceTransportPolicy {self.iceTransportPolicy!r}, expected all or relay")
        try:
            self.network()
        except LocalProtocolError as error:
            raise RTCSyntaxError(str(error)) from None

    def network(self) -> LocalNetwork:
        """What of this machine is used.

        Raises:
            LocalProtocolError: `portRange` is none.
        """
        return LocalNetwork(
            include_loopback=self.includeLoopback,
            interfaces=None if self.interfaces is None else tuple(self.interfaces),
            ports=self.portRange,
            tcp=self.iceTcp,
        )

    async def to_ice(self) -> Config:
        """Look up the servers' names. Servers that have no address, or that cannot be used, are left out."""
        stun, turn = await find_servers([server.parsed() for server in self.iceServers or ()])
        return Config(
            policy=CandidatePolicy(self.iceTransportPolicy),
            mdns=self.hideAddresses,
            stun_servers=stun,
            turn_servers=turn,
            allowed_networks=LOOPBACK if self.includeLoopback else (),
        )
