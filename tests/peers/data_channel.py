"""A data channel of libwebrtc (`wrtc`), aiortc or zwerm in a process of its own, for tests and benchmarks.

Each line of input is a JSON list, a verb and its arguments; each is answered by one line. The verbs are the methods of
`Peer`. Until told otherwise, what comes is sent back.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

LOW = 1_048_576  # bytes that wait, below which a flood goes on
DONE = "done"


class Engine:
    """What differs from one engine to the next: this form is that of zwerm and of aiortc."""

    def __init__(self, name: str) -> None:
        if name == "aiortc":
            import aioice.ice
            import aiortc

            aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
            self.module: Any = aiortc
            self.connection = aiortc.RTCPeerConnection
        else:
            import zwerm.webrtc

            self.module = zwerm.webrtc
            self.connection = lambda: zwerm.webrtc.RTCPeerConnection(
                zwerm.webrtc.RTCConfiguration(includeLoopback=True, trickle=True)
            )

    def on_channel(self, connection: Any, handler: Callable[[Any], None]) -> None:
        connection.on("datachannel", handler)

    def on_message(self, channel: Any, handler: Callable[[Any], None]) -> None:
        channel.on("message", handler)

    def on(self, source: Any, event: str, handler: Callable[[], None]) -> None:
        source.on(event, lambda *_: handler())

    def state(self, channel: Any) -> str:
        return str(channel.readyState)

    def on_candidate(self, connection: Any, handler: Callable[[Any], None]) -> None:
        connection.on("icecandidate", lambda candidate: handler(candidate) if candidate is not None else None)

    def description(self, kind: str, sdp: str) -> Any:
        return self.module.RTCSessionDescription(sdp, kind)

    def candidate(self, told: dict[str, str]) -> Any:
        return self.module.RTCIceCandidate(**told)

    def channel(self, connection: Any, label: str, options: dict[str, Any]) -> Any:
        return connection.createDataChannel(label, **options)


class OpenSSLRecords(Engine):
    """Zwerm, with OpenSSL writing and reading the records of DTLS to the end."""

    def __init__(self) -> None:
        super().__init__("zwerm")
        make = self.connection
        self.connection = lambda: self._without_own_records(make())

    @staticmethod
    def _without_own_records(connection: Any) -> Any:
        transport = connection._bundle.transport
        transport.dtls_config = dataclasses.replace(transport.dtls_config, own_records=False)
        return connection


class Wrtc(Engine):
    """libwebrtc: events are objects, as in browsers."""

    def __init__(self, trials: str = "") -> None:
        """`trials` are field trials by name, to be enabled."""
        import webrtc

        webrtc.allow_loopback()
        for name in trials.split():
            webrtc.field_trials[name] = "Enabled"
        self.module = webrtc
        self.connection = webrtc.RTCPeerConnection

    def on_channel(self, connection: Any, handler: Callable[[Any], None]) -> None:
        connection.on("datachannel", lambda event: handler(event.channel))

    def on_message(self, channel: Any, handler: Callable[[Any], None]) -> None:
        channel.on("message", lambda event: handler(event.data))

    def state(self, channel: Any) -> str:
        return str(getattr(channel.readyState, "value", channel.readyState))

    def on_candidate(self, connection: Any, handler: Callable[[Any], None]) -> None:
        connection.on("icecandidate", lambda event: handler(event.candidate) if event.candidate is not None else None)

    def candidate(self, told: dict[str, str]) -> Any:
        return self.module.RTCIceCandidate(told["candidate"], told["sdpMid"])

    def description(self, kind: str, sdp: str) -> Any:
        return self.module.RTCSessionDescription(self.module.RTCSessionDescriptionInit(kind, sdp))

    def channel(self, connection: Any, label: str, options: dict[str, Any]) -> Any:
        names = {re.sub("[A-Z]", lambda found: "_" + found[0].lower(), name): options[name] for name in options}
        return connection.createDataChannel(label, self.module.RTCDataChannelInit(**names))


class Peer:
    """One connection with one channel at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.new()

    def new(self) -> str:
        """Begin another connection."""
        self.connection = self.engine.connection()
        self.current: Any = None
        self.inbox: list[list[Any]] = []
        self.counted = 0
        self.is_open, self.is_closed = asyncio.Event(), asyncio.Event()
        self.receive: Callable[[Any], None] = self._echo
        self.trickled: list[Any] = []
        self.engine.on_channel(self.connection, self._keep)
        self.engine.on_candidate(self.connection, self.trickled.append)
        return "ok"

    def _keep(self, channel: Any) -> None:
        self.current = channel
        self.engine.on_message(channel, self._take)
        self.engine.on(channel, "close", self.is_closed.set)
        self.engine.on(channel, "open", self.is_open.set)
        if self.engine.state(channel) == "open":
            self.is_open.set()

    def _take(self, data: str | bytes) -> None:
        self.receive(data)

    def _echo(self, data: str | bytes) -> None:
        is_text = isinstance(data, str)
        self.inbox.append(["text" if is_text else "bytes", len(data)])
        self.current.send(data)

    # Signaling.

    async def channel(self, label: str, options: dict[str, Any]) -> str:
        self._keep(self.engine.channel(self.connection, label, options))
        return "ok"

    async def offer(self, trickle: bool = False) -> str:
        """The offer, with every candidate unless they are to trickle."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return await self._described(trickle)

    async def answer(self, sdp: str, trickle: bool = False) -> str:
        await self.connection.setRemoteDescription(self.engine.description("offer", sdp))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return await self._described(trickle)

    async def accept(self, sdp: str) -> str:
        await self.connection.setRemoteDescription(self.engine.description("answer", sdp))
        return "ok"

    async def candidates(self) -> list[dict[str, str]]:
        """Every candidate that was gathered, for the other side."""
        await self._gathered()
        return [{"candidate": one.candidate, "sdpMid": one.sdpMid} for one in self.trickled]

    async def candidate(self, told: dict[str, str]) -> str:
        await self.connection.addIceCandidate(self.engine.candidate(told))
        return "ok"

    async def _described(self, is_trickled: bool) -> str:
        if not is_trickled:
            await self._gathered()
        return str(self.connection.localDescription.sdp)

    async def _gathered(self) -> None:
        changed = asyncio.Event()
        self.engine.on(self.connection, "icegatheringstatechange", changed.set)
        while _text(self.connection.iceGatheringState) != "complete":
            changed.clear()
            await changed.wait()

    # The channel.

    async def opened(self) -> dict[str, Any]:
        """Wait until the channel is open, and say what it is."""
        await self.is_open.wait()
        names = ("label", "id", "ordered", "maxRetransmits", "maxPacketLifeTime", "protocol", "negotiated")
        return {name: getattr(self.current, name, None) for name in names}

    async def messages(self) -> list[list[Any]]:
        return self.inbox

    async def closed(self) -> str:
        await self.is_closed.wait()
        return "ok"

    async def close_channel(self) -> str:
        self.current.close()
        return "ok"

    async def close(self) -> str:
        result = self.connection.close()
        if asyncio.iscoroutine(result):
            await result
        return "ok"

    # Measuring.

    async def swallow(self, count: int) -> str:
        """Take `count` messages, and say `DONE` to the other side."""
        left = count

        def take(_data: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self.receive = self._echo
                self.current.send(DONE)

        self.receive = take
        return "ok"

    async def flood(self, size: int, count: int) -> float:
        """Send `count` messages of `size` bytes; the seconds until the other side has them all."""
        done = asyncio.Event()
        self.receive = lambda _data: done.set()
        channel, message = self.current, bytes(size)
        low = asyncio.Event()
        channel.bufferedAmountLowThreshold = LOW // 2
        self.engine.on(channel, "bufferedamountlow", low.set)
        began = time.perf_counter()
        for number in range(count):
            if number % 16 == 0 or size > 1_000:
                while channel.bufferedAmount > LOW:
                    low.clear()
                    await low.wait()
            channel.send(message)
        await done.wait()
        self.receive = self._echo
        return time.perf_counter() - began

    async def stream(self, size: int, seconds: float) -> int:
        """Send messages of `size` bytes for so long, whatever of them arrives; how many."""
        self.receive = lambda _data: None
        channel, message = self.current, bytes(size)
        low = asyncio.Event()
        channel.bufferedAmountLowThreshold = LOW // 2
        self.engine.on(channel, "bufferedamountlow", low.set)
        count, ends = 0, time.perf_counter() + seconds
        while time.perf_counter() < ends:
            if channel.bufferedAmount > LOW:
                low.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(ends - time.perf_counter(), 0)):
                        await low.wait()
            else:
                channel.send(message)
                count += 1
        return count

    async def count(self) -> int:
        """The bytes that came since the last time; from now on nothing is sent back."""
        total, self.counted = self.counted, 0
        self.receive = self._count
        return total

    def _count(self, data: str | bytes) -> None:
        self.counted += len(data)

    async def ping(self, count: int) -> float:
        """Send a message and wait for it to come back; the median of the seconds."""
        arrived = asyncio.Event()
        self.receive = lambda _data: arrived.set()
        times = []
        for _ in range(count):
            arrived.clear()
            began = time.perf_counter()
            self.current.send(b"ping")
            await arrived.wait()
            times.append(time.perf_counter() - began)
        self.receive = self._echo
        return statistics.median(times)

    async def open_time(self, count: int) -> float:
        """Both ends in this process: the median of the seconds from `createOffer` to an open channel."""
        times = [await self._open_pair() for _ in range(count)]
        return statistics.median(times)

    async def _open_pair(self) -> float:
        engine = self.engine
        left, right = engine.connection(), engine.connection()
        is_open, loop = asyncio.Event(), asyncio.get_running_loop()
        trickled: set[asyncio.Task[None]] = set()
        ready = {left: asyncio.Event(), right: asyncio.Event()}

        async def add(candidate: Any, target: Any) -> None:
            await ready[target].wait()
            await target.addIceCandidate(candidate)

        for source, target in ((left, right), (right, left)):
            engine.on_candidate(
                source, lambda candidate, target=target: trickled.add(loop.create_task(add(candidate, target)))
            )
        channel = engine.channel(left, "x", {})
        engine.on(channel, "open", is_open.set)
        began = time.perf_counter()
        await left.setLocalDescription(await left.createOffer())
        await right.setRemoteDescription(engine.description("offer", left.localDescription.sdp))
        ready[right].set()
        await right.setLocalDescription(await right.createAnswer())
        await left.setRemoteDescription(engine.description("answer", right.localDescription.sdp))
        ready[left].set()
        await is_open.wait()
        took = time.perf_counter() - began
        await asyncio.gather(*trickled)
        for one in (left, right):
            result = one.close()
            if asyncio.iscoroutine(result):
                await result
        return took

    async def usage(self) -> dict[str, float]:
        """Seconds of CPU of this process, and bytes of memory it holds."""
        gc.collect()
        with open("/proc/self/statm") as file:  # noqa: ASYNC230 - not a file that could block
            pages = int(file.read().split()[1])
        return {"cpu": time.process_time(), "memory": pages * resource.getpagesize()}


def _text(state: Any) -> str:
    return str(getattr(state, "value", state))


async def main() -> None:
    name = sys.argv[1]
    if name == "wrtc":
        engine: Engine = Wrtc(*sys.argv[2:])
    else:
        engine = OpenSSLRecords() if name == "zwerm-openssl" else Engine(name)
    peer = Peer(engine)
    reader = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        verb, *arguments = json.loads(line)
        try:
            result = getattr(peer, verb)(*arguments)
            answer = await result if asyncio.iscoroutine(result) else result
        except Exception as error:  # noqa: BLE001 - whatever it is, the asker is told
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)
    await peer.close()


if __name__ == "__main__":
    if "uvloop" in sys.argv:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
