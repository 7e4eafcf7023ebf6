"""A zwerm node on loopback over TCP or QUIC, driven by lines of JSON on standard input; answers as `py_libp2p.py` does.

    python stream_node.py SECURITY | quic-v1

The first line it prints is `{"result": MULTIADDR}`. It answers `/sink/1.0.0`, which says how many bytes came. Verbs:
`connect MULTIADDR`, `pour PEER SIZE` (gives the seconds until the peer's sink has said that all came), `quit`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop

from zwerm.core.heap import keep_freed
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import FULL_FRAME, Stream
from zwerm.libp2p.swarm import Swarm
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports.quic.transport import QuicTransport
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.multiformats.multiaddr import Multiaddr

SINK = "/sink/1.0.0"
BLOCK = 4 * FULL_FRAME
WINDOW = 1_048_576  # bytes read at once


async def sink(stream: Stream) -> None:
    size = 0
    while pieces := await stream.read_pieces(WINDOW):
        size += sum(map(len, pieces))
    await stream.write(str(size).encode())


async def run(swarm: Swarm, verb: str, arguments: list[str]) -> object:
    if verb == "connect":
        address = Multiaddr.from_text(arguments[0])
        peer = PeerId.from_text(address.value("p2p") or "")
        await swarm.connect(peer, [Multiaddr.from_text(arguments[0].partition("/p2p/")[0])])
        return str(peer)
    if verb == "pour":
        peer, size = PeerId.from_text(arguments[0]), int(arguments[1])
        block = bytes(BLOCK)
        async with await swarm.open_stream(peer, [SINK]) as stream:
            begun = time.perf_counter()
            for _ in range(size // BLOCK):
                await stream.write(block)
            await stream.close_write()
            answer = b""
            while part := await stream.read():
                answer += part
            assert int(answer) == size // BLOCK * BLOCK
            return time.perf_counter() - begun
    raise ValueError(f"no verb {verb}")


async def main() -> None:
    key = PrivateKey.generate()
    channels = [channel for channel in securities(key) if channel.protocol == sys.argv[1]]
    async with Swarm(key, [TcpTransport(Upgrade(channels)), QuicTransport(key)]) as swarm:
        swarm.handle(SINK, sink)
        where = "udp/0/quic-v1" if sys.argv[1] == "quic-v1" else "tcp/0"
        await swarm.listen([Multiaddr.from_text(f"/ip4/127.0.0.1/{where}")])
        print(json.dumps({"result": f"{swarm.addresses[0]}/p2p/{swarm.peer_id}"}), flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            verb, *arguments = json.loads(line)
            if verb == "quit":
                return
            print(json.dumps({"result": await run(swarm, verb, arguments)}), flush=True)


keep_freed()  # as the daemon does
uvloop.run(main())
