"""Who the gateway is, and a mapping on a real socket; `tests/netlab/test_port_mapping.py` asks a real router."""

from __future__ import annotations

import socket

import pytest

from tests.net.sockets import until
from zwerm.net.mapping import client
from zwerm.net.mapping.aio import MappedPort, address_towards, parse_routes
from zwerm.net.mapping.client import Event, Mapped
from zwerm.net.mapping.message import Transport

HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def test_the_gateway_is_that_of_the_default_route_with_the_least_metric() -> None:
    lines = [
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",  # the network itself
        "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
        "eth0\t00000000\t0201A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
        "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0",  # without a gateway
    ]
    assert parse_routes(HEAD + "\n".join(lines)) == "192.168.1.2"
    assert parse_routes(HEAD) is None
    assert parse_routes("") is None


def test_the_own_address_is_the_one_that_leads_there() -> None:
    assert address_towards("127.0.0.1") == "127.0.0.1"


async def test_a_mapping_is_asked_for_told_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Event] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.bind(("127.0.0.1", 0))
        gateway.settimeout(10)
        monkeypatch.setattr(client, "PORT", gateway.getsockname()[1])
        mapped = MappedPort(Transport.UDP, 4_001, gateway="127.0.0.1", client="127.0.0.1", on_event=heard.append)
        request, source = gateway.recvfrom(2_000)
        answer = bytes.fromhex("0281 0000 00001c20 00000001") + bytes(12) + request[24:42]
        gateway.sendto(answer + bytes.fromhex("1388" + "00" * 10 + "ffff cb007107"), source)
        await until(lambda: heard)
        assert heard == [Mapped("203.0.113.7", 5_000)]
        mapped.close()
        mapped.close()
        while (removal := gateway.recvfrom(2_000)[0])[4:8] != bytes(4):
            pass  # the request may have been sent twice
        assert removal[24:36] == request[24:36]
