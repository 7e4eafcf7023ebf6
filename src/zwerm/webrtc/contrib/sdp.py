"""Candidates as aiortc's `sdp` module reads and writes them: without `candidate:` in front, and of no section yet."""

from __future__ import annotations

from zwerm.webrtc.ice.candidate import Candidate
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate


def candidate_from_sdp(sdp: str) -> RTCIceCandidate:
    """Read a candidate; say then which section it is of, by `sdpMid` or `sdpMLineIndex`.

    Raises:
        WireError: it is malformed.
    """
    return RTCIceCandidate.sectionless(Candidate.from_text(sdp))


def candidate_to_sdp(candidate: RTCIceCandidate) -> str:
    return candidate.candidate.removeprefix("candidate:")
