"""A real DNS server on the loopback, by dnslib, with a zone that a test fills and a log of what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from dnslib import QTYPE, RCODE, RR, SOA, TXT, A
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer


class Zone(BaseResolver):  # type: ignore[misc]
    """What the server knows. Names are without a dot at the end."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.ttl = 60
        self.negative_ttl = 30
        self.broken: set[str] = set()  # answered with SERVFAIL
        self.asked: list[str] = []

    def resolve(self, request: object, handler: DNSHandler) -> object:
        """Answer one question, in the thread of the server."""
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]  # type: ignore[attr-defined]
        self.asked.append(name)
        reply = request.reply()  # type: ignore[attr-defined]
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        for text in self.texts.get(name, []) if kind == "TXT" else []:
            parts = [text[start : start + 255].encode() for start in range(0, len(text), 255)] or [b""]
            reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT(parts), ttl=self.ttl))
        for address in self.hosts.get(name, []) if kind == "A" else []:
            reply.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=self.ttl))
        if not reply.rr:
            if name not in self.texts and name not in self.hosts:
                reply.header.rcode = RCODE.NXDOMAIN
            times = (1, 3_600, 600, 86_400, self.negative_ttl)
            authority = RR("example", QTYPE.SOA, rdata=SOA("ns.example", "hostmaster.example", times), ttl=3_600)
            reply.add_auth(authority)
        if handler.protocol == "udp" and len(reply.pack()) > 1_232:
            reply = request.reply()  # type: ignore[attr-defined]
            reply.header.tc = 1
        return reply


@contextlib.contextmanager
def name_server() -> Iterator[tuple[Zone, str]]:
    """Serve a zone over UDP and TCP; give it and the server's address."""
    zone, silent = Zone(), DNSLogger("-request,-reply,-truncated,-error")
    with contextlib.ExitStack() as stack:
        tcp, udp = _same_port(zone, silent)
        for server in (tcp.server, udp.server):
            stack.callback(server.server_close)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield zone, f"127.0.0.1:{udp.server.server_address[1]}"


def _same_port(zone: Zone, silent: DNSLogger) -> tuple[DNSServer, DNSServer]:
    for attempt in range(20):
        tcp = DNSServer(zone, address="127.0.0.1", port=0, tcp=True, logger=silent)
        try:
            port = tcp.server.server_address[1]
            return tcp, DNSServer(zone, address="127.0.0.1", port=port, logger=silent)
        except OSError:  # somebody has the port for datagrams
            tcp.server.server_close()
            if attempt == 19:
                raise
    raise AssertionError("a loop that ends by itself")
