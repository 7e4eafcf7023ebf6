"""One connection seen from both ends: our statistics beside Chromium's, and our capture of it in tshark."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.interop.test_chromium_data_channel import ARGUMENTS, PAGE, we_offer
from tests.interop.tshark import bytes_of, fields
from tests.web.browser import CHROMIUM
from tests.webrtc.w3c.both import Inbox, connected
from zwerm.webrtc import RecordedPeerConnection, RTCConfiguration, RTCPeerConnection

pytestmark = [
    pytest.mark.browser,
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("webrtc-chromium"),
]

LIMIT = 60.0
HELLO_IN_HEX = "68 65 6c 6c 6f 20 73 68 61 72 6b"
REPORT = "async () => Object.fromEntries(await pc.getStats())"
SAME = (  # pairs of members that have to be equal, ours and Chromium's, both ways
    ("bytesSent", "bytesReceived"),
    ("packetsSent", "packetsReceived"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(chromium: Browser) -> Page:
    page = await chromium.new_page()
    await page.evaluate(f"() => {{ {PAGE} }}")
    return page


def of_type(report: Any, kind: str) -> list[Any]:
    return [record for record in report.values() if record["type"] == kind]


def selected(report: Any) -> Any:
    (transport,) = of_type(report, "transport")
    return report[transport["selectedCandidatePairId"]]


def total(report: Any, name: str) -> int:
    """Of all pairs: a busy machine may change from one to another after the first data."""
    return sum(pair[name] for pair in of_type(report, "candidate-pair"))


def differences(ours: Any, theirs: Any) -> list[str]:
    """What two reports of one moment do not agree on."""
    found = []
    for sent, received in SAME:
        for here, there in ((sent, received), (received, sent)):
            if total(ours, here) != total(theirs, there):
                found.append(f"{here} {total(ours, here)}, Chromium's {there} {total(theirs, there)}")
    addresses = [endpoints(ours), endpoints(theirs)[::-1]]
    if addresses[0] != addresses[1]:
        found.append(f"selected {addresses[0]}, Chromium's {addresses[1]}")
    states = [selected(report)["state"] for report in (ours, theirs)]
    if states != ["succeeded", "succeeded"]:  # Chromium's is "in-progress" while a check of it is on its way
        found.append(f"the selected pair {states[0]}, Chromium's {states[1]}")
    return found


def endpoints(report: Any) -> list[tuple[str, int, str]]:
    """Local and remote, of the selected pair."""
    ends = [report[selected(report)[f"{side}CandidateId"]] for side in ("local", "remote")]
    return [(end["address"], end["port"], end["protocol"]) for end in ends]


async def talked(page: Page, ours: RTCPeerConnection) -> None:
    channel = await we_offer(ours, page)
    inbox = Inbox(channel)
    async with asyncio.timeout(LIMIT):
        await connected(channel)
        assert await page.evaluate("kept") is True
        for message in ("hello shark", bytes(20_000), "ü"):  # few datagrams: a full socket would drop some
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
    ours = RTCPeerConnection(RTCConfiguration(includeLoopback=True, capture=path))
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
    assert selected(ours)["state"] == selected(theirs)["state"] == "succeeded"
    assert selected(ours)["nominated"] is selected(theirs)["nominated"] is True
    assert 0 < selected(ours)["currentRoundTripTime"] < 10
    for one, other in ((ours, theirs), (theirs, ours)):  # an answer that nobody waits for any more is not counted
        asked = selected(one)["requestsSent"] + selected(one)["consentRequestsSent"]
        assert 0 < selected(other)["requestsReceived"] <= asked
        assert 0 < selected(one)["responsesReceived"] <= asked
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
    "tcpType",  # of candidates that one of the two has none of
}


# Facts about a browser and its machine.
BROWSERS_OWN = {"UserAgentData", "cpuPerformance", "deviceMemory", "hardwareConcurrency"}


async def test_a_dump_has_the_form_of_the_one_that_chromium_makes_of_the_same_connection(
    chromium: Browser, tmp_path: Path
) -> None:
    context = await chromium.new_context(accept_downloads=True)
    page, internals = await context.new_page(), await context.new_page()
    await internals.goto("chrome://webrtc-internals")
    await page.evaluate(f"() => {{ {PAGE} }}")
    ours = RecordedPeerConnection(RTCConfiguration(includeLoopback=True))
    try:
        await talked(page, ours)
        theirs = await dump_of_chromium(internals, tmp_path / "dump.json", ours)
        check_dumps(json.loads(json.dumps(ours.dump())), theirs)
    finally:
        await ours.close()
        await context.close()


async def dump_of_chromium(internals: Page, path: Path, ours: RTCPeerConnection) -> Any:
    """What its page saves of the other end of `ours` alone, once it has asked for statistics of the transport."""
    fragment = ours._bundle.agent.local_credentials.ufrag
    await internals.evaluate("document.querySelector('#dump-checkbox').checked = false")  # not compressed
    async with asyncio.timeout(LIMIT):
        while True:
            async with internals.expect_download() as expected:
                await internals.evaluate("document.querySelector('#dump-click-target').click()")
            await (await expected.value).save_as(path)
            found = read(path)
            for name, one in found["PeerConnections"].items():  # those of other tests are listed too
                is_its = fragment in json.dumps(one["updateLog"])
                if is_its and any(series.endswith("-dtlsState") for series in one["stats"]):
                    return found | {"PeerConnections": {name: one}}
            await asyncio.sleep(0.2)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def check_dumps(ours: Any, theirs: Any) -> None:
    assert {name: type(one) for name, one in ours.items()} == {
        name: type(one) for name, one in theirs.items() if name not in BROWSERS_OWN
    }
    (here,), (there,) = ours["PeerConnections"].values(), theirs["PeerConnections"].values()
    assert {name: type(one) for name, one in here.items()} == {name: type(one) for name, one in there.items()}
    assert type(json.loads(here["rtcConfiguration"])) is type(json.loads(there["rtcConfiguration"])) is dict
    for one in (here, there):  # how a series and an entry look
        series = next(series for name, series in one["stats"].items() if name.endswith("-dtlsState"))
        assert set(series) == {"startTime", "endTime", "statsType", "values"}
        assert (series["statsType"], json.loads(series["values"])[-1]) == ("transport", "connected")
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", series["endTime"])
        assert {frozenset(entry) for entry in one["updateLog"]} == {frozenset(("type", "value", "timestamp"))}
        assert all(abs(entry["timestamp"] - theirs["timestamp"]) < 3_600_000 for entry in one["updateLog"])
    kinds = {series["statsType"] for series in there["stats"].values()}
    assert kinds - {series["statsType"] for series in here["stats"].values()} == set()
    said, heard = entries(here), entries(there)
    assert said["createDataChannel"] == {"label": "chat", "ordered": True}
    assert heard["ondatachannel"] == {"label": "chat", "ordered": True}
    for one in (said, heard):
        assert set(one) >= {"setLocalDescription", "setRemoteDescription", "setRemoteDescriptionOnSuccess"}
        assert one["onconnectionstatechange"] == one["oniceconnectionstatechange"] == "connected"
        assert one["onsignalingstatechange"] == "stable"
        assert set(one["setRemoteDescription"]) == {"type", "sdp"}
    candidates = [one.get("onicecandidate", {}).keys() for one in (said, heard)]
    assert candidates[0] == candidates[1] == {"sdpMid", "sdpMLineIndex", "candidate"}


def entries(part: Any) -> dict[str, Any]:
    """What was said last of each kind, taken out of its JSON."""
    return {one["type"]: json.loads(one["value"]) if one["value"] else None for one in part["updateLog"]}


def check_capture(path: Path) -> None:
    """What is plain can be read; what the keys open is in `test_tshark.py`, where no flight has to be repeated."""
    assert fields(path, "ip.checksum.status == 0 || udp.checksum.status == 0", "frame.number") == []
    assert fields(path, "_ws.malformed && sctp", "frame.number") == []
    dcep = fields(path, "rtcdc", "rtcdc.message_type", "rtcdc.label", "frame.packet_flags_direction")
    assert set(dcep) == {("3", "chat", "0x00000002"), ("2", "", "0x00000001")}
    text = fields(path, "sctp.data_payload_proto_id == 51", "frame.packet_flags_direction")
    assert {direction for (direction,) in text} == {"0x00000001", "0x00000002"}
    assert HELLO_IN_HEX in bytes_of(path, "sctp.data_payload_proto_id == 51")
    assert b"CLIENT_RANDOM" not in path.read_bytes()
