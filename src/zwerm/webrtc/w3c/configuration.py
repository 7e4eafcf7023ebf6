"""RTCConfiguration and RTCIceServer (WebRTC 1.0 sections 4.2.1 and 4.2.2), and what they mean for ICE."""

from __future__ import annotations

import dataclasses
import enum
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.capture.file import CaptureFile
from zwerm.webrtc.connection.ice_servers import find_servers, without_names
from zwerm.webrtc.connection.local_network import LocalNetwork
from zwerm.webrtc.ice.address_policy import LOOPBACK
from zwerm.webrtc.ice.config import CandidatePolicy, Config
from zwerm.webrtc.stun.uri import IceServer, parse_ice_servers
from zwerm.webrtc.w3c.errors import InvalidAccessError, InvalidModificationError, RTCSyntaxError, RTCTypeError

if TYPE_CHECKING:
    from zwerm.webrtc.w3c.certificate import RTCCertificate

POLICIES: Final = {
    "bundlePolicy": ("balanced", "max-compat", "max-bundle"),
    "rtcpMuxPolicy": ("require",),
    "iceTransportPolicy": tuple(policy.value for policy in CandidatePolicy),
}
MAX_SERVERS: Final = 32  # more are left out
TCP_DELAY: Final = (
    0.05  # seconds, the pace of libwebrtc; what trickles can wait, as its connection mostly stands by then
)
OURS: Final = (
    "includeLoopback",
    "hideAddresses",
    "interfaces",
    "portRange",
    "iceTcp",
    "capture",
    "captureKeys",
)  # that cannot be changed


@dataclasses.dataclass
class RTCIceServer:
    """A STUN or TURN server; `url` is the old name of `urls`."""

    urls: str | Sequence[str] = ()
    username: str | None = None
    credential: str | None = dataclasses.field(default=None, repr=False)
    url: str | None = None
    credentialType: str = "password"  # noqa: N815 - there is no other

    @classmethod
    def of(cls, given: RTCIceServer | Mapping[str, Any]) -> RTCIceServer:
        """Take a dictionary too, as in JavaScript.

        Raises:
            RTCTypeError: it has a member that is not known.
        """
        if isinstance(given, RTCIceServer):
            return given
        try:
            return cls(**given)
        except TypeError:
            raise RTCTypeError(f"an ICE server of {', '.join(map(str, given))}, expected urls and so on") from None

    def parsed(self) -> IceServer:
        """Check the URLs.

        Raises:
            RTCSyntaxError: one is malformed, or there is none.
            InvalidAccessError: TURN has no credentials.
        """
        urls = self.urls or self.url or ()
        texts = [urls] if isinstance(urls, str) else list(urls)
        if (self.username is None or self.credential is None) and any(str(text).startswith("turn") for text in texts):
            raise InvalidAccessError(f"{', '.join(map(str, texts))} needs username and credential")
        try:
            (server,) = parse_ice_servers([{"urls": urls, "username": self.username, "credential": self.credential}])
        except LocalProtocolError as error:
            raise RTCSyntaxError(str(error)) from None
        return server


class RTCBundlePolicy(enum.StrEnum):
    """How sections are offered to those who may not know BUNDLE."""

    BALANCED = "balanced"
    MAX_COMPAT = "max-compat"
    MAX_BUNDLE = "max-bundle"


@dataclasses.dataclass
class RTCConfiguration:
    """How a connection is made."""

    iceServers: Sequence[RTCIceServer | Mapping[str, Any]] | None = None  # noqa: N815 - the W3C's names
    bundlePolicy: str = "balanced"  # noqa: N815 - "max-bundle": further sections without a transport of their own
    rtcpMuxPolicy: str = "require"  # noqa: N815 - there is no other
    iceTransportPolicy: str = "all"  # noqa: N815 - or "relay"
    iceCandidatePoolSize: int = 0  # noqa: N815 - above 0: gathering begins with `createOffer`
    certificates: Sequence[RTCCertificate] = ()  # empty: one is made
    trickle: bool = False  # ours: `setLocalDescription` returns at once, as in browsers; else when all is gathered
    includeLoopback: bool = False  # noqa: N815 - ours: gather on loopback, and talk to it; for two on one machine
    hideAddresses: bool = False  # noqa: N815 - ours: names of multicast DNS for host addresses, as browsers do
    interfaces: Sequence[str] | None = None  # ours: names or addresses to use, and no other; None: all
    portRange: tuple[int, int] | None = None  # noqa: N815 - ours: first and last port to bind; None: any
    iceTcp: bool = True  # noqa: N815 - ours: candidates of RFC 6544 too
    capture: CaptureFile | str | os.PathLike[str] | None = None  # ours: a file to capture into (docs/captures.md)
    captureKeys: bool = False  # noqa: N815 - ours: with the keys, so that whoever has the file can read everything

    @classmethod
    def of(cls, given: RTCConfiguration | Mapping[str, Any] | None) -> RTCConfiguration:
        """A copy that was checked; also of a dictionary as in JavaScript.

        Raises:
            RTCTypeError: a member or a value that is not known.
            RTCSyntaxError: a URL of a server is malformed.
            InvalidAccessError: TURN without credentials, or a certificate that has expired.
        """
        if given is None:
            return cls()
        try:
            copy = dataclasses.replace(given) if isinstance(given, RTCConfiguration) else cls(**given)
        except TypeError:
            raise RTCTypeError(f"configuration {given!r:.200}, expected iceServers and so on") from None
        copy.check()
        return copy

    @property
    def servers(self) -> list[RTCIceServer]:
        return [RTCIceServer.of(server) for server in (self.iceServers or ())[:MAX_SERVERS]]

    def check(self) -> None:
        """Refuse what cannot be used; the errors are those of `of`."""
        for name, values in POLICIES.items():
            if getattr(self, name) not in values:
                raise RTCTypeError(f"{name} {getattr(self, name)!r}, expected {' or '.join(values)}")
        if isinstance(self.iceCandidatePoolSize, bool) or not 0 <= self.iceCandidatePoolSize <= 255:
            raise RTCTypeError(f"iceCandidatePoolSize {self.iceCandidatePoolSize}, expected 0 to 255")
        for server in self.servers:
            server.parsed()
        for certificate in self.certificates:
            if certificate.expires < time.time() * 1_000:
                raise InvalidAccessError("the certificate has expired")
        try:
            self.network()
        except LocalProtocolError as error:
            raise RTCSyntaxError(str(error)) from None

    def check_change(self, old: RTCConfiguration, *, is_pool_fixed: bool) -> None:
        """See that `old` may become this (WebRTC 1.0 section 4.4.1.6).

        Raises:
            InvalidModificationError: it changes what cannot change any more.
        """
        if list(map(id, self.certificates)) != list(map(id, old.certificates)):
            raise InvalidModificationError("the certificates of a connection cannot be changed")
        for name in ("bundlePolicy", "rtcpMuxPolicy", *OURS):
            if getattr(self, name) != getattr(old, name):
                raise InvalidModificationError(f"{name} of a connection cannot be changed")
        if is_pool_fixed and self.iceCandidatePoolSize != old.iceCandidatePoolSize:
            raise InvalidModificationError("iceCandidatePoolSize cannot be changed after setLocalDescription")

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
            tcp_delay=TCP_DELAY if self.trickle else 0.0,
        )

    async def to_ice(self) -> Config:
        """Look up the servers' names. Servers that have no address, or that cannot be used, are left out."""
        return await self._to_ice([server.parsed() for server in self.servers])

    async def to_ice_at_once(self) -> tuple[Config, bool]:
        """The same without the servers whose names are to be looked up, which takes time; and whether there are any."""
        known, has_names = without_names([server.parsed() for server in self.servers])
        return await self._to_ice(known), has_names

    async def _to_ice(self, servers: Sequence[IceServer]) -> Config:
        stun, turn = await find_servers(servers)
        return Config(
            policy=CandidatePolicy(self.iceTransportPolicy),
            mdns=self.hideAddresses,
            stun_servers=stun,
            turn_servers=turn,
            allowed_networks=LOOPBACK if self.includeLoopback else (),
        )
