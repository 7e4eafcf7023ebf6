"""From `iceServers` to servers an ICE agent can ask: names looked up, and what cannot be used left out."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
from collections.abc import Collection, Iterable
from typing import Final

from zwerm.core.machine import Address
from zwerm.webrtc.ice.config import ServerTransport, StunServer, TurnServer
from zwerm.webrtc.stun.uri import IceServer, ServerUri, Service, Transport

LOOK_UP_TIME: Final = 2.0  # seconds for the name of a server; then it is left out, and the others are not kept waiting

_TRANSPORTS: Final = {
    Transport.UDP: ServerTransport.UDP,
    Transport.TCP: ServerTransport.TCP,
    Transport.TLS: ServerTransport.TLS,
}


async def find_servers(servers: Iterable[IceServer]) -> tuple[tuple[StunServer, ...], tuple[TurnServer, ...]]:
    """Look up every name, all at once.

    Left out is what would be reached by DTLS. A STUN server that is reached by TLS tells addresses of ICE-TCP.
    """
    wanted = [(server, uri) for server in servers for uri in server.uris if _is_usable(uri)]
    found = await asyncio.gather(*(resolve(uri.host, uri.port) for _, uri in wanted))
    stun: list[StunServer] = []
    turn: list[TurnServer] = []
    for (server, uri), addresses in zip(wanted, found, strict=True):
        for address in addresses:
            if uri.service is Service.STUN:
                name = uri.host if uri.transport is Transport.TLS else ""
                stun.append(StunServer(address, str(uri), _TRANSPORTS[uri.transport], name))
            elif server.username is not None and server.credential is not None:
                transport = _TRANSPORTS[uri.transport]
                turn.append(TurnServer(address, server.username, server.credential, transport, str(uri), uri.host))
    return tuple(stun), tuple(turn)


def without_names(servers: Collection[IceServer]) -> tuple[list[IceServer], bool]:
    """The servers of which the address is told, and whether there are others."""
    known = [dataclasses.replace(one, uris=tuple(uri for uri in one.uris if _is_numeric(uri.host))) for one in servers]
    return known, sum(len(one.uris) for one in known) < sum(len(one.uris) for one in servers)


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int) -> list[Address]:
    """The first address of each family that the system names, in its order; none where there is none in time.

    Of this machine itself one will do. An address is nothing to ask the system about.
    """
    if _is_numeric(host):
        return [(host, port)]
    try:
        async with asyncio.timeout(LOOK_UP_TIME):
            answers = await asyncio.get_running_loop().getaddrinfo(host, port)
    except (OSError, UnicodeError):  # TimeoutError is one; UnicodeError: a name that DNS cannot have
        return []
    first: dict[bool, str] = {}
    for answer in answers:
        found = str(answer[4][0])
        first.setdefault(":" in found, found)
    hosts = list(first.values())
    if hosts and ipaddress.ip_address(hosts[0].partition("%")[0]).is_loopback:
        hosts = hosts[:1]
    return [(found, port) for found in hosts]


def _is_usable(uri: ServerUri) -> bool:
    return uri.transport in _TRANSPORTS
