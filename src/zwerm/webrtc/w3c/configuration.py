"""RTCConfiguration and RTCIceServer (WebRTC 1.0 sections 4.2.1 and 4.2.2), and what they mean for ICE."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.connection.aio import resolve
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.config import CandidatePolicy, Config, StunServer, TurnServer
from zwerm.webrtc.stun.uri import IceServer, ServerUri, Service, Transport, parse_ice_servers
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

    def check(self) -> None:
        """Refuse what cannot be used.

        Raises:
            RTCSyntaxError: a URL of a server, or the policy.
        """
        for server in self.iceServers or ():
            server.parsed()
        if self.iceTransportPolicy not in [policy.value for policy in CandidatePolicy]:
            raise RTCSyntaxError(f"iceTransportPolicy {self.iceTransportPolicy!r}, expected all or relay")

    async def to_ice(self) -> Config:
        """Look up the servers' names. Servers that have no address, or that TCP, TLS or DTLS leads to, are left out."""
        servers = [(server.parsed(), uri) for server in self.iceServers or () for uri in server.parsed().uris]
        udp = [(server, uri) for server, uri in servers if uri.transport is Transport.UDP]
        addresses = await asyncio.gather(*(resolve(uri.host, uri.port) for _, uri in udp))
        stun: list[StunServer] = []
        turn: list[TurnServer] = []
        for (server, uri), address in zip(udp, addresses, strict=True):
            if address is None:
                continue
            if uri.service is Service.STUN:
                stun.append(StunServer(address, str(uri)))
            else:
                turn.append(TurnServer(address, *_credentials(server, uri), url=str(uri)))
        return Config(
            policy=CandidatePolicy(self.iceTransportPolicy),
            stun_servers=tuple(stun),
            turn_servers=tuple(turn),
            allowed_networks=LOOPBACK if self.includeLoopback else (),
        )


def _credentials(server: IceServer, uri: ServerUri) -> tuple[str, str]:
    if server.username is None or server.credential is None:
        raise RTCSyntaxError(f"{uri} needs username and credential")
    return server.username, server.credential
