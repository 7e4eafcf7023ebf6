"""RTCDtlsTransport: the other side's certificate, and what a wrong one leads to."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.webrtc.w3c.transports import LIMIT, Two, connect, objects, only
from zwerm.webrtc import RTCPeerConnection, RTCSessionDescription


async def test_certificates_are_the_other_sides(two: Two) -> None:
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


async def test_a_wrong_fingerprint_is_an_error_of_dtls_and_no_data_ever_passes(
    two: Two,
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
    dtls.onerror = errors.put_nowait
    async with asyncio.timeout(LIMIT):
        error, event = await errors.get(), await errors.get()
    assert (event.type, event.error) == ("error", error)
    assert (error.errorDetail, error.sentAlert, dtls.state) == ("fingerprint-failure", 42, "failed")
    assert left.connectionState == "failed"
    assert dtls.getRemoteCertificates() == []
    report = await left.getStats()
    assert only(report, "transport").dtlsState == "failed"
    assert only(report, "peer-connection").dataChannelsOpened == 0
