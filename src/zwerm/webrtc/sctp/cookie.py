"""The state cookie: all that the answer to an INIT must remember, kept by the one who asked (RFC 9260 section 5.1.3).

So a flood of INITs costs no memory. The cookie is signed with a key of this association alone, carries the time it was
made, and the tie tags by which a restart is told from a stranger.
"""

from __future__ import annotations

import dataclasses
import hmac
import struct
from typing import Final

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks.init import Features

KEY_SIZE: Final = 32
MAC_SIZE: Final = 32
_LAYOUT: Final = struct.Struct("!QIIIIIHHBII")
SIZE: Final = _LAYOUT.size + MAC_SIZE


@dataclasses.dataclass(frozen=True, slots=True)
class Cookie:
    """What the peer's INIT and our INIT ACK said."""

    made_at: int  # milliseconds of the association that made it
    local_tag: int
    peer_tag: int
    local_tsn: int
    peer_tsn: int
    peer_rwnd: int
    outbound_streams: int  # the lesser of ours and what the peer takes
    inbound_streams: int
    features: Features  # the peer's
    local_tie: int = 0  # tags of the association there was, 0 for none
    peer_tie: int = 0

    def serialize(self, key: bytes) -> bytes:
        offered = self.features
        bits = (
            offered.partial_reliability
            | offered.reconfiguration << 1
            | offered.interleaving << 2
            | offered.zero_checksum << 3
        )
        body = _LAYOUT.pack(
            self.made_at,
            self.local_tag,
            self.peer_tag,
            self.local_tsn,
            self.peer_tsn,
            self.peer_rwnd,
            self.outbound_streams,
            self.inbound_streams,
            bits,
            self.local_tie,
            self.peer_tie,
        )
        return body + hmac.digest(key, body, "sha256")

    @classmethod
    def parse(cls, data: bytes, key: bytes) -> Cookie:
        """Read an untrusted cookie.

        Raises:
            WireError: we did not make it.
        """
        body, mac = data[: _LAYOUT.size], data[_LAYOUT.size :]
        if len(data) != SIZE or not hmac.compare_digest(hmac.digest(key, body, "sha256"), mac):
            raise WireError(f"a cookie of {len(data)} bytes that we did not make")
        numbers = _LAYOUT.unpack(body)
        bits = numbers[8]
        features = Features(bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))
        return cls(*numbers[:8], features, *numbers[9:])  # type: ignore[call-arg]
