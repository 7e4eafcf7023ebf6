"""Names between loops in namespaces on one cable: found, not found, and not told where they should not be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.netlab.namespace import Namespace, Resident, resident_of, wire
from zwerm.core.errors import TransportError
from zwerm.net.mdns import aio, link
from zwerm.net.mdns.aio import MulticastNames, is_name
from zwerm.net.udp import Batch

NAME = "8d4d4f0e-4b1a-4c2e-9a50-6e1c2f0e9b11.local"
OTHER = "1f2e3d4c-0000-4000-8000-000000000000.local"
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
LEFT6, RIGHT6 = "2001:db8::1", "2001:db8::2"
LIMIT = 20.0  # seconds, of a busy machine


@contextlib.contextmanager
def neighbours() -> Iterator[tuple[Resident, Resident]]:
    with Namespace() as left, Namespace() as right:
        wire(left, "eth0", right, "eth0")
        left.ip("link set eth0 up", f"addr add {LEFT}/24 dev eth0", f"addr add {LEFT6}/64 dev eth0 nodad")
        right.ip("link set eth0 up", f"addr add {RIGHT}/24 dev eth0", f"addr add {RIGHT6}/64 dev eth0 nodad")
        left.wait_for(LEFT, LEFT6)
        right.wait_for(RIGHT, RIGHT6)
        with resident_of(left) as one, resident_of(right) as other:
            yield one, other


async def look_up(names: MulticastNames, name: str) -> str:
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    assert names.resolve(name, lambda _, host: found.set_result(host))
    async with asyncio.timeout(LIMIT):
        return await found


async def with_names(hosts: list[str], work: Callable[[MulticastNames], object]) -> MulticastNames:
    names = MulticastNames()
    names.join(hosts)
    work(names)
    return names


async def close(names: MulticastNames) -> None:
    names.close()
    names.close()


@pytest.mark.parametrize(("host", "asker"), [(LEFT, RIGHT), (LEFT6, RIGHT6)], ids=["IPv4", "IPv6"])
async def test_a_neighbour_finds_the_address_behind_a_name(host: str, asker: str) -> None:
    async def ask() -> str:
        with MulticastNames() as names:
            names.join([asker])
            return await look_up(names, NAME)

    with neighbours() as (left, right):
        answering = await left.do(with_names([host], lambda names: names.register(NAME, host)))
        assert await right.do(ask()) == host
        await left.do(close(answering))


async def test_two_of_one_loop_find_each_other_and_the_end_of_one_is_not_the_others() -> None:
    async def scenario() -> None:
        with MulticastNames() as one, MulticastNames() as other:
            one.join([LEFT])
            assert one.register(NAME, LEFT)
            assert await look_up(other, NAME) == LEFT
            one.close()
            assert other.register(OTHER, LEFT)
            with MulticastNames() as third:
                assert await look_up(third, OTHER) == LEFT

    with neighbours() as (left, _):
        await left.do(scenario())


async def test_a_name_is_not_told_on_an_interface_that_is_not_used() -> None:
    """The one who has the name listens on loopback only; asking on the cable brings nothing."""

    async def ask() -> bool:
        with MulticastNames() as names:
            names.join([RIGHT])
            found = asyncio.Event()
            names.resolve(NAME, lambda *_: found.set())
            await asyncio.sleep(1.2)  # two queries went out
            return found.is_set()

    with neighbours() as (left, right):
        answering = await left.do(with_names(["127.0.0.1"], lambda names: names.register(NAME, LEFT)))
        assert not await right.do(ask())
        await left.do(close(answering))


async def test_without_an_interface_nothing_is_registered_or_looked_up() -> None:
    with MulticastNames() as names:
        names.join(["192.0.2.200"])
        assert not names.register(NAME, "192.0.2.200")
        assert not names.resolve(NAME, lambda *_: None)


async def test_what_cannot_be_a_name_is_refused() -> None:
    with MulticastNames() as names:
        names.join(["127.0.0.1"])
        assert not names.register("a..local", "127.0.0.1")
        assert not names.resolve("a..local", lambda *_: None)
    assert is_name(NAME)
    assert not is_name("example.org")
    assert not is_name("a..local")


async def test_a_system_that_does_not_tell_its_addresses_has_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise TransportError("refused by the test")

    monkeypatch.setattr(link, "list_addresses", refuse)
    with MulticastNames() as names:
        names.join(["127.0.0.1"])
        assert not names.register(NAME, "127.0.0.1")


async def test_what_comes_from_another_link_is_not_heard() -> None:
    async def scenario() -> None:
        with MulticastNames() as names:
            names.join([LEFT])
            told: list[str] = []
            names.resolve(NAME, lambda _, host: told.append(host))
            shared = names._shared
            answer = aio.MdnsResponder()
            answer.register(NAME, "192.0.2.66")
            query = _query()
            answer.receive_datagram(query, ("192.0.2.9", 5_353), 0.0)
            transmit = answer.next_transmit()
            assert transmit is not None
            shared.link._receive(Batch([transmit.data], ("203.0.113.5", 5_353), None))
            assert told == []
            shared.link._receive(Batch([transmit.data], (RIGHT, 5_353), None))
            assert told == ["192.0.2.66"]

    with neighbours() as (left, _):
        await left.do(scenario())


def _query() -> bytes:
    asking = aio.MdnsResponder()
    asking.resolve(NAME, 0.0)
    transmit = asking.next_transmit()
    assert transmit is not None
    return transmit.data
