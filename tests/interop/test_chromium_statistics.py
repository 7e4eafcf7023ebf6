"""One connection seen from both ends: our statistics beside Chromium's, and our capture of it in tshark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright

from tests.interop.test_chromium_data_channel import ARGUMENTS, PAGE, we_offer
from tests.interop.tshark import bytes_of, fields
from tests.web.browser import CHROMIUM
from tests.webrtc.w3c.both import Inbox, connected
from zwerm.webrtc import RTCConfiguration, RTCPeerConnection

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-chromium"),
]

LIMIT = 60.0
REPORT = "async () => Object.fromEntries(await pc.getStats())"
SAME = (  # pairs of members that have to be equal, ours and Chromium's, both ways
    ("bytesSent", "bytesReceived"),
    ("packetsSent", "packetsReceived"),
    ("responsesSent", "responsesReceived"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        await page.evaluate(f"() => {{ {PAGE} }}")
        yield page
        await browser.close()


def of_type(report: Any, kind: str) -> list[Any]:
    return [record for record in report.values() if record["type"] == kind]


def selected(report: Any) -> Any:
    (transport,) = of_type(report, "transport")
    return report[transport["selectedCandidatePairId"]]


def differences(ours: Any, theirs: Any) -> list[str]:
    """What two reports of one moment do not agree on."""
    found = []
    for sent, received in SAME:
        for here, there in ((sent, received), (received, sent)):
            if selected(ours)[here] != selected(theirs)[there]:
                found.append(f"{here} {selected(ours)[here]}, Chromium's {there} {selected(theirs)[there]}")
    asked = selected(ours)["requestsSent"] + selected(ours)["consentRequestsSent"]
    if asked != selected(theirs)["requestsReceived"]:
        found.append(f"{asked} requests sent, Chromium received {selected(theirs)['requestsReceived']}")
    return found


async def talked(page: Page, ours: RTCPeerConnection) -> None:
    channel = await we_offer(ours, page)
    inbox = Inbox(channel)
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        assert await page.evaluate("kept") is True
        for message in ("hello shark", bytes(100_000), "ü"):
            channel.send(message)
        await inbox.take(3)


async def settled(page: Page, ours: RTCPeerConnection) -> tuple[Any, Any]:
    """Both reports of a moment when nothing is on its way."""
    while True:
        report, theirs = await ours.getStats(), await page.evaluate(REPORT)
        if not differences(report, theirs):
            return report, theirs
        await asyncio.sleep(0.05)


async def test_both_ends_count_the_same_and_the_capture_shows_it(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "chromium.pcapng"
    ours = RTCPeerConnection(RTCConfiguration(includeLoopback=True, capture=path, captureKeys=True))
    try:
        await talked(page, ours)
        async with asyncio.timeout(LIMIT):
            check_reports(*await settled(page, ours))
    finally:
        await ours.close()
    check_capture(path)


def check_reports(ours: Any, theirs: Any) -> None:
    (here,), (there,) = of_type(ours, "data-channel"), of_type(theirs, "data-channel")
    for name in ("label", "protocol", "dataChannelIdentifier", "state"):
        assert here[name] == there[name], name
    for sent, received in (("messagesSent", "messagesReceived"), ("bytesSent", "bytesReceived")):
        assert here[sent] == there[received]
        assert here[received] == there[sent]
    (here,), (there,) = of_type(ours, "transport"), of_type(theirs, "transport")
    for name in ("dtlsState", "tlsVersion", "dtlsCipher"):
        assert here[name] == there[name], name
    assert {here["dtlsRole"], there["dtlsRole"]} == {"client", "server"}
    assert (here["iceRole"], there["iceRole"]) == ("controlling", "controlled")
    assert ours[here["localCertificateId"]]["fingerprint"] == theirs[there["remoteCertificateId"]]["fingerprint"]
    assert theirs[there["localCertificateId"]]["fingerprint"] == ours[here["remoteCertificateId"]]["fingerprint"]
    certificate = ours[here["remoteCertificateId"]]["base64Certificate"]
    assert certificate == theirs[there["localCertificateId"]]["base64Certificate"]
    local, remote = (ours[selected(ours)[f"{side}CandidateId"]] for side in ("local", "remote"))
    theirs_remote, theirs_local = (theirs[selected(theirs)[f"{side}CandidateId"]] for side in ("remote", "local"))
    for name in ("address", "port", "protocol"):
        assert local[name] == theirs_remote[name], name
        assert remote[name] == theirs_local[name], name
    assert selected(ours)["state"] == selected(theirs)["state"] == "succeeded"
    assert selected(ours)["nominated"] is selected(theirs)["nominated"] is True
    assert 0 < selected(ours)["currentRoundTripTime"] < 10
    (mine,), (other,) = of_type(ours, "peer-connection"), of_type(theirs, "peer-connection")
    assert (mine["dataChannelsOpened"], other["dataChannelsOpened"]) == (1, 1)
    for kind in ("candidate-pair", "local-candidate", "remote-candidate", "certificate"):
        names = set().union(*of_type(ours, kind))
        missing = set().union(*of_type(theirs, kind)) - names - LEFT_OUT
        assert missing == set(), kind


# docs/statistics.md says why: what only media has, what a program cannot know, and Chromium's own.
LEFT_OUT = {
    "availableOutgoingBitrate",
    "bytesDiscardedOnSend",
    "packetsDiscardedOnSend",
    "writable",
    "ip",
    "networkType",
    "networkAdapterType",
    "vpn",
    "url",
    "relatedAddress",
    "relatedPort",
}


def check_capture(path: Path) -> None:
    assert fields(path, "_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0", "frame.number") == []
    dcep = fields(path, "rtcdc", "rtcdc.message_type", "rtcdc.label", "frame.packet_flags_direction")
    assert dcep == [("3", "chat", "0x00000002"), ("2", "", "0x00000001")]
    text = fields(path, "sctp.data_payload_proto_id == 51", "frame.packet_flags_direction")
    assert sorted(direction for (direction,) in text) == ["0x00000001"] * 2 + ["0x00000002"] * 2
    assert len(fields(path, "dtls.handshake.type == 20", "frame.number")) == 2  # Finished, which takes the keys
    assert "Decrypted DTLS" in bytes_of(path, "dtls.record.content_type == 23")
