"""getStats of connections on loopback: both sides agree, and records lead to each other."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.webrtc.w3c.both import Inbox
from tests.webrtc.w3c.transports import LIMIT, Two, connect, only, selected
from zwerm.webrtc import RTCPeerConnection, RTCStatsReport
from zwerm.webrtc.connection.statistics import Traffic, TransportStatistics
from zwerm.webrtc.datachannel.statistics import ChannelsStatistics
from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.ice.config import Role, ServerTransport, StunServer, TurnServer
from zwerm.webrtc.ice.pair import Counters, PairState
from zwerm.webrtc.ice.statistics import AgentStatistics, PairStatistics
from zwerm.webrtc.sctp.statistics import AssociationStatistics
from zwerm.webrtc.w3c.stats_records import StatsReporter


async def test_statistics_of_both_sides_agree(two: Two) -> None:
    left, right = two
    ours, theirs = await connect(left, right)
    inbox = Inbox(theirs)
    for message in ("hello", b"12345678", "ü"):
        ours.send(message)
    async with asyncio.timeout(LIMIT):
        await inbox.take(3)
        here, there = await settled(left, right)
    sent, received = only(here, "data-channel"), only(there, "data-channel")
    assert (sent.messagesSent, sent.bytesSent) == (received.messagesReceived, received.bytesReceived) == (3, 15)
    assert (sent.state, sent.label, sent.dataChannelIdentifier) == ("open", "chat", theirs.id)
    assert only(here, "peer-connection").dataChannelsOpened == only(there, "peer-connection").dataChannelsOpened == 1
    for one, other in ((here, there), (there, here)):
        for sent, received in (("bytesSent", "bytesReceived"), ("packetsSent", "packetsReceived")):
            assert total(one, sent) == total(other, received) == only(one, "transport")[sent]
        asked = selected(one).requestsSent + selected(one).consentRequestsSent
        assert 0 < selected(one).responsesReceived <= asked
        assert only(one, "transport").dtlsCipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        assert only(one, "transport").tlsVersion == "FEFD"
    assert {only(one, "transport").dtlsRole for one in (here, there)} == {"client", "server"}


def total(report: RTCStatsReport, name: str) -> int:
    """Of all pairs: a busy machine may change from one to another after the first data."""
    return sum(pair[name] for pair in report.of_type("candidate-pair"))


async def settled(left: RTCPeerConnection, right: RTCPeerConnection) -> tuple[RTCStatsReport, RTCStatsReport]:
    """Both reports once nothing is on its way any more: until then one side has counted what the other has not."""
    while True:
        here, there = await left.getStats(), await right.getStats()
        sent = [total(one, "bytesSent") for one in (here, there)]
        if sent == [total(one, "bytesReceived") for one in (there, here)]:
            return here, there
        await asyncio.sleep(0.01)


async def test_ids_lead_from_record_to_record_and_stay(two: Two) -> None:
    left, right = two
    await connect(left, right)
    first, second = await left.getStats(), await left.getStats()
    lasting = ("transport", "certificate", "data-channel", "peer-connection", "local-candidate", "sctp-transport")
    assert {one.id for one in first.values() if one.type in lasting} <= set(second)
    for record in first.values():
        for name, value in record.items():
            if name.endswith("Id"):
                assert value in first, f"{name} of {record.type}"
    before = time.time() * 1_000
    assert all(abs(record.timestamp - before) < 60_000 for record in first.values())
    last = max(pair.get("lastPacketSentTimestamp", 0) for pair in first.of_type("candidate-pair"))
    assert 0 <= only(first, "transport").timestamp - last < 60_000
    assert 0 < selected(first).currentRoundTripTime <= selected(first).totalRoundTripTime < 60


async def test_a_connection_that_did_nothing_yet_has_statistics_too(
    two: Two,
) -> None:
    report = await two[0].getStats()
    transport = only(report, "transport")
    assert (transport.dtlsState, transport.iceState, transport.iceRole, transport.dtlsRole) == (
        "new",
        "new",
        "unknown",
        "unknown",
    )
    assert (transport.bytesSent, transport.selectedCandidatePairChanges) == (0, 0)
    assert "selectedCandidatePairId" not in transport
    assert report.of_type("candidate-pair") == []


RELAY = TurnServer(("203.0.113.5", 3478), "u", "p", ServerTransport.TLS, url="turns:turn.example.net")
STUN = StunServer(("203.0.113.6", 3478), url="stun:stun.example.net")


def candidate(text: str) -> Candidate:
    return Candidate.from_text(f"candidate:{text}")


HOST = candidate("1 1 udp 2130706431 192.0.2.1 5000 typ host")
REFLEXIVE = candidate("2 1 udp 1694498815 198.51.100.1 6000 typ srflx raddr 192.0.2.1 rport 5000")
RELAYED = candidate("3 1 udp 16777215 203.0.113.5 7000 typ relay raddr 198.51.100.1 rport 6001")
ACTIVE = candidate("4 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active")
PEER = candidate("5 1 UDP 1862270975 198.51.100.9 8000 typ prflx")


def record_of(*pairs: PairStatistics) -> RTCStatsReport:
    """A report of an agent with these pairs, the second of which is of the generation before."""
    ice = AgentStatistics(
        role=Role.CONTROLLED,
        local_ufrag="ours",
        remote_ufrag="them",
        pairs=pairs[:1],
        retired_pairs=pairs[1:],
        local_candidates=(HOST, REFLEXIVE, RELAYED, ACTIVE),
        remote_candidates=(),
        servers={REFLEXIVE: STUN, RELAYED: RELAY},
        pair_changes=3,
    )
    association = AssociationStatistics("established", None, 1.0, 10_000, 20_000, 1_160, 1_161, 0)
    statistics = TransportStatistics(Traffic(), ice, None, ChannelsStatistics(0, 0, (), association))
    return StatsReporter(b"").report(statistics, ice_state="connected", dtls_state="new", now=50.0, wall=1_000.0)


def pair(local: Candidate, *, selected: bool, **counters: Any) -> PairStatistics:
    return PairStatistics(
        local=local,
        remote=PEER,
        state=PairState.SUCCEEDED,
        is_nominated=True,
        is_selected=selected,
        priority=5,
        round_trip_time=None,
        responded_at=None,
        counters=Counters(**counters),
        server=RELAY if selected else None,
    )


def test_candidates_say_what_kind_they_are_and_which_server_made_them() -> None:
    found = {one.foundation: one for one in record_of().of_type("local-candidate")}
    assert [found[number].candidateType for number in "1234"] == ["host", "srflx", "relay", "host"]
    assert found["2"].url == "stun:stun.example.net"
    assert (found["3"].url, found["3"].relayProtocol) == ("turns:turn.example.net", "tls")
    assert (found["4"].tcpType, found["4"].protocol) == ("active", "tcp")
    assert (found["2"].relatedAddress, found["2"].relatedPort) == ("192.0.2.1", 5000)
    assert {one.usernameFragment for one in found.values()} == {"ours"}
    assert "url" not in found["1"]
    assert "relayProtocol" not in found["2"]


def test_moments_are_milliseconds_since_1970_and_durations_seconds() -> None:
    report = record_of(pair(HOST, selected=True, sent_at=48.0, received_at=49.5, total_round_trip_time=0.25))
    one = only(report, "candidate-pair")
    assert one.timestamp == 1_000_000.0
    assert (one.lastPacketSentTimestamp, one.lastPacketReceivedTimestamp) == (998_000.0, 999_500.0)
    assert one.totalRoundTripTime == 0.25
    assert "currentRoundTripTime" not in one


def test_consent_is_counted_apart_from_other_checks() -> None:
    one = only(record_of(pair(HOST, selected=True, requests_sent=9, consent_requests_sent=7)), "candidate-pair")
    assert (one.requestsSent, one.consentRequestsSent) == (2, 7)


def test_during_a_restart_the_pair_of_before_is_there_with_its_candidates() -> None:
    """Its remote candidate belongs to no description any more, so it has no fragment."""
    report = record_of(pair(HOST, selected=False), pair(RELAYED, selected=True))
    chosen = selected(report)
    assert report[chosen.localCandidateId].candidateType == "relay"
    assert report[chosen.remoteCandidateId].protocol == "udp"
    assert only(report, "transport").selectedCandidatePairChanges == 3
    assert only(report, "remote-candidate").usernameFragment == "them"


def test_sctp_counts_in_packets_what_is_on_its_way() -> None:
    sctp = only(record_of(), "sctp-transport")
    assert (sctp.mtu, sctp.unackData, sctp.congestionWindow, sctp.receiverWindow) == (1_160, 2, 10_000, 20_000)
    assert "smoothedRoundTripTime" not in sctp
