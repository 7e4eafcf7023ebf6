"""The three objects of a connection: when they are there, what they lead to, and how they end."""

from __future__ import annotations

import asyncio

import pytest

from tests.webrtc.w3c.both import announced, closed, connected, happened, signal
from tests.webrtc.w3c.transports import LIMIT, Two, connect, objects, states_of
from zwerm.webrtc import InvalidAccessError


async def test_there_is_no_transport_before_the_answer(two: Two) -> None:
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
    two: Two,
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


async def test_each_object_has_the_handlers_of_its_events_as_attributes(two: Two) -> None:
    left, _ = two
    await connect(left, two[1])
    sctp = objects(left)
    told: list[tuple[str, object]] = []
    names = {
        sctp: ("onstatechange",),
        sctp.transport: ("onstatechange", "onerror"),
        sctp.transport.iceTransport: ("onstatechange", "ongatheringstatechange", "onselectedcandidatepairchange"),
    }
    for target, handlers in names.items():
        for handler in handlers:
            assert getattr(target, handler) is None
            setattr(target, handler, lambda event: told.append((event.type, event.target)))
    await left.close()
    assert {("statechange", target) for target in names} <= set(told)


async def test_the_end_is_told_by_every_object_once(two: Two) -> None:
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


async def test_there_are_no_tracks_to_ask_statistics_of(two: Two) -> None:
    with pytest.raises(InvalidAccessError, match="no sender or receiver"):
        await two[0].getStats("a track")


async def test_a_channel_leads_down_to_what_gathers_in_aiortcs_names(two: Two) -> None:
    left, right = two
    chat = left.createDataChannel("chat")
    gatherer = chat.transport.transport.transport.iceGatherer
    assert (gatherer.state, gatherer.getLocalParameters()) == ("new", None)
    assert chat.transport.transport.getLocalParameters().role == "auto"
    there = announced(right)
    await signal(left, right)
    await connected(chat)
    sctp = (await there).transport
    assert sctp is right.sctp
    assert (sctp.port, sctp.is_server, chat.transport.is_server) == (5_000, True, False)
    assert sctp.getCapabilities().maxMessageSize == 64 * 1_048_576
    assert gatherer.state == "completed"
    assert {one.candidate for one in gatherer.getLocalCandidates()} == {
        one.candidate for one in sctp.transport.transport.getRemoteCandidates() if one.type == "host"
    }
    assert gatherer.getLocalParameters() == sctp.transport.transport.getRemoteParameters()
    roles = [transport.transport.getLocalParameters().role for transport in (chat.transport, sctp)]
    assert roles == ["server", "client"]
    (fingerprint,) = [
        one for one in chat.transport.transport.getLocalParameters().fingerprints if "256" in one.algorithm
    ]
    assert left.localDescription is not None
    assert fingerprint.value.upper() in left.localDescription.sdp
