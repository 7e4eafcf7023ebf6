"""The load for `benchmarks/turn.py`: clients with allocations on one relay, and a peer, in a process of its own.

`python -m benchmarks.turn_load PORT KIND DIRECTION RATE SECONDS` writes one line of JSON when everybody has a channel,
waits for a line, sends, and writes what was sent and what came. It knows neither server: plain sockets, and datagrams
made beforehand. `KIND` allocate makes `RATE` allocations and holds them.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import sys
import time
from typing import Any, Final

from zwerm.core.random import SYSTEM
from zwerm.net.control import UDP_GRO, UDP_SEGMENT
from zwerm.webrtc.stun.attributes import (
    CHANNEL_NUMBER,
    REQUESTED_TRANSPORT,
    XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS,
    Attribute,
)
from zwerm.webrtc.stun.message import Message, MessageClass, Method, request
from zwerm.webrtc.turn.authentication import Authentication, Challenged
from zwerm.webrtc.turn.credentials import Credential

SIZE: Final = 1_200  # bytes of payload
CHANNEL: Final = 0x4000
RUN: Final = 16  # datagrams of one burst
BUFFER: Final = 4_194_304

_SO_RCVBUFFORCE: Final = 33


class Client:
    """One allocation and one channel to the peer."""

    def __init__(self, server: tuple[str, int], peer: tuple[str, int] | None, host: str = "127.0.0.1") -> None:
        self.socket = udp_socket(host)
        self.socket.connect(server)
        self._authentication = Authentication(Credential("alice", "wonder"))
        answer = self._ask(Method.ALLOCATE, [REQUESTED_TRANSPORT(17)])
        self.relayed = answer.find(XOR_RELAYED_ADDRESS)
        if peer is not None:
            self._ask(Method.CHANNEL_BIND, [CHANNEL_NUMBER(CHANNEL), XOR_PEER_ADDRESS(peer)])

    def _ask(self, method: Method, attributes: list[Attribute[Any]]) -> Message:
        self.socket.settimeout(1.0)
        for _ in range(6):
            wanted = request(method, SYSTEM.randbytes(12), *attributes)
            self.socket.send(self._authentication.seal(wanted))
            with contextlib.suppress(TimeoutError, ConnectionError):
                while (answer := Message.parse(self.socket.recv(2_000))).transaction_id != wanted.transaction_id:
                    pass
                if answer.message_class is MessageClass.SUCCESS:
                    self.socket.setblocking(False)  # noqa: FBT003
                    return answer
                if self._authentication.receive_challenge(answer) is not Challenged.RETRY:
                    break
        raise SystemExit(f"{method.name} was refused")


def udp_socket(host: str = "127.0.0.1") -> socket.socket:
    """Return a socket with a buffer that holds a moment of the load."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER)  # as root; nobody loses for want of room here
    except OSError:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    udp.bind((host, 0))
    return udp


class Load:
    """Sends at a rate, and counts what comes."""

    def __init__(self, server: tuple[str, int], kind: str, direction: str) -> None:
        self.peer = udp_socket()
        self.peer.setblocking(False)  # noqa: FBT003
        address = self.peer.getsockname()
        self.clients = [Client(server, address) for _ in range(100 if kind == "spread" else 1)]
        self.burst = 1 if kind == "spread" else RUN
        self.is_merged = kind == "merged"
        self.to_peer = direction == "to-peer"
        self.received = self.sent = 0
        payload = bytes(range(256)) * 5
        self.data = payload[:SIZE]
        if self.to_peer:
            self.data = struct.pack("!HH", CHANNEL, SIZE) + self.data
        self._ways = [(client.socket, None) if self.to_peer else (self.peer, client.relayed) for client in self.clients]
        self._turn = 0
        self._poll = select.epoll()
        self._readers = {}
        for reader in [self.peer] if self.to_peer else [client.socket for client in self.clients]:
            if self.is_merged:
                reader.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
            self._poll.register(reader.fileno(), select.EPOLLIN)
            self._readers[reader.fileno()] = reader
        self._into = bytearray(65_536)

    def run(self, rate: float, seconds: float) -> dict[str, float]:
        """Send for so long, wait for what is on its way, and return the figures."""
        began = time.perf_counter()
        interval = self.burst / rate
        due = began
        while (now := time.perf_counter()) < began + seconds:
            if now >= due:
                self._send()
                due += interval
            else:
                self._read(0)
        took = time.perf_counter() - began
        quiet = time.perf_counter() + 2.0
        while time.perf_counter() < quiet and self.received < self.sent:
            if self._read(0.05):
                quiet = time.perf_counter() + 2.0
        return {"sent": self.sent, "received": self.received, "seconds": took}

    def _send(self) -> None:
        sender, destination = self._ways[self._turn]
        self._turn = (self._turn + 1) % len(self._ways)
        if self.is_merged:
            control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(self.data)))]
            buffers = [self.data * self.burst]
            sender.sendmsg(buffers, control, 0, *([destination] if destination else []))
        elif destination is None:
            for _ in range(self.burst):
                sender.send(self.data)
        else:
            for _ in range(self.burst):
                sender.sendto(self.data, destination)
        self.sent += self.burst

    def _read(self, patience: float) -> bool:
        some = False
        for number, _ in self._poll.poll(patience, 64):
            reader = self._readers[number]
            some = True
            with contextlib.suppress(BlockingIOError):
                for _ in range(RUN):
                    size = reader.recv_into(self._into)
                    self.received += -(-size // (SIZE if self.to_peer else SIZE + 4))
        return some


def main() -> None:
    """Put one load on the relay."""
    port, kind, direction, rate, seconds = sys.argv[1:]
    if kind == "allocate":
        hosts = [f"127.{number // 250}.{number % 250 + 1}.1" for number in range(2_500)]  # each challenged by itself
        held = [Client(("127.0.0.1", int(port)), None, hosts[number % 2_500]) for number in range(int(rate))]
        print(json.dumps({"clients": len(held)}), flush=True)
        sys.stdin.readline()
        return
    load = Load(("127.0.0.1", int(port)), kind, direction)
    print(json.dumps({"clients": len(load.clients)}), flush=True)
    sys.stdin.readline()
    print(json.dumps(load.run(float(rate), float(seconds))), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
