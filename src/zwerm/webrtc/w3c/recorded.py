"""A connection that keeps its history, to be looked at later as if it had been in a browser.

    connection = RecordedPeerConnection(configuration)   # an RTCPeerConnection in all else
    ...
    Path("dump.json").write_text(json.dumps(connection.dump()))

Once a second its statistics are sampled, and every call, change of state and candidate is logged with its time, under
the names that chrome://webrtc-internals has for them. Passwords of servers are not in it, descriptions and addresses
are.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import inspect
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from zwerm.webrtc.w3c.configuration import RTCConfiguration
from zwerm.webrtc.w3c.data_channel import RTCDataChannel
from zwerm.webrtc.w3c.ice_candidate import RTCIceCandidate
from zwerm.webrtc.w3c.peer_connection import RTCPeerConnection
from zwerm.webrtc.w3c.session_description import RTCSessionDescription
from zwerm.webrtc.w3c.stats_history import StatsHistory, compact, dump

INTERVAL: Final = 1.0  # seconds between two samples

STATES: Final = {
    "signalingstatechange": "signalingState",
    "icegatheringstatechange": "iceGatheringState",
    "iceconnectionstatechange": "iceConnectionState",
    "connectionstatechange": "connectionState",
}
METHODS: Final = (
    "createOffer",
    "createAnswer",
    "setLocalDescription",
    "setRemoteDescription",
    "addIceCandidate",
    "createDataChannel",
    "addTransceiver",
    "setConfiguration",
    "restartIce",
    "close",
)


class RecordedPeerConnection(RTCPeerConnection):
    """See the module."""

    def __init__(
        self, configuration: RTCConfiguration | Mapping[str, Any] | None = None, *, interval: float = INTERVAL
    ) -> None:
        """Begin, on a loop that runs; errors are those of `RTCPeerConnection`."""
        super().__init__(configuration)
        self.history = StatsHistory(_shown(self.getConfiguration()))
        self._interval = interval
        for event, state in STATES.items():
            self.on(event, functools.partial(self._log_state, event, state))
        self.on("icecandidate", self._log_candidate)
        self.on("negotiationneeded", lambda: self._log("onnegotiationneeded", ""))
        self.on("datachannel", lambda channel: self._log("ondatachannel", describe(channel)))
        self._sampling: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(interval, self._sample)

    def dump(self) -> dict[str, Any]:
        """All that was kept, and how things stand now; `json.dumps` makes a file of it."""
        self.history.add(self._statistics())
        return dump_of([self])

    def _sample(self) -> None:
        self.history.add(self._statistics())
        self._sampling = asyncio.get_running_loop().call_later(self._interval, self._sample)

    def _log(self, kind: str, value: str) -> None:
        self.history.log(kind, value, time.time())
        if kind == "closeOnSuccess" and self._sampling is not None:
            self._sampling.cancel()
            self._sampling = None
            self.history.add(self._statistics())

    def _log_state(self, event: str, state: str) -> None:
        self._log(f"on{event}", compact(getattr(self, state)))

    def _log_candidate(self, candidate: RTCIceCandidate | None) -> None:
        if candidate is not None:  # of the end of candidates the browser says nothing
            self._log("onicecandidate", describe(candidate))


def dump_of(connections: Iterable[RecordedPeerConnection]) -> dict[str, Any]:
    """One dump of several connections."""
    agent = f"zwerm/{importlib.metadata.version('zwerm')} Python/{platform.python_version()} ({platform.system()})"
    return dump((connection.history for connection in connections), agent, time.time())


def describe(value: object) -> str:
    """An argument or a result as text, in the shape of webrtc-internals: JSON, or nothing."""
    return "" if value is None else compact(_plain(value))


def _plain(value: object) -> object:
    match value:
        case RTCSessionDescription():
            return {"type": value.type, "sdp": value.sdp}
        case RTCIceCandidate():
            return {"sdpMid": value.sdpMid, "sdpMLineIndex": value.sdpMLineIndex, "candidate": value.candidate}
        case RTCDataChannel():
            names = ("label", "ordered", "maxPacketLifeTime", "maxRetransmits", "protocol")
            members = {name: getattr(value, name) for name in names}
            return {name: member for name, member in members.items() if member not in (None, "")}
        case RTCConfiguration():
            return _shown(value)
    return value


def _described(name: str, given: Mapping[str, Any]) -> str:
    """What a method was called with: its only argument, or all by their names."""
    values = {key: _plain(value) for key, value in given.items() if value is not None}
    if name == "setConfiguration" and values:
        return describe(RTCConfiguration.of(given["configuration"]))
    if name.startswith("set") or name == "addIceCandidate":
        return describe(next(iter(values.values()), None))
    if name == "createDataChannel":
        values.setdefault("ordered", True)
    if name == "createOffer":
        values = {**dict(given.get("options") or {}), **{key: one for key, one in values.items() if key != "options"}}
    return compact(values) if values else ""


def _shown(configuration: RTCConfiguration) -> dict[str, Any]:
    """What may be shown of a configuration: of servers the URLs alone."""
    servers = [{"urls": list(map(str, server.parsed().uris))} for server in configuration.servers]
    return {"iceServers": servers, "iceTransportPolicy": configuration.iceTransportPolicy}


def _logged(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that logs that it was called, and what came of it."""
    name, signature = method.__name__, inspect.signature(method)

    def begin(connection: RecordedPeerConnection, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        try:
            given = signature.bind(connection, *arguments, **options).arguments
            connection._log(name, _described(name, dict(list(given.items())[1:])))
        except (TypeError, ValueError):  # what is wrong with it, the method says best
            connection._log(name, "")

    if not inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        def call(self: RecordedPeerConnection, *arguments: Any, **options: Any) -> Any:
            begin(self, arguments, options)
            return method(self, *arguments, **options)

        return call

    @functools.wraps(method)
    async def run(self: RecordedPeerConnection, *arguments: Any, **options: Any) -> Any:
        begin(self, arguments, options)
        try:
            result = await method(self, *arguments, **options)
        except BaseException as error:
            self._log(f"{name}OnFailure", f"{type(error).__name__}: {error}")
            raise
        self._log(f"{name}OnSuccess", describe(result))
        return result

    return run


for _name in METHODS:
    _method = getattr(RTCPeerConnection, _name, None)
    if _method is not None:
        setattr(RecordedPeerConnection, _name, _logged(_method))
