"""What a DTLS connection knows and counted, for `getStats` (W3C webrtc-stats, RTCTransportStats) and for people."""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.webrtc.dtls.event import Role, SRTPProfile

IANA_NAMES: Final = {  # of the suites that are offered, by OpenSSL's names (IANA registry "TLS Cipher Suites")
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
}
VERSIONS: Final = {"DTLSv1.2": "FEFD"}  # as the version stands on the wire, in hex


@dataclasses.dataclass(frozen=True, slots=True)
class DTLSStatistics:
    """One connection; None where the handshake is not done."""

    role: Role
    version: str | None  # OpenSSL's name
    cipher: str | None  # OpenSSL's name
    srtp_profile: SRTPProfile | None
    peer_certificate: bytes  # in DER; empty until the peer has proved to have its key
    forged: int  # records that did not decrypt; 0 where OpenSSL opens them
    replayed: int  # records that came twice, or too late to tell
    dropped: int  # records let go before anything looked into them, or not of this connection

    @property
    def iana_cipher(self) -> str | None:
        return None if self.cipher is None else IANA_NAMES.get(self.cipher)

    @property
    def hex_version(self) -> str | None:
        return None if self.version is None else VERSIONS.get(self.version)
