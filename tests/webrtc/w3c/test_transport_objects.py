"""RTCIceTransport, RTCDtlsTransport, RTCSctpTransport and getStats of connections on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.webrtc.w3c.both import HERE, Inbox, announced, closed, connected, happened, signal
from zwerm.webrtc import (
    InvalidAccessError,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSctpTransport,
    RTCSessionDescription,
    RTCStats,
    RTCStatsReport,
)

LIMIT = 30.0


@pytest.fixture
async def two() -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection]]:
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    yield left, right
    await left.close()
    await right.close()


async def connect(left: RTCPeerConnection, right: RTCPeerConnection) -> tuple[RTCDataChannel, RTCDataChannel]:
    """A channel that both ends have."""
    ours, theirs = left.createDataChannel("chat"), announced(right)
    await signal(left, right)
    async with asyncio.timeout(LIMIT):
        await connected(ours)
        return ours, await theirs


def objects(connection: RTCPeerConnection) -> RTCSctpTransport:
    assert connection.sctp is not None
    return connection.sctp


def states_of(target: Any, event: str = "statechange", name: str = "state") -> list[str]:
    """What a target is at each event from now on."""
    states: list[str] = []
    target.on(event, lambda: states.append(getattr(target, name)))
    return states


def only(report: RTCStatsReport, kind: str) -> RTCStats:
    (record,) = report.of_type(kind)
    return record


def selected(report: RTCStatsReport) -> RTCStats:
    return report[only(report, "transport").selectedCandidatePairId]


async def test_there_is_no_transport_before_the_answer(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
    left, right = two
    left.createDataChannel("chat")
    await left.setLocalDescription()
    assert left.sctp is None
    assert left.localDescription is not None
    await right.setRemoteDescription(left.localDescription)
    assert right.sctp is None
    await right.setLocalDescription()
    assert right.sctp is not None
    assert right.sctp is right.sctp


async def test_each_object_leads_to_the_one_below_and_tells_how_it_stands(
    two: tuple[RTCPeerConnection, RTCPeerConnection],
) -> None:
    left, right = two
    await connect(left, right)
    for connection, role in ((left, "controlling"), (right, "controlled")):
        sctp = objects(connection)
        dtls, ice = sctp.transport, sctp.transport.iceTransport
        await happened(ice, "statechange", lambda ice=ice: ice.state in ("connected", "completed"))
        assert (sctp.state, dtls.state, ice.role, ice.component) == ("connected", "connected", role, "rtp")
        assert (sctp.maxChannels, ice.gatheringState) == (65_535, "complete")
        assert 65_536 <= sctp.maxMessageSize <= 1 << 30


async def test_candidates_and_parameters_are_those_that_were_signaled(
    two: tuple[RTCPeerConnection, RTCPeerConnection],
) -> None:
    left, right = two
    await connect(left, right)
    ours, theirs = objects(left).transport.iceTransport, objects(right).transport.iceTransport
    description = left.localDescription
    assert isinstance(description, RTCSessionDescription)
    assert all(f"a={one.candidate}" in description.sdp for one in ours.getLocalCandidates())
    here = {(one.address, one.port) for one in ours.getLocalCandidates()}
    there = {(one.address, one.port) for one in theirs.getRemoteCandidates()}
    assert here & there
    assert ours.getLocalParameters() == theirs.getRemoteParameters()
    assert theirs.getLocalParameters() == ours.getRemoteParameters()
    parameters = ours.getLocalParameters()
    assert parameters is not None
    assert f"a=ice-ufrag:{parameters.usernameFragment}\r\n" in description.sdp
    assert parameters.password not in repr(parameters)
    assert {one.usernameFragment for one in ours.getLocalCandidates()} == {parameters.usernameFragment}


async def test_the_selected_pair_is_the_same_seen_from_both_sides(
    two: tuple[RTCPeerConnection, RTCPeerConnection],
) -> None:
    left, right = two
    await connect(left, right)
    ours = objects(left).transport.iceTransport
    pair = ours.getSelectedCandidatePair()
    assert pair is not None
    assert pair.local in ours.getLocalCandidates()
    report = await right.getStats()
    seen = [(one.address, one.port) for one in report.of_type("remote-candidate")]
    assert (pair.local.address, pair.local.port) in seen
    await left.close()
    assert ours.getSelectedCandidatePair() is None


async def test_certificates_are_the_other_sides(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
    left, right = two
    await connect(left, right)
    (der,) = objects(left).transport.getRemoteCertificates()
    report = await right.getStats()
    ours = report[only(report, "transport").localCertificateId]
    assert right.localDescription is not None
    assert f"a=fingerprint:sha-256 {ours.fingerprint}" in right.localDescription.sdp
    there = await left.getStats()
    assert there[only(there, "transport").remoteCertificateId].base64Certificate == ours.base64Certificate
    assert len(der) > 200


async def test_the_end_is_told_by_every_object_once(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
    left, right = two
    ours, theirs = await connect(left, right)
    sctp = objects(left)
    told = [states_of(target) for target in (sctp, sctp.transport, sctp.transport.iceTransport)]
    await right.close()
    async with asyncio.timeout(LIMIT):
        await closed(ours)
    await left.close()
    assert [states[-1] for states in told] == ["closed"] * 3
    assert [states.count("closed") for states in told] == [1, 1, 1]
    assert objects(right).state == objects(right).transport.state == "closed"
    assert theirs.readyState == "closed"


async def test_a_wrong_fingerprint_is_an_error_of_dtls_and_no_data_ever_passes(
    two: tuple[RTCPeerConnection, RTCPeerConnection],
) -> None:
    left, right = two
    stranger = await RTCPeerConnection.generateCertificate({"name": "ECDSA", "namedCurve": "P-256"})
    left.createDataChannel("chat")
    await left.setLocalDescription()
    assert left.localDescription is not None
    await right.setRemoteDescription(left.localDescription)
    await right.setLocalDescription()
    assert right.localDescription is not None
    lines = right.localDescription.sdp.split("\r\n")
    forged = [f"a=fingerprint:{stranger.certificate.fingerprint()}" if "a=fingerprint" in one else one for one in lines]
    errors: asyncio.Queue[Any] = asyncio.Queue()
    await left.setRemoteDescription(RTCSessionDescription("\r\n".join(forged), "answer"))
    dtls = objects(left).transport
    dtls.on("error", errors.put_nowait)
    async with asyncio.timeout(LIMIT):
        error = await errors.get()
    assert (error.errorDetail, error.sentAlert, dtls.state) == ("fingerprint-failure", 42, "failed")
    assert left.connectionState == "failed"
    assert dtls.getRemoteCertificates() == []
    report = await left.getStats()
    assert only(report, "transport").dtlsState == "failed"
    assert only(report, "peer-connection").dataChannelsOpened == 0


async def test_statistics_of_both_sides_agree(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
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
        assert selected(one).bytesSent == selected(other).bytesReceived
        assert selected(one).packetsSent == selected(other).packetsReceived
        assert selected(one).requestsSent + selected(one).consentRequestsSent == selected(other).requestsReceived
        assert selected(one).responsesReceived == selected(other).responsesSent
        assert only(one, "transport").bytesSent == selected(one).bytesSent
        assert only(one, "transport").dtlsCipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        assert only(one, "transport").tlsVersion == "FEFD"
    assert {only(one, "transport").dtlsRole for one in (here, there)} == {"client", "server"}


async def settled(left: RTCPeerConnection, right: RTCPeerConnection) -> tuple[RTCStatsReport, RTCStatsReport]:
    """Both reports once nothing is on its way any more: until then one side has counted what the other has not."""
    while True:
        here, there = await left.getStats(), await right.getStats()
        pair, other = selected(here), selected(there)
        is_quiet = (pair.bytesSent, pair.bytesReceived) == (other.bytesReceived, other.bytesSent)
        checks = (pair.requestsSent + pair.consentRequestsSent, pair.responsesReceived)
        if is_quiet and checks == (other.requestsReceived, other.responsesSent):
            back = (other.requestsSent + other.consentRequestsSent, other.responsesReceived)
            if back == (pair.requestsReceived, pair.responsesSent):
                return here, there
        await asyncio.sleep(0.01)


async def test_ids_lead_from_record_to_record_and_stay(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
    left, right = two
    await connect(left, right)
    first, second = await left.getStats(), await left.getStats()
    assert set(first) <= set(second) | set(first)
    assert only(first, "transport").id == only(second, "transport").id
    for record in first.values():
        for name, value in record.items():
            if name.endswith("Id"):
                assert value in first, f"{name} of {record.type}"
    before = time.time() * 1_000
    assert all(abs(record.timestamp - before) < 60_000 for record in first.values())
    pair = selected(first)
    assert 0 <= only(first, "transport").timestamp - pair.lastPacketSentTimestamp < 60_000
    assert 0 < pair.currentRoundTripTime <= pair.totalRoundTripTime < 60


async def test_there_are_no_tracks_to_ask_statistics_of(two: tuple[RTCPeerConnection, RTCPeerConnection]) -> None:
    with pytest.raises(InvalidAccessError, match="no sender or receiver"):
        await two[0].getStats("a track")


async def test_a_connection_that_did_nothing_yet_has_statistics_too(
    two: tuple[RTCPeerConnection, RTCPeerConnection],
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
