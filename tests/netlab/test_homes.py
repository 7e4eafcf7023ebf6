"""The boxes of the laboratory do what their names say, as RFC 5780's tests see it."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

from tests.netlab.homes import SERVERS, Kind, wide_network
from tests.netlab.namespace import Namespace, resident_of, wire
from zwerm.core.errors import TransportError
from zwerm.webrtc.stun.aio import StunService, ask, discover
from zwerm.webrtc.stun.behaviour import Behaviour, NatBehaviour
from zwerm.webrtc.stun.server import ServerConfig
from zwerm.webrtc.stun.uri import ServerUri

pytestmark = pytest.mark.slow

PORT = 3_500
ANY, HOST, HOST_AND_PORT = Behaviour
EXPECTED = {
    Kind.NONE: (ANY, ANY),
    Kind.FULL: (ANY, ANY),
    Kind.ADDR: (ANY, HOST),
    Kind.PORT: (ANY, HOST_AND_PORT),
    Kind.SYMM: (HOST_AND_PORT, HOST_AND_PORT),
}


async def test_every_kind_maps_and_filters_as_its_name_says() -> None:
    uri = ServerUri.from_text(f"stun:{SERVERS[0]}:{PORT}")
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(wide_network())
        homes = {kind: network.join(kind) for kind in Kind}
        core = stack.enter_context(resident_of(network.core))
        residents = {kind: stack.enter_context(resident_of(home.host)) for kind, home in homes.items()}
        service = StunService(ServerConfig((SERVERS[0], PORT), (SERVERS[1], PORT + 1)))
        await core.do(service.start())
        try:
            found: list[NatBehaviour] = await asyncio.gather(*(one.do(discover(uri)) for one in residents.values()))
            by_tcp = await asyncio.gather(*(one.do(reaches_by_tcp()) for one in residents.values()))
        finally:
            await core.do(service.close())
    behaviours = dict(zip(Kind, found, strict=True))
    for kind, expected in EXPECTED.items():
        behaviour = behaviours[kind]
        assert (behaviour.mapping, behaviour.filtering) == expected, kind
        assert behaviour.is_translated is (kind is not Kind.NONE)
    assert all(behaviours[kind].mapped is None for kind in (Kind.NOUDP, Kind.TCP443, Kind.BLOCK))
    assert {kind for kind, reaches in zip(Kind, by_tcp, strict=True) if not reaches} == {Kind.TCP443, Kind.BLOCK}


async def reaches_by_tcp() -> bool:
    try:
        async with asyncio.timeout(3.0):
            await ask(ServerUri.from_text(f"turn:{SERVERS[0]}:{PORT}?transport=tcp"))
    except (TransportError, TimeoutError):
        return False
    return True


def test_a_namespace_that_is_let_go_takes_its_cables_with_it() -> None:
    with Namespace() as left:
        with Namespace() as right:
            wire(left, "here", right, "there")
            right.ip("link set there up", "addr add 192.0.2.1/24 dev there")
            left.ip("link set here up")
            right.wait_for("192.0.2.1")
            held = right.path
        assert not os.path.exists(held)


def test_a_command_that_fails_inside_says_what_was_wrong() -> None:
    with Namespace() as space, pytest.raises(AssertionError, match="Cannot find device"):
        space.ip("link set nothing up")
