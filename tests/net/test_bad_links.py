"""What the kernel is asked for on connections to other machines, in a network of two namespaces."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netlab.link import HOSTS, Impairment, Link
from zwerm.net.bad_links import (
    BBR,
    PATIENCE,
    ROOM,
    RTO_HURRIED,
    RTO_MOST,
    UNSENT,
    hurry,
    outstanding,
    round_trip,
    suit,
)

_TCP_RTO_MAX_MS = 44


@contextlib.contextmanager
def connection(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with (
        socket.create_server((host, 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0],
    ):
        yield client


def test_a_connection_to_another_machine_is_set_up_for_bad_links() -> None:
    with Link(Impairment(rate=1e8, delay=0.05)) as link:
        for side, host in zip(link.sides, HOSTS, strict=True):
            side.wait_for(host)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(link.sides[0].call(lambda: socket.create_server((HOSTS[0], 0))))
            client = stack.enter_context(link.sides[1].call(lambda: socket.create_connection(server.getsockname())))
            assert suit(client, BBR)
            if "bbr" in Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split():
                assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"bbr"
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == PATIENCE * 1_000
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == UNSENT
            with contextlib.suppress(OSError):  # a kernel before 6.15
                assert client.getsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS) == RTO_MOST * 1_000
            measured = round_trip(client)
            assert measured is not None
            assert measured >= 0.1


@pytest.mark.parametrize("congestion", ["", "a control that no kernel has"], ids=["the system's", "unknown"])
def test_what_the_kernel_does_not_know_changes_nothing(congestion: str) -> None:
    with Link(Impairment(rate=1e8)) as link:
        for side, host in zip(link.sides, HOSTS, strict=True):
            side.wait_for(host)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(link.sides[0].call(lambda: socket.create_server((HOSTS[0], 0))))
            client = stack.enter_context(link.sides[1].call(lambda: socket.create_connection(server.getsockname())))
            before = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
            assert suit(client, congestion)
            assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16) == before


def test_loopback_is_left_as_it_is() -> None:
    with connection() as client:
        before = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert not suit(client, BBR)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == before


def test_a_link_that_is_away_is_noticed_and_tried_more_often() -> None:
    with Link(Impairment(rate=1e8, delay=0.01)) as link:
        for side, host in zip(link.sides, HOSTS, strict=True):
            side.wait_for(host)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(link.sides[0].call(lambda: socket.create_server((HOSTS[0], 0))))
            client = stack.enter_context(link.sides[1].call(lambda: socket.create_connection(server.getsockname())))
            suit(client, BBR)
            assert outstanding(client) == (0, 0)
            link.is_cut = True
            client.sendall(b"nobody hears it")
            give_up = time.monotonic() + 30.0
            while outstanding(client)[1] < 2:
                assert time.monotonic() < give_up
                time.sleep(0.01)  # there is nothing to wait for but what the kernel says
            assert outstanding(client)[0] == 1
            hurry(client, is_urgent=True)
            with contextlib.suppress(OSError):  # a kernel before 6.15
                assert client.getsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS) == RTO_HURRIED * 1_000
            hurry(client, is_urgent=False)
            with contextlib.suppress(OSError):
                assert client.getsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS) == RTO_MOST * 1_000


def test_a_window_opens_at_once_to_what_a_satellite_holds() -> None:
    """What comes while nobody reads is what the window lets through; after some round trips that is `ROOM`."""
    with Link(Impairment(rate=1e8, delay=0.01)) as link:
        for side, host in zip(link.sides, HOSTS, strict=True):
            side.wait_for(host)
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(link.sides[0].call(lambda: socket.create_server((HOSTS[0], 0))))
            client = stack.enter_context(link.sides[1].call(lambda: socket.create_connection(server.getsockname())))
            taken = stack.enter_context(server.accept()[0])
            suit(taken, BBR)
            client.settimeout(0)
            give_up, waiting = time.monotonic() + 30.0, 0
            while waiting < 0.9 * ROOM:
                assert time.monotonic() < give_up, f"{waiting} bytes came"
                with contextlib.suppress(BlockingIOError):
                    client.send(bytes(65_536))
                waiting = struct.unpack("i", fcntl.ioctl(taken, termios.FIONREAD, bytes(4)))[0]


def test_a_connection_that_is_gone_is_nothing_to_worry_about() -> None:
    with connection() as client:
        pass
    assert not suit(client, BBR)
    assert not suit(None, BBR)
    assert round_trip(client) is None
    assert outstanding(client) == (0, 0)
    hurry(client, is_urgent=True)


def test_the_round_trip_is_the_kernels() -> None:
    with connection() as client:
        measured = round_trip(client)
        assert measured is not None
        assert 0.0 < measured < 1.0
