"""One attempt at a connection: a code of ours, the other side's, and the channels of what follows.

The channels are agreed beforehand: chat (0), files (1), and play (2), which loses messages rather than wait for them.
A link that is gone stays gone; the next one has a code of its own.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Sequence
from typing import Final

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from zwerm.webrtc.paste import text
from zwerm.webrtc.paste.code import Code
from zwerm.webrtc.paste.description import answer_from, code_of
from zwerm.webrtc.sdp.description import SessionDescription

CHAT, FILES, PLAY = 0, 1, 2  # the numbers of the channels


def send(channel: RTCDataChannel, message: str | bytes) -> bool:
    """Send where the channel is open; False where it is not any more, which its `close` tells in a moment."""
    if channel.readyState != "open":
        return False
    try:
        channel.send(message)
    except LocalProtocolError:
        return False  # the other side left while we were told that it is here
    return True


class LinkState(enum.Enum):
    """How a link stands."""

    NEW = "our code is made; the other side's is not known"
    CONNECTING = "both codes are known; the other side has not answered yet"
    CONNECTED = "messages pass"
    INTERRUPTED = "the other side does not answer at the moment"
    LOST = "it will not come back"


_STATES: Final = {"disconnected": LinkState.INTERRUPTED, "failed": LinkState.LOST, "closed": LinkState.LOST}


@dataclasses.dataclass(frozen=True, slots=True)
class Reach:
    """How far a link looks."""

    stun: Sequence[str] = ()  # URLs of servers that say how we look from outside
    loopback: bool = False  # both sides are on this machine


class Link:
    """A peer connection and its channels. Callbacks come from the loop; `close` ends everything at once."""

    def __init__(self, reach: Reach, on_state: Callable[[LinkState], None]) -> None:
        servers = [RTCIceServer(url) for url in reach.stun]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers, includeLoopback=reach.loopback))
        self._on_state = on_state
        self.state = LinkState.NEW
        self._code: Code | None = None
        self._mid = "0"
        self.chat = self._open("zwerm chat", CHAT)
        self.files = self._open("zwerm files", FILES)
        self.play = self._open("zwerm play", PLAY, is_reliable=False)
        self._connection.on("connectionstatechange", self._look)

    async def make_code(self) -> str:
        """Gather where we can be reached, and return our code.

        Raises:
            TransportError: this machine has no address.
        """
        await self._connection.setLocalDescription()
        description = self._connection.localDescription
        if description is None:
            raise LocalProtocolError("the link is closed")
        self._mid = SessionDescription.parse(description.sdp).media[0].mid or "0"
        self._code = code_of(description.sdp)
        return text.write(self._code)

    async def connect(self, pasted: str) -> None:
        """Take the other side's code. One that cannot be used changes nothing.

        Raises:
            PasteError: it cannot be used; the message says why.
            LocalProtocolError: there is no code of ours yet, or another one was taken.
        """
        if self._code is None or self.state is not LinkState.NEW:
            raise LocalProtocolError(f"a code in state {self.state.name}")
        code = text.read(pasted)
        try:
            answer = answer_from(code, self._code, mid=self._mid)
        except WireError:
            raise text.OwnCode("That is your own code. Paste the one that the other person sees.") from None
        self._become(LinkState.CONNECTING)
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        """Tell the other side's channels that they are closed, and be gone. Twice is harmless."""
        self.state = LinkState.LOST
        await self._connection.close()

    def _open(self, label: str, number: int, *, is_reliable: bool = True) -> RTCDataChannel:
        channel = self._connection.createDataChannel(
            label, negotiated=True, id=number, ordered=is_reliable, maxRetransmits=None if is_reliable else 0
        )
        channel.on("open", self._look)
        channel.on("close", lambda: self._become(LinkState.LOST))
        return channel

    def _look(self) -> None:
        """Before the first contact "failed" says only that the other person did not paste our code yet."""
        if self.state in (LinkState.NEW, LinkState.LOST):
            return
        told = self._connection.connectionState
        if told == "connected" and self.chat.readyState == self.files.readyState == "open":
            self._become(LinkState.CONNECTED)
        elif self.state is not LinkState.CONNECTING:
            self._become(_STATES.get(told, self.state))

    def _become(self, state: LinkState) -> None:
        if state is not self.state and self.state is not LinkState.LOST:
            self.state = state
            self._on_state(state)
