"""Candidates in aiortc's ways: as text without a prefix, of no section yet, and of fields."""

from __future__ import annotations

from typing import Any

import pytest

from zwerm.core.errors import WireError
from zwerm.webrtc import RTCIceCandidate, RTCPeerConnection, RTCTypeError
from zwerm.webrtc.contrib.sdp import candidate_from_sdp, candidate_to_sdp

TEXT = "6815297761 1 tcp 659136 192.0.2.1 31102 typ host tcptype passive"
FIELDS: dict[str, Any] = {
    "component": 1,
    "foundation": "6815297761",
    "ip": "192.0.2.1",
    "port": 31_102,
    "priority": 659_136,
    "protocol": "tcp",
    "type": "host",
    "tcpType": "passive",
}


def test_a_candidate_is_told_its_section_after_it_was_read() -> None:
    candidate = candidate_from_sdp(TEXT)
    assert (candidate.ip, candidate.port, candidate.type, candidate.sdpMid) == ("192.0.2.1", 31_102, "host", None)
    candidate.sdpMid, candidate.sdpMLineIndex = "0", 0
    assert candidate_to_sdp(candidate) == TEXT
    with pytest.raises(WireError):
        candidate_from_sdp("nonsense")


def test_a_candidate_of_fields_is_the_one_of_its_text() -> None:
    made = RTCIceCandidate(**FIELDS, sdpMid="0")
    assert made == RTCIceCandidate(f"candidate:{TEXT}", "0")
    related = RTCIceCandidate(**FIELDS | {"type": "srflx", "relatedAddress": "10.0.0.1", "relatedPort": 9})
    assert candidate_to_sdp(related).endswith("typ srflx raddr 10.0.0.1 rport 9 tcptype passive")
    assert (related.relatedAddress, related.relatedPort, related.tcpType) == ("10.0.0.1", 9, "passive")


@pytest.mark.parametrize(
    "change",
    [{"ip": None}, {"port": "x"}, {"priority": -1}, {"candidate": "candidate:1"}, {"colour": "red"}],
    ids=["no address", "a port that is none", "a priority that is none", "text too", "a field that is not known"],
)
def test_fields_that_make_no_candidate_are_a_type_error(change: dict[str, Any]) -> None:
    with pytest.raises(RTCTypeError):
        RTCIceCandidate(**FIELDS | change, sdpMid="0")
    with pytest.raises(RTCTypeError):
        RTCIceCandidate(component=1)


async def test_a_candidate_that_was_never_told_its_section_is_not_added() -> None:
    connection = RTCPeerConnection()
    with pytest.raises(RTCTypeError):
        await connection.addIceCandidate(candidate_from_sdp(TEXT))
    await connection.close()
