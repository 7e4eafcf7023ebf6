"""The addresses of this machine, and of network namespaces that the test makes and changes."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.net.sockets import until
from zwerm.core.errors import TransportError
from zwerm.net import interfaces, netlink
from zwerm.net.interfaces import InterfaceAddress, InterfaceWatcher, list_addresses

CLONE_NEWNET = 0x4000_0000


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def in_namespace(work: Callable[[], Any]) -> Any:
    """Run `work` in a thread that is alone in a new network namespace, with nothing but a loopback that is down."""
    results: list[Any] = []

    def enter() -> None:
        try:
            import ctypes

            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "unshare")
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by the caller
            results.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def by_address(addresses: list[InterfaceAddress]) -> dict[str, InterfaceAddress]:
    return {one.address: one for one in addresses}


def test_loopback_is_there() -> None:
    loopback = by_address(list_addresses())["127.0.0.1"]
    assert loopback.is_loopback
    assert not loopback.is_ipv6
    assert (loopback.interface, loopback.prefix_length) == ("lo", 8)
    assert loopback.mtu >= 1_280


def test_what_is_down_is_not_listed_and_what_is_up_is_with_its_kind() -> None:
    def work() -> tuple[list[InterfaceAddress], list[InterfaceAddress]]:
        before = list_addresses()
        ip("link", "add", "wire", "type", "veth", "peer", "name", "end")
        ip("link", "set", "end", "up")
        ip("addr", "add", "192.0.2.10/24", "dev", "wire")
        ip("addr", "add", "192.0.2.11/24", "dev", "wire")
        ip("addr", "add", "2001:db8::10/64", "dev", "wire", "nodad", "preferred_lft", "0", "valid_lft", "100")
        ip("link", "set", "wire", "mtu", "1400", "up")
        for _ in range(300):  # the kernel says that a wire is connected when it gets round to it
            if "192.0.2.10" in by_address(after := list_addresses()):
                break
            time.sleep(0.1)
        return before, after

    before, after = in_namespace(work)
    assert before == []
    known = by_address(after)
    assert {"192.0.2.10", "192.0.2.11", "2001:db8::10"} <= set(known)
    assert (known["192.0.2.10"].interface, known["192.0.2.10"].mtu) == ("wire", 1_400)
    assert not any(known[address].is_temporary for address in ("192.0.2.10", "192.0.2.11"))
    assert known["2001:db8::10"].is_deprecated
    assert known["2001:db8::10"].is_ipv6


@contextlib.contextmanager
def watcher() -> Iterator[tuple[InterfaceWatcher, list[list[InterfaceAddress]]]]:
    told: list[list[InterfaceAddress]] = []
    with InterfaceWatcher(told.append) as watching:
        yield watching, told


@pytest.mark.slow
def test_every_change_is_told_once_it_has_settled() -> None:
    async def watch() -> list[list[str]]:
        with watcher() as (watching, told):
            for command in (
                "link add wire type veth peer name end",
                "link set end up",
                "addr add 192.0.2.10/24 dev wire",
                "link set wire up",
                "addr del 192.0.2.10/24 dev wire",
            ):
                ip(*command.split())
                if command == "link set wire up":
                    await until(lambda: told and "192.0.2.10" in by_address(told[-1]))
            await until(lambda: "192.0.2.10" not in by_address(told[-1]))
            assert watching.addresses == told[-1]
            return [sorted(by_address(addresses)) for addresses in told]

    steps = in_namespace(lambda: asyncio.run(watch()))
    assert all(before != after for before, after in itertools.pairwise(steps))


@pytest.mark.slow
def test_an_address_that_comes_while_the_first_list_is_made_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    lists: list[list[InterfaceAddress]] = []

    def list_and_change() -> list[InterfaceAddress]:
        lists.append(list_addresses())
        if len(lists) == 1:
            ip("addr", "add", "192.0.2.10/24", "dev", "lo")
        return lists[-1]

    async def watch() -> None:
        ip("link", "set", "lo", "up")
        with watcher() as (watching, told):
            assert "192.0.2.10" not in by_address(watching.addresses)
            await until(lambda: told and "192.0.2.10" in by_address(told[-1]))

    monkeypatch.setattr(interfaces, "list_addresses", list_and_change)
    in_namespace(lambda: asyncio.run(watch()))


async def test_a_kernel_that_lists_nothing_leaves_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "_dump", refuse)
    with pytest.raises(TransportError, match="refused by the test"):
        InterfaceWatcher(lambda _: None)


async def test_a_watcher_that_is_closed_tells_nothing_and_may_be_closed_again() -> None:
    with watcher() as (watching, told):
        watching.close()
        watching.close()
    assert told == []


async def test_a_list_that_cannot_be_had_is_asked_for_again_at_the_next_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with watcher() as (watching, told):
        before = watching.addresses
        monkeypatch.setattr(netlink, "dump_request", lambda kind, sequence: b"\0" * 16)
        monkeypatch.setattr(interfaces, "_dump", refuse)
        watching._look()
        assert watching.addresses == before
        assert told == []


def refuse(*_: object) -> list[bytes]:
    raise OSError("refused by the test")


def test_a_kernel_that_does_not_answer_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "_dump", refuse)
    with pytest.raises(TransportError, match="cannot list"):
        list_addresses()


def test_a_request_that_the_kernel_refuses_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = netlink.dump_request(netlink.RTM_GETLINK, 1).replace(b"\x12\0", b"\xff\x0f", 1)
    monkeypatch.setattr(netlink, "dump_request", lambda kind, sequence: wrong)
    with pytest.raises(TransportError, match="refuses"):
        list_addresses()


async def test_elsewhere_the_addresses_that_routes_start_from_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(interfaces, "POLL", 0.01)
    assert "127.0.0.1" in by_address(list_addresses())
    with watcher() as (watching, told):
        watching.addresses = []
        await until(lambda: told)


async def test_all_on_a_loop_share_one_watcher_until_the_last_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[list[InterfaceAddress]] = []
    second: list[list[InterfaceAddress]] = []
    ends: list[Callable[[], None]] = []

    def end_the_second(addresses: list[InterfaceAddress]) -> None:
        first.append(addresses)
        ends[1]()

    assert interfaces.watched_addresses() is None
    ends += [interfaces.watch_interfaces(end_the_second), interfaces.watch_interfaces(second.append)]
    loop = asyncio.get_running_loop()
    shared = interfaces._SHARED[loop]
    assert interfaces.watched_addresses() == shared.watcher.addresses
    monkeypatch.setattr(interfaces, "list_addresses", list)
    shared.watcher._look()
    assert (first, second) == ([[]], [])  # the first ended the second before its turn
    for end in ends * 2:
        end()
    assert loop not in interfaces._SHARED


def test_these_tests_run_as_root() -> None:
    assert os.geteuid() == 0, "network namespaces need root"
