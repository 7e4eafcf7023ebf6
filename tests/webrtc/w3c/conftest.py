"""Two connections in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.webrtc.w3c.both import HERE
from tests.webrtc.w3c.transports import Two
from zwerm.webrtc import RTCPeerConnection


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    left, right = RTCPeerConnection(HERE), RTCPeerConnection(HERE)
    yield left, right
    await left.close()
    await right.close()
