"""What a TURN client asks of its server."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.transaction import UNRELIABLE, Schedule

DEFAULT_LIFETIME: Final = 600  # seconds (RFC 8656 section 3.2)


@dataclasses.dataclass(frozen=True, slots=True)
class AllocationConfig:
    """What is asked of the server, and what this side keeps."""

    lifetime: int = DEFAULT_LIFETIME  # seconds wanted; the server decides
    family: int | None = None  # `IPV4` or `IPV6` of the relayed address; None: what the server has, usually IPv4
    both_families: bool = False  # an IPv4 and an IPv6 relayed address in one allocation
    even_port: bool = False  # for RTP of old
    reserve_next: bool = False  # the port after the even one is kept for another allocation
    reservation_token: bytes | None = None  # of the allocation that reserved a port for this one
    dont_fragment: bool = False  # ask whether the server can keep datagrams whole
    keep_alive: float | None = 15.0  # seconds of silence before a NAT hears from us; None: over a stream
    schedule: Schedule = UNRELIABLE
    max_permissions: int = 256  # hosts permitted at once; each is refreshed every four minutes
    max_channels: int = 256

    def __post_init__(self) -> None:
        if self.reservation_token is not None and (self.family or self.both_families or self.even_port):
            raise LocalProtocolError(
                "a reserved port has its family and its number: ask for neither (RFC 8656 section 7.1)"
            )
        if self.both_families and (self.family or self.even_port):
            raise LocalProtocolError("both families exclude one family and an even port (RFC 8656 section 7.1)")
        if self.reserve_next and not self.even_port:
            raise LocalProtocolError("only the port after an even one can be reserved (RFC 8656 section 18.7)")
