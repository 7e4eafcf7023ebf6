"""MediaStreamTrack and MediaStream (Media Capture and Streams section 4), as far as signaling needs them.

No media is captured, sent or played here: a track has a kind and an identity, can be added to a connection, and comes
out of its `track` event, muted for good.
"""

from __future__ import annotations

import uuid
from typing import Any

from zwerm.webrtc.w3c.emitter import Emitter, EventHandler
from zwerm.webrtc.w3c.errors import NotSupportedError, RTCTypeError


class MediaStreamTrack(Emitter):
    """A source of audio or video. A subclass says which with `kind`.

    Events: `ended`, `mute`, `unmute`.
    """

    kind: str = "unknown"

    onended = EventHandler()
    onmute = EventHandler()
    onunmute = EventHandler()

    def __init__(self, kind: str | None = None, *, id: str | None = None, label: str = "") -> None:  # noqa: A002
        """Make a live track.

        Raises:
            RTCTypeError: `kind` is neither "audio" nor "video".
        """
        super().__init__()
        if kind is not None:
            self.kind = kind
        if self.kind not in ("audio", "video"):
            raise RTCTypeError(f"a track of kind {self.kind!r}, expected audio or video")
        self.id = id or str(uuid.uuid4())
        self.label = label
        self.enabled = True
        self.muted = False
        self._is_ended = False

    @property
    def readyState(self) -> str:  # noqa: N802 - the W3C's names
        return "ended" if self._is_ended else "live"

    def stop(self) -> None:
        """End it; aiortc tells `ended` then, and so do we. Twice is harmless."""
        if not self._is_ended:
            self._is_ended = True
            self.emit("ended")

    async def recv(self) -> Any:
        """The next frame, in programs for aiortc.

        Raises:
            NotSupportedError: there is no media engine.
        """
        raise NotSupportedError("no media passes here: there is no media engine")

    def set_muted(self, *, is_muted: bool) -> None:
        """Called by the connection."""
        if is_muted is not self.muted:
            self.muted = is_muted
            self.emit("mute" if is_muted else "unmute")


class MediaStream:
    """Tracks that belong together, by an identity that the other side sees."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002
        self.id = id or str(uuid.uuid4())
        self._tracks: list[MediaStreamTrack] = []

    def getTracks(self) -> list[MediaStreamTrack]:  # noqa: N802
        return list(self._tracks)

    def addTrack(self, track: MediaStreamTrack) -> None:  # noqa: N802
        if track not in self._tracks:
            self._tracks.append(track)

    def removeTrack(self, track: MediaStreamTrack) -> None:  # noqa: N802
        if track in self._tracks:
            self._tracks.remove(track)
