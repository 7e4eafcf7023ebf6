"""A small program as aiortc's examples are written, for two processes: `program.py offer|answer|send|receive ...`.

`offer` says pings of growing size and ends when all came back; `send` streams as many random bytes as it is told, and
both sides print their digest.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os

from zwerm.webrtc import RTCConfiguration, RTCIceCandidate, RTCPeerConnection, RTCSessionDescription
from zwerm.webrtc.contrib.signaling import BYE, add_signaling_arguments, create_signaling

PINGS = 5


async def consume(pc, signaling):  # type: ignore[no-untyped-def]
    while (said := await signaling.receive()) is not BYE:
        if isinstance(said, RTCSessionDescription):
            await pc.setRemoteDescription(said)
            if said.type == "offer":
                await pc.setLocalDescription(await pc.createAnswer())
                await signaling.send(pc.localDescription)
        elif isinstance(said, RTCIceCandidate):
            await pc.addIceCandidate(said)


async def offer(pc, signaling):  # type: ignore[no-untyped-def]
    await signaling.connect()
    channel = pc.createDataChannel("chat")
    done = asyncio.Event()

    @channel.on("open")
    def opened():  # type: ignore[no-untyped-def]
        channel.send("ping 0")

    @channel.on("message")
    async def came(message):  # type: ignore[no-untyped-def]
        print(message, flush=True)
        number = len(message.split("!")) - 1
        if number == PINGS:
            done.set()
        else:
            channel.send("ping " + "!" * (number + 1))

    await pc.setLocalDescription(await pc.createOffer())
    await signaling.send(pc.localDescription)
    listening = asyncio.ensure_future(consume(pc, signaling))
    await done.wait()
    listening.cancel()


async def answer(pc, signaling):  # type: ignore[no-untyped-def]
    await signaling.connect()

    @pc.on("datachannel")
    def announced(channel):  # type: ignore[no-untyped-def]
        @channel.on("message")
        def came(message):  # type: ignore[no-untyped-def]
            channel.send("pong" + message[4:])

    await consume(pc, signaling)


async def send(pc, signaling, size):  # type: ignore[no-untyped-def]
    await signaling.connect()
    channel = pc.createDataChannel("file")
    digest, left = hashlib.sha256(), size

    def fill():  # type: ignore[no-untyped-def]
        nonlocal left
        while channel.bufferedAmount <= channel.bufferedAmountLowThreshold and left >= 0:
            block = os.urandom(min(left, 16_384))
            left = left - len(block) if block else -1
            digest.update(block)
            channel.send(block)

    channel.on("open", fill)
    channel.on("bufferedamountlow", fill)
    await pc.setLocalDescription(await pc.createOffer())
    await signaling.send(pc.localDescription)
    await consume(pc, signaling)
    print(digest.hexdigest())


async def receive(pc, signaling, _):  # type: ignore[no-untyped-def]
    await signaling.connect()
    digest = hashlib.sha256()

    @pc.on("datachannel")
    def announced(channel):  # type: ignore[no-untyped-def]
        @channel.on("message")
        async def came(message):  # type: ignore[no-untyped-def]
            digest.update(message)
            if not message:
                print(digest.hexdigest(), flush=True)
                await signaling.send(BYE)

    await consume(pc, signaling)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["offer", "answer", "send", "receive"])
    parser.add_argument("--size", type=int, default=0)
    add_signaling_arguments(parser)
    arguments = parser.parse_args()
    signaling = create_signaling(arguments)
    pc = RTCPeerConnection(RTCConfiguration(includeLoopback=True))  # the only word that aiortc does not know
    roles = {"offer": offer, "answer": answer}
    if arguments.role in roles:
        coroutine = roles[arguments.role](pc, signaling)
    else:
        coroutine = {"send": send, "receive": receive}[arguments.role](pc, signaling, arguments.size)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(pc.close())
        loop.run_until_complete(signaling.close())
        loop.close()
