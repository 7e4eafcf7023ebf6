"""Connections that leave from the port that is listened on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.libp2p.hosts import seeded_key
from tests.net.sockets import until
from zwerm.core.errors import RemoteProtocolError, TransportError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.stream import Direction, MuxedConnection
from zwerm.libp2p.swarm.upgrade import Upgrade, securities
from zwerm.libp2p.transports import tcp, tcp_port
from zwerm.libp2p.transports.tcp import TcpTransport
from zwerm.libp2p.transports.tcp_port import PortTaken, connect_from, is_outside, share, source_for
from zwerm.multiformats.multiaddr import Multiaddr

ANY_PORT = Multiaddr.from_text("/ip4/127.0.0.1/tcp/0")


@contextlib.contextmanager
def listening(*, is_shared: bool = True) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.settimeout(0)
        if is_shared:
            share([sock])
        yield sock


def test_a_source_is_of_the_same_family_and_not_the_loopback() -> None:
    names = [("127.0.0.1", 1), ("192.0.2.1", 2), ("::", 3), ("0.0.0.0", 4), ("::1", 5)]
    assert source_for("198.51.100.1", names) == ("0.0.0.0", 4)
    assert source_for("2001:db8::1", names) == ("::", 3)
    assert source_for("198.51.100.1", names[:2]) == ("192.0.2.1", 2)
    assert source_for("198.51.100.1", names[:1]) is None


def test_what_is_near_is_dialled_from_any_port() -> None:
    assert [is_outside(host) for host in ("192.168.1.1", "127.0.0.1", "fe80::1", "10.0.0.1")] == [False] * 4
    assert is_outside("192.52.193.1")


async def test_several_connections_leave_from_one_port_that_still_listens() -> None:
    with listening() as here, listening() as there, listening() as elsewhere:
        source = here.getsockname()
        made = [await connect_from(source, other.getsockname()) for other in (there, elsewhere)]
        try:
            assert [each.getsockname() for each in made] == [source, source]
            with socket.create_connection(source), here.dup() as accepting:
                accepting.settimeout(5)
                accepting.accept()[0].close()
        finally:
            for each in made:
                each.close()


async def test_two_connections_with_the_same_ends_are_one_too_many() -> None:
    with listening() as here, listening() as there:
        first = await connect_from(here.getsockname(), there.getsockname())
        with first, pytest.raises(PortTaken):
            await connect_from(here.getsockname(), there.getsockname())


async def test_a_port_is_not_shared_with_another_listener() -> None:
    with listening() as here, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(here.getsockname())


@contextlib.contextmanager
def nearby_is_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(tcp, "is_outside", lambda host: True)
        patch.setattr(tcp_port, "_is_loopback", lambda host: False)
        yield


async def transport_of(number: int) -> tuple[TcpTransport, PeerId, Multiaddr, list[MuxedConnection]]:
    key = seeded_key(number)
    transport = TcpTransport(Upgrade(securities(key)))
    came: list[MuxedConnection] = []

    def accept(connection: MuxedConnection) -> None:
        connection.start(lambda stream: stream.reset())
        came.append(connection)

    listener = await transport.listen(ANY_PORT, accept)
    return transport, PeerId.of(key.public), listener.addresses[0], came


async def test_a_dial_to_the_outside_shows_the_port_that_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _, here, _ = await transport_of(1)
    other, peer, there, came = await transport_of(2)
    with nearby_is_outside(monkeypatch):
        first = await one.dial(there, peer)
        second = await one.dial(there, peer)  # the ends of the first are taken: it goes from another port
    assert first.local_address == here
    assert second.local_address != here
    await until(lambda: len(came) == 2)
    await asyncio.gather(one.close(), other.close())


async def test_two_that_dial_at_once_open_one_connection_with_the_roles_that_were_agreed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, one_peer, here, _ = await transport_of(1)
    other, other_peer, there, came = await transport_of(2)
    with nearby_is_outside(monkeypatch):
        assert one.can_punch(there)
        near = await one.punch(there, other_peer, is_client=True)
        await until(lambda: came)
        assert near.direction is Direction.OUTBOUND
        assert near.remote_peer == other_peer
        with pytest.raises(TransportError, match="connect"):  # the listener was faster: these ends are connected
            await other.punch(here, one_peer, is_client=False)
    assert came[0].remote_peer == one_peer
    await asyncio.gather(one.close(), other.close())


async def test_a_box_that_refuses_is_knocked_at_until_it_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    one, _, _, _ = await transport_of(1)
    monkeypatch.setattr(tcp, "PUNCH_AGAIN", 0.01)
    with listening() as closed:
        name = closed.getsockname()
    refused = Multiaddr.from_text(f"/ip4/127.0.0.1/tcp/{name[1]}")
    with nearby_is_outside(monkeypatch):
        punching = asyncio.create_task(one.punch(refused, None, is_client=False))
        with socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(name)
            opened.listen()
            opened.settimeout(0)
            came, _ = await asyncio.get_running_loop().sock_accept(opened)
            came.close()
        with pytest.raises(RemoteProtocolError):  # it was let through, and nobody speaks there
            await punching
    await one.close()


async def test_nothing_is_punched_where_nothing_is_listened_on() -> None:
    transport = TcpTransport(Upgrade(securities(seeded_key(1))))
    there = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
    assert not transport.can_punch(there)
    with pytest.raises(TransportError, match="listened"):
        await transport.punch(there, PeerId.of(seeded_key(2).public), is_client=True)
    await transport.close()
