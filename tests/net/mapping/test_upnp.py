"""UPnP towards a router of a few lines on loopback, kind or not; `netlab/test_port_mapping.py` asks a real one."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.net.sockets import until
from zwerm.core.errors import TransportError
from zwerm.net.mapping import upnp
from zwerm.net.mapping.client import Event, Mapped, Unmapped
from zwerm.net.mapping.message import Transport
from zwerm.net.mapping.upnp import UpnpPort, UpnpRouter

HOST = "127.0.0.1"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
ENTRY = (
    f"<service><serviceType>{SERVICE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>"
    "<SCPDURL>/scpd</SCPDURL><controlURL>/control</controlURL><eventSubURL>/event</eventSubURL></service>"
)
DESCRIPTION = (
    '<?xml version="1.0"?>%s<root xmlns="urn:schemas-upnp-org:device-1-0"><device>'
    f"<deviceType>{upnp.SEARCH_TARGET}</deviceType><friendlyName>box</friendlyName><UDN>uuid:1</UDN>"
    "<serviceList>%s</serviceList>%s</device></root>"
)
ARGUMENTS = {
    "GetExternalIPAddress": (("out", "ExternalIPAddress", "string"),),
    "AddPortMapping": (
        ("in", "RemoteHost", "string"),
        ("in", "ExternalPort", "ui2"),
        ("in", "Protocol", "string"),
        ("in", "InternalPort", "ui2"),
        ("in", "InternalClient", "string"),
        ("in", "Enabled", "boolean"),
        ("in", "PortMappingDescription", "string"),
        ("in", "LeaseDuration", "ui4"),
    ),
    "DeletePortMapping": (
        ("in", "RemoteHost", "string"),
        ("in", "ExternalPort", "ui2"),
        ("in", "Protocol", "string"),
    ),
}


def scpd() -> str:
    actions, variables = "", {}
    for action, arguments in ARGUMENTS.items():
        listed = ""
        for way, name, kind in arguments:
            variables[name] = kind
            listed += (
                f"<argument><name>New{name}</name><direction>{way}</direction>"
                f"<relatedStateVariable>{name}</relatedStateVariable></argument>"
            )
        actions += f"<action><name>{action}</name><argumentList>{listed}</argumentList></action>"
    table = "".join(
        f'<stateVariable sendEvents="no"><name>{name}</name><dataType>{kind}</dataType></stateVariable>'
        for name, kind in variables.items()
    )
    return (
        '<scpd xmlns="urn:schemas-upnp-org:service-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>'
        f"<actionList>{actions}</actionList><serviceStateTable>{table}</serviceStateTable></scpd>"
    )


@dataclasses.dataclass
class Box(asyncio.DatagramProtocol):
    """A router: what it says, and what it was asked."""

    external: str = "203.0.113.7"
    doctype: str = ""
    services: str = ENTRY
    more: str = ""  # of the description
    location: str = "http://127.0.0.1:%d/description"
    body: bytes = b""  # instead of a description
    refusals: list[int] = dataclasses.field(default_factory=list)  # codes for the next AddPortMapping
    asked: list[tuple[str, dict[str, str]]] = dataclasses.field(default_factory=list)
    paths: list[str] = dataclasses.field(default_factory=list)
    answers: int = 1  # for a search
    port: int = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert data.startswith(b"M-SEARCH * HTTP/1.1")
        location = self.location % self.port if "%d" in self.location else self.location
        answer = f"HTTP/1.1 200 OK\r\nST: {upnp.SEARCH_TARGET}\r\nUSN: uuid:1\r\nLOCATION: {location}\r\n\r\n"
        for _ in range(self.answers):
            self.transport.sendto(answer.encode(), addr)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.paths.append(request.path)
        match request.path:
            case "/description":
                text = DESCRIPTION % (self.doctype, self.services, self.more)
                return web.Response(body=self.body or text.encode(), content_type="text/xml")
            case "/elsewhere":
                raise web.HTTPFound("/description")
            case "/scpd":
                return web.Response(text=scpd(), content_type="text/xml")
        action = request.headers["SOAPAction"].strip('"').split("#")[1]
        text = await request.text()
        self.asked.append((action, dict(re.findall(r"<(New\w+)>(.*?)</", text))))
        if action == "AddPortMapping" and self.refusals:
            return web.Response(status=500, text=self.fault(self.refusals.pop(0)), content_type="text/xml")
        inside = f"<NewExternalIPAddress>{self.external}</NewExternalIPAddress>" if action.startswith("Get") else ""
        return web.Response(
            text=self.envelope(f'<u:{action}Response xmlns:u="{SERVICE}">{inside}</u:{action}Response>'),
            content_type="text/xml",
        )

    def fault(self, code: int) -> str:
        return self.envelope(
            "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
            f'<UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>{code}</errorCode>'
            "<errorDescription>no</errorDescription></UPnPError></detail></s:Fault>"
        )

    def envelope(self, text: str) -> str:
        return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{text}</s:Body></s:Envelope>'

    def leases(self) -> list[tuple[str, str]]:
        """Return the ports and leases asked for."""
        asked = [given for action, given in self.asked if action == "AddPortMapping"]
        return [(given["NewExternalPort"], given["NewLeaseDuration"]) for given in asked]


@contextlib.asynccontextmanager
async def running(box: Box, monkeypatch: pytest.MonkeyPatch, *, wait: float = 2.0) -> AsyncIterator[UpnpRouter]:
    loop = asyncio.get_running_loop()
    search, _ = await loop.create_datagram_endpoint(lambda: box, local_addr=(HOST, 0))
    runner = web.ServerRunner(web.Server(box.serve))
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    box.port = runner.addresses[0][1]
    monkeypatch.setattr(upnp, "SEARCH_WAIT", wait)
    monkeypatch.setattr(upnp, "_SSDP", search.get_extra_info("sockname"))
    try:
        yield UpnpRouter(HOST, HOST)
    finally:
        search.close()
        await runner.cleanup()


async def test_a_port_is_asked_for_with_a_lease_told_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box()
    heard: list[Event] = []
    async with running(box, monkeypatch) as router:
        port = UpnpPort(router, Transport.UDP, 4_001, on_event=heard.append)
        await until(lambda: heard)
        assert heard == [Mapped("203.0.113.7", 4_001)]
        assert box.asked[-1] == (
            "AddPortMapping",
            {
                "NewRemoteHost": "",
                "NewExternalPort": "4001",
                "NewProtocol": "UDP",
                "NewInternalPort": "4001",
                "NewInternalClient": HOST,
                "NewEnabled": "1",
                "NewPortMappingDescription": "zwerm",
                "NewLeaseDuration": "3600",
            },
        )
        await port.close()
        await port.close()
        removal = {"NewRemoteHost": "", "NewExternalPort": "4001", "NewProtocol": "UDP"}
        assert [given for action, given in box.asked if action == "DeletePortMapping"] == [removal]


async def test_a_lease_is_renewed_and_a_new_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upnp, "RENEW", 0.02)
    box = Box()
    heard: list[Event] = []
    async with running(box, monkeypatch) as router:
        port = UpnpPort(router, Transport.TCP, 4_001, on_event=heard.append)
        await until(lambda: len(box.leases()) > 2)
        assert heard == [Mapped("203.0.113.7", 4_001)]  # said once
        assert box.paths.count("/description") == 1
        box.external = "203.0.113.8"
        await until(lambda: len(heard) > 1)
        assert heard[1] == Mapped("203.0.113.8", 4_001)
        await port.close()


async def test_a_port_that_another_machine_holds_outside_is_not_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(refusals=[718])
    async with running(box, monkeypatch) as router:
        mapped = await router.map(Transport.TCP, 4_001, outside=4_001)
        assert mapped.port != 4_001
        assert [int(port) for port, _ in box.leases()] == [4_001, mapped.port]
        box.refusals = [718] * upnp.MAX_PORTS
        with pytest.raises(TransportError, match="other machines hold each of 4 ports"):
            await router.map(Transport.TCP, 4_001, outside=4_001)


async def test_a_router_without_leases_is_asked_for_a_mapping_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Box(refusals=[725])
    async with running(box, monkeypatch) as router:
        assert await router.map(Transport.TCP, 4_001, outside=4_001) == Mapped("203.0.113.7", 4_001)
        assert box.leases() == [("4001", "3600"), ("4001", "0")]


async def test_a_refusal_is_told_and_the_router_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upnp, "AGAIN", 0.01)
    box = Box(refusals=[606])
    heard: list[Event] = []
    async with running(box, monkeypatch) as router:
        port = UpnpPort(router, Transport.TCP, 4_001, on_event=heard.append)
        await until(lambda: len(heard) > 1)
        assert heard == [Unmapped("the router refuses by UPnP, code 606"), Mapped("203.0.113.7", 4_001)]
        await port.close()


BOMB = '<!DOCTYPE root [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(doctype=BOMB, more="<x>&b;</x>"), "EntitiesForbidden"),
        (Box(body=b"<" * (upnp.MAX_BODY + 1)), "more than 262144 bytes"),
        (Box(body=b"\xff\xfe\x00"), "failed|not understood"),
        (Box(more="<deviceList><device>" * 3_000 + "</device></deviceList>" * 3_000), "not understood|failed"),
        (Box(services=ENTRY * (upnp.MAX_REQUESTS + 1)), "more than 32 parts"),
        (Box(services=ENTRY.replace(">/control", ">http://192.0.2.1/control")), "no connection that is up"),
        (Box(location="http://127.0.0.1:%d/elsewhere"), "failed"),
        (Box(location="http://192.0.2.1/description"), "no router answers by UPnP"),
        (Box(location="file:///etc/passwd"), "no router answers by UPnP"),
        (Box(location="http://192.0.2.1/", answers=upnp.MAX_ANSWERS), "64 answers on the link and none"),
        (Box(answers=0), "no router answers by UPnP"),
        (Box(external="0.0.0.0"), "no connection that is up"),
        (Box(external="nowhere"), "no connection that is up"),
        (Box(services=""), "no connection that is up"),
    ],
    ids=[
        "entity bomb",
        "giant body",
        "no text",
        "deep nesting",
        "many services",
        "control elsewhere",
        "redirect",
        "description elsewhere",
        "a file",
        "flood of answers",
        "silence",
        "no address",
        "no address at all",
        "no service",
    ],
)
async def test_what_no_router_should_say_is_a_reason(monkeypatch: pytest.MonkeyPatch, box: Box, reason: str) -> None:
    wait = 0.02 if reason == "no router answers by UPnP" else 2.0
    async with running(box, monkeypatch, wait=wait) as router:
        with pytest.raises(TransportError, match=reason):
            await router.map(Transport.TCP, 4_001, outside=4_001)
        assert box.leases() == []


def test_only_the_gateway_is_listened_to() -> None:
    answer = f"HTTP/1.1 200 OK\r\nST: {upnp.SEARCH_TARGET}\r\nLOCATION: http://192.0.2.1:5000/x\r\n\r\n".encode()
    assert upnp.location_untrusted(answer, ("192.0.2.1", 1_900), "192.0.2.1") == "http://192.0.2.1:5000/x"
    assert upnp.location_untrusted(answer, ("192.0.2.2", 1_900), "192.0.2.1") is None
    assert upnp.location_untrusted(answer[:40], ("192.0.2.1", 1_900), "192.0.2.1") is None
    assert upnp.location_untrusted(answer + bytes(2_048), ("192.0.2.1", 1_900), "192.0.2.1") is None
    assert upnp.location_untrusted(answer.replace(b"Gateway", b"Media"), ("192.0.2.1", 1_900), "192.0.2.1") is None
