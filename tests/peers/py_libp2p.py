"""A py-libp2p 0.8 node on loopback, driven by lines of JSON on standard input; for the Python of its own environment.

    suites/libp2p-venv/bin/python py_libp2p.py [tcp | quic]

Takes `["verb", argument, ...]` a line and answers each with one line, `{"result": ...}` or `{"error": ...}`; the first
line, sent when it is up, is `{"result": MULTIADDR}`. It answers ping, identify, `/echo/1.0.0`, `/sink/1.0.0`, which
says how many bytes came, and `/count/1.0.0`, which does so when as many came as the first eight bytes say. Verbs:
`connect MULTIADDR`, `echo PEER TEXT`, `ping PEER`, `pour PEER SIZE` (sends that many bytes to the peer's sink, gives
the seconds until it has said that all came), `quit`.

Its QUIC streams lose what comes in one packet with the end of the stream while a read begins, and tell of an end that
both sides have made by another exception than of one that the peer made; `count` and the verbs do not depend on either.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import Any

import multiaddr
import trio
from libp2p.custom_types import TProtocol
from libp2p.host.ping import ID as PING
from libp2p.host.ping import PingService
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.utils.address_validation import find_free_port

from libp2p import new_host

ECHO, SINK, COUNT = TProtocol("/echo/1.0.0"), TProtocol("/sink/1.0.0"), TProtocol("/count/1.0.0")
BLOCK = 65_536


async def read_all(stream: Any) -> bytes:
    parts = []
    try:
        while part := await stream.read(BLOCK):
            parts.append(part)
    except Exception as error:
        if "EOF" not in type(error).__name__:
            raise
    return b"".join(parts)


async def echo(stream: Any) -> None:
    await stream.write(await read_all(stream))
    await stream.close()


async def sink(stream: Any) -> None:
    size = 0
    try:
        while part := await stream.read(BLOCK):
            size += len(part)
    except Exception as error:
        if "EOF" not in type(error).__name__:
            raise
    await stream.write(str(size).encode())
    await stream.close()


async def read_exactly(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.read(min(BLOCK, size - len(data)))
    return data


async def count(stream: Any) -> None:
    size = int.from_bytes(await read_exactly(stream, 8), "big")
    came = 0
    while came < size:
        came += len(await stream.read(BLOCK))
    await stream.write(str(came).encode())
    await stream.close()


def find_free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def run(host: Any, verb: str, arguments: list[Any]) -> object:
    if verb == "connect":
        info = info_from_p2p_addr(multiaddr.Multiaddr(arguments[0]))
        await host.connect(info)
        return str(info.peer_id)
    peer = ID.from_base58(arguments[0])
    if verb == "ping":
        return await PingService(host).ping(peer)
    if verb == "echo":
        stream = await host.new_stream(peer, [ECHO])
        await stream.write(arguments[1].encode())
        await stream.close_write()
        return (await read_exactly(stream, len(arguments[1].encode()))).decode()
    if verb == "pour":
        stream = await host.new_stream(peer, [SINK])
        block, begun = bytes(BLOCK), time.perf_counter()
        for _ in range(arguments[1] // BLOCK):
            await stream.write(block)
        await stream.close_write()
        expected = str(arguments[1] // BLOCK * BLOCK).encode()
        assert await read_exactly(stream, len(expected)) == expected
        return time.perf_counter() - begun
    raise ValueError(f"no verb {verb}")


async def main() -> None:
    is_quic = sys.argv[1:] == ["quic"]
    where = f"udp/{find_free_udp_port()}/quic-v1" if is_quic else f"tcp/{find_free_port()}"
    address = multiaddr.Multiaddr(f"/ip4/127.0.0.1/{where}")
    host = new_host(listen_addrs=[address], enable_quic=is_quic)
    host.set_stream_handler(ECHO, echo)
    host.set_stream_handler(SINK, sink)
    host.set_stream_handler(COUNT, count)
    host.set_stream_handler(PING, PingService(host).handle_ping)
    async with host.run(listen_addrs=[address]), trio.open_nursery() as nursery:
        nursery.start_soon(host.get_peerstore().start_cleanup_task, 60)
        print(json.dumps({"result": f"{address}/p2p/{host.get_id()}"}), flush=True)
        while line := await trio.to_thread.run_sync(sys.stdin.readline):
            verb, *arguments = json.loads(line)
            if verb == "quit":
                break
            try:
                answer: dict[str, object] = {"result": await run(host, verb, arguments)}
            except Exception as error:  # noqa: BLE001 -- whatever it is, the other side is told
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
