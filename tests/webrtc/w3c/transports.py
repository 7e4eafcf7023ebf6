"""Two connections on loopback, and reading their transports and reports."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.webrtc.w3c.both import announced, connected, signal
from zwerm.webrtc import RTCDataChannel, RTCPeerConnection, RTCSctpTransport, RTCStats, RTCStatsReport

LIMIT = 30.0

Two = tuple[RTCPeerConnection, RTCPeerConnection]


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
