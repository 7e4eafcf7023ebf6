"""What a DTLS connection tells, what it is told, and its limits."""

from __future__ import annotations

import dataclasses
import enum
from typing import Final, TypeAlias

from zwerm.webrtc.dtls.alert import Alert
from zwerm.webrtc.dtls.fingerprint import Fingerprint

DEFAULT_MTU: Final = 1_200  # bytes of UDP payload, as browsers send


class Role(enum.Enum):
    """Which side starts; `a=setup` of SDP decides."""

    CLIENT = "active: sends the ClientHello"
    SERVER = "passive: waits for one"


class SRTPProfile(enum.Enum):
    """Protection profiles of `use_srtp` (RFC 5764 section 4.1.2, RFC 7714 section 14.2), by OpenSSL's names."""

    AEAD_AES_256_GCM = "SRTP_AEAD_AES_256_GCM"
    AEAD_AES_128_GCM = "SRTP_AEAD_AES_128_GCM"
    AES128_CM_SHA1_80 = "SRTP_AES128_CM_SHA1_80"
    AES128_CM_SHA1_32 = "SRTP_AES128_CM_SHA1_32"


class Cause(enum.Enum):
    """Why a connection failed."""

    HANDSHAKE = "the handshake broke a rule, or no version, suite or certificate was acceptable"
    FINGERPRINT = "the peer's certificate is not the one that was announced"
    INSECURE = "the peer did without what we require: extended master secret"
    ALERT = "the peer sent a fatal alert"
    TIMEOUT = "the peer did not finish the handshake in time"
    LIMIT = "the peer sent more than a limit allows"


@dataclasses.dataclass(frozen=True, slots=True)
class Handshaked:
    """The peer proved the announced certificate; data may flow."""

    fingerprint: Fingerprint  # the one that matched
    srtp_profile: SRTPProfile | None  # None: use_srtp was not agreed on
    version: str  # "DTLSv1.2"
    cipher: str  # OpenSSL's name of the suite


@dataclasses.dataclass(frozen=True, slots=True)
class ApplicationData:
    """Payloads of records, in the order they came; each was sealed by the verified peer and comes once."""

    payloads: tuple[bytes, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Closed:
    """The peer sent close_notify."""


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The connection cannot be used, and never will be."""

    cause: Cause
    detail: str
    alert: Alert | None = None  # the one that the peer sent


Event: TypeAlias = Handshaked | ApplicationData | Closed | ConnectionFailed


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """Limits and times of a connection."""

    mtu: int = DEFAULT_MTU  # bytes of a datagram; under 256 a handshake takes too many fragments
    initial_interval: float = 0.1  # seconds before a flight is sent again the first time; RFC 6347 suggests 1
    max_interval: float = 3.0  # seconds; the interval doubles up to this
    handshake_timeout: float = 30.0  # seconds; a peer that has not finished by then has failed
    waits_for_peer: bool = False  # those seconds count from its first record: ICE watches it until then
    max_message: int = 16_384  # bytes of one handshake message: a certificate chain is the largest
    max_messages: int = 24  # handshake messages in all; DTLS 1.2 has 12 at most
    max_handshake_records: int = 1_000  # records before the handshake ends: 30 s of resends are under 300
    max_held_records: int = 64  # of application data, while the handshake or its verification goes on
    max_waiting_payloads: int = 1_024  # that nobody drained; what comes on top is lost, as on a network
    max_waiting_transmits: int = 1_024  # that nobody drained; `send` refuses more
    max_forged_records: int = 1 << 36  # RFC 9147 section 4.5.3 for AES-GCM; each costs the forger a datagram
    srtp_profiles: tuple[SRTPProfile, ...] = ()  # offered or accepted, the preferred first; none: no use_srtp
    own_records: bool = True  # seal and open AES-GCM records ourselves; False leaves all to OpenSSL
