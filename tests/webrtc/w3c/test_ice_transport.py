"""RTCIceTransport: candidates, parameters and the selected pair, as they were signaled."""

from __future__ import annotations

from tests.webrtc.w3c.transports import Two, connect, objects
from zwerm.webrtc import RTCSessionDescription


async def test_candidates_and_parameters_are_those_that_were_signaled(
    two: Two,
) -> None:
    left, right = two
    await connect(left, right)
    ours, theirs = objects(left).transport.iceTransport, objects(right).transport.iceTransport
    description = left.localDescription
    assert isinstance(description, RTCSessionDescription)
    assert all(f"a={one.candidate}" in description.sdp for one in ours.getLocalCandidates())
    assert {(one.sdpMid, one.sdpMLineIndex) for one in ours.getLocalCandidates()} == {("0", 0)}
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
    two: Two,
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
