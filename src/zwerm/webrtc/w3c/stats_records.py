"""What the records of `getStats` say, made of what the machines counted (W3C webrtc-stats; RTCSctpTransportStats of
webrtc-provisional-stats).

Units are the W3C's: instants are milliseconds since 1970, durations are seconds. There is no media, so there are no
records of codecs and streams, and no `srtpCipher`. `docs/statistics.md` lists what is left out, and why.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Final

from zwerm.core.machine import Instant
from zwerm.webrtc.connection.statistics import TransportStatistics
from zwerm.webrtc.datachannel.channel import Channel
from zwerm.webrtc.dtls.event import Role as DTLSRole
from zwerm.webrtc.dtls.fingerprint import Fingerprint
from zwerm.webrtc.ice.candidate import Candidate, CandidateType
from zwerm.webrtc.ice.config import StunServer, TurnServer
from zwerm.webrtc.ice.statistics import PairStatistics
from zwerm.webrtc.w3c.stats import RTCStats, RTCStatsReport

PEER_CONNECTION: Final = "P"
TRANSPORT: Final = "T01"
SCTP: Final = "S01"


class StatsReporter:
    """Makes the reports of one connection."""

    def __init__(self, certificate: bytes) -> None:
        """`certificate` is ours, in DER."""
        self._certificate = certificate
        self._numbers: dict[Channel, int] = {}  # of channels that are not closed
        self._count = 0

    def report(
        self, statistics: TransportStatistics, *, ice_state: str, dtls_state: str, now: Instant, wall: float
    ) -> RTCStatsReport:
        """Make a report.

        Args:
            statistics: of the transport.
            ice_state: RTCIceTransportState.
            dtls_state: RTCDtlsTransportState.
            now: the time of `statistics`.
            wall: the same moment in seconds since 1970.
        """
        moment = _Moment(statistics, now, wall)
        return RTCStatsReport(
            [
                *self._channels(moment),
                *moment.certificates(self._certificate),
                *moment.candidates(),
                *moment.pairs(),
                moment.sctp(),
                moment.transport(ice_state, dtls_state, self._certificate),
            ]
        )

    def _channels(self, moment: _Moment) -> Iterator[RTCStats]:
        counted = moment.statistics.channels
        opened, closed = counted.opened, counted.closed
        yield moment.record("peer-connection", PEER_CONNECTION, dataChannelsOpened=opened, dataChannelsClosed=closed)
        numbers, self._numbers = self._numbers, {}
        for one in counted.channels:
            channel = one.channel
            if channel not in numbers:
                self._count += 1
            number = self._numbers[channel] = numbers.get(channel, self._count)
            yield moment.record(
                "data-channel",
                f"D{number}",
                label=channel.label,
                protocol=channel.protocol,
                dataChannelIdentifier=channel.id,
                state=one.state.value,
                messagesSent=one.messages_sent,
                bytesSent=one.bytes_sent,
                messagesReceived=one.messages_received,
                bytesReceived=one.bytes_received,
            )


class _Moment:
    """One report in the making."""

    def __init__(self, statistics: TransportStatistics, now: Instant, wall: float) -> None:
        self.statistics = statistics
        self._ice = statistics.ice
        self._now = now
        self._timestamp = wall * 1_000

    def record(self, kind: str, name: str, /, **members: object) -> RTCStats:
        return RTCStats(kind, name, self._timestamp, **members)

    def _at(self, instant: Instant | None) -> float | None:
        return None if instant is None else self._timestamp - (self._now - instant) * 1_000

    def certificates(self, ours: bytes) -> Iterator[RTCStats]:
        for der in (ours, self._peer_certificate()):
            if der:
                fingerprint = Fingerprint.of(der)
                yield self.record(
                    "certificate",
                    _certificate_id(der),
                    fingerprint=fingerprint.digest.hex(":").upper(),
                    fingerprintAlgorithm=fingerprint.function.value,
                    base64Certificate=base64.b64encode(der).decode(),
                )

    def _peer_certificate(self) -> bytes:
        return b"" if self.statistics.dtls is None else self.statistics.dtls.peer_certificate

    def candidates(self) -> Iterator[RTCStats]:
        """Those of the present generation, and whatever pairs are made of."""
        local: dict[Candidate, str | None] = dict.fromkeys(self._ice.local_candidates, self._ice.local_ufrag)
        remote: dict[Candidate, str | None] = dict.fromkeys(self._ice.remote_candidates, self._ice.remote_ufrag)
        servers = dict(self._ice.servers)
        for pair in self._ice.pairs + self._ice.retired_pairs:
            is_present = pair in self._ice.pairs
            local.setdefault(pair.local, self._ice.local_ufrag if is_present else None)
            remote.setdefault(pair.remote, self._ice.remote_ufrag if is_present else None)
            if pair.server is not None:
                servers[pair.local] = pair.server
        for candidate, ufrag in local.items():
            yield self._candidate("local-candidate", candidate, ufrag, servers.get(candidate))
        for candidate, ufrag in remote.items():
            yield self._candidate("remote-candidate", candidate, ufrag, None)

    def _candidate(
        self, kind: str, candidate: Candidate, ufrag: str | None, server: StunServer | TurnServer | None
    ) -> RTCStats:
        is_relayed = candidate.type == CandidateType.RELAYED and isinstance(server, TurnServer)
        return self.record(
            kind,
            _candidate_id(kind, candidate),
            transportId=TRANSPORT,
            address=candidate.address,
            port=candidate.port,
            protocol=candidate.transport.lower(),
            candidateType=str(candidate.type),
            isRemote=kind == "remote-candidate",  # of no specification any more, and what readers of dumps look at
            priority=candidate.priority,
            url=(server.url or None) if server is not None else None,
            relayProtocol=server.transport.value if is_relayed and isinstance(server, TurnServer) else None,
            foundation=candidate.foundation,
            relatedAddress=candidate.related_address,
            relatedPort=candidate.related_port,
            usernameFragment=ufrag,
            tcpType=None if candidate.tcp_type is None else candidate.tcp_type.value,
        )

    def pairs(self) -> Iterator[RTCStats]:
        for pair in self._ice.pairs + self._ice.retired_pairs:
            counters = pair.counters
            yield self.record(
                "candidate-pair",
                _pair_id(pair),
                transportId=TRANSPORT,
                localCandidateId=_candidate_id("local-candidate", pair.local),
                remoteCandidateId=_candidate_id("remote-candidate", pair.remote),
                state=pair.state.value,
                nominated=pair.is_nominated,
                priority=pair.priority,
                packetsSent=counters.packets_sent,
                packetsReceived=counters.packets_received,
                bytesSent=counters.bytes_sent,
                bytesReceived=counters.bytes_received,
                lastPacketSentTimestamp=self._at(counters.sent_at),
                lastPacketReceivedTimestamp=self._at(counters.received_at),
                totalRoundTripTime=counters.total_round_trip_time,
                currentRoundTripTime=pair.round_trip_time,
                requestsReceived=counters.requests_received,
                requestsSent=counters.requests_sent - counters.consent_requests_sent,
                responsesReceived=counters.responses_received,
                responsesSent=counters.responses_sent,
                consentRequestsSent=counters.consent_requests_sent,
            )

    def sctp(self) -> RTCStats:
        association = self.statistics.channels.association
        return self.record(
            "sctp-transport",
            SCTP,
            transportId=TRANSPORT,
            smoothedRoundTripTime=association.smoothed_round_trip_time,
            congestionWindow=association.congestion_window,
            receiverWindow=association.receiver_window,
            mtu=association.packet_size,
            unackData=-(-association.bytes_in_flight // association.packet_size),
        )

    def transport(self, ice_state: str, dtls_state: str, certificate: bytes) -> RTCStats:
        traffic, dtls, peer = self.statistics.traffic, self.statistics.dtls, self._peer_certificate()
        selected = next((pair for pair in self._ice.pairs + self._ice.retired_pairs if pair.is_selected), None)
        role = "unknown" if dtls is None else "client" if dtls.role is DTLSRole.CLIENT else "server"
        return self.record(
            "transport",
            TRANSPORT,
            packetsSent=traffic.packets_sent,
            packetsReceived=traffic.packets_received,
            bytesSent=traffic.bytes_sent,
            bytesReceived=traffic.bytes_received,
            iceRole=self._ice.role.value if self._ice.remote_ufrag is not None else "unknown",
            iceLocalUsernameFragment=self._ice.local_ufrag,
            iceState=ice_state,
            dtlsState=dtls_state,
            dtlsRole=role,
            dtlsCipher=None if dtls is None else dtls.iana_cipher,
            tlsVersion=None if dtls is None else dtls.hex_version,
            localCertificateId=_certificate_id(certificate),
            remoteCertificateId=_certificate_id(peer) if peer else None,
            selectedCandidatePairId=None if selected is None else _pair_id(selected),
            selectedCandidatePairChanges=self._ice.pair_changes,
        )


def _certificate_id(der: bytes) -> str:
    return f"CF{Fingerprint.of(der).digest.hex(':').upper()}"


def _candidate_id(kind: str, candidate: Candidate) -> str:
    text = f"{kind} {candidate}".encode()
    return f"I{hashlib.blake2b(text, digest_size=6).hexdigest()}"


def _pair_id(pair: PairStatistics) -> str:
    local, remote = _candidate_id("local-candidate", pair.local), _candidate_id("remote-candidate", pair.remote)
    return f"CP{local[1:]}_{remote[1:]}"
