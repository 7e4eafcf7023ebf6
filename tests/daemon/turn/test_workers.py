"""Worker processes on one port: whose allocation is whose, and what happens when one dies."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator

import pytest

from zwerm.core.errors import LocalProtocolError, TransportError
from zwerm.daemon.turn.options import TurnOptions
from zwerm.daemon.turn.relay import TurnRelay
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.aio import Allocation, TurnFailed

pytestmark = pytest.mark.slow

OPTIONS = TurnOptions(listen=("127.0.0.1:0",), users=("alice:wonder",), workers=2, user_quota=6)


@pytest.fixture
async def relay() -> AsyncIterator[TurnRelay]:
    relay = TurnRelay(OPTIONS)
    await relay.start()
    yield relay
    await relay.close()
    await relay.close()


async def allocations(relay: TurnRelay, stack: contextlib.AsyncExitStack, count: int) -> list[Allocation]:
    uri = relay.uris[0]
    return [await stack.enter_async_context(await Allocation.open(uri, relay.credential)) for _ in range(count)]


async def one_of_each(relay: TurnRelay, stack: contextlib.AsyncExitStack) -> list[Allocation]:
    """Open allocations until both workers have one; return one of each."""
    found: dict[bool, Allocation] = {}
    while len(found) < 2:
        allocation = await Allocation.open(relay.uris[0], relay.credential)
        half = allocation.relayed[0][1] >= (49_152 + 65_536) // 2
        if half in found:
            await allocation.close()
        else:
            found[half] = await stack.enter_async_context(allocation)
    return list(found.values())


async def test_clients_of_different_workers_meet(relay: TurnRelay) -> None:
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        one, other = await one_of_each(relay, stack)
        for sender, receiver in ((one, other), (other, one)):
            await receiver.permit(sender.relayed[0][0])
            await sender.bind_channel(receiver.relayed[0])
            for data in (b"hello", b"", b"x" * 1_200):
                sender.send(data, receiver.relayed[0])
                assert await receiver.receive() == (data, sender.relayed[0])


async def test_the_quota_of_a_user_counts_in_all_workers(relay: TurnRelay) -> None:
    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        await one_of_each(relay, stack)
        await allocations(relay, stack, OPTIONS.user_quota - 2)
        with pytest.raises(TurnFailed, match="486"):
            await Allocation.open(relay.uris[0], relay.credential)
        numbers = await relay.statistics()
        assert numbers["turn_allocations"] == OPTIONS.user_quota
        assert numbers["turn_workers"] == 2


async def test_streams_are_served_by_workers_too(relay: TurnRelay) -> None:
    uri = next(uri for uri in relay.uris if uri.transport is Transport.TCP)
    async with asyncio.timeout(60), await Allocation.open(uri, relay.credential) as one:
        await one.permit("127.0.0.1")
        assert one.relayed


async def test_a_worker_that_dies_is_replaced_and_that_is_said(
    relay: TurnRelay, caplog: pytest.LogCaptureFixture
) -> None:
    workers = relay._workers
    assert workers is not None
    logging.getLogger("zwerm").propagate = True
    async with asyncio.timeout(60):
        one = await Allocation.open(relay.uris[0], relay.credential)
        before = await relay.statistics()
        first = workers._workers[0].process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        while (await relay.statistics())["turn_workers_replaced_total"] < 1:
            await first.wait()
        async with contextlib.AsyncExitStack() as stack:
            await one_of_each(relay, stack)  # waits for the new one, as its socket is kept open
        after = await relay.statistics()
        assert after["turn_allocations_made_total"] >= before["turn_allocations_made_total"]
        assert after["turn_workers"] == 2
        with contextlib.suppress(TransportError):  # it may have been the dead one's
            await one.close()
    assert "worker 0 ended with status -9; a new one takes its place" in caplog.text


async def test_a_port_that_is_taken_is_named_before_any_worker_starts(relay: TurnRelay) -> None:
    other = TurnRelay(TurnOptions(listen=(f"127.0.0.1:{relay.addresses[0][1][1]}",), users=OPTIONS.users))
    with pytest.raises(TransportError):
        await other.start()


async def test_ports_that_are_too_few_for_all_are_named() -> None:
    relay = TurnRelay(TurnOptions(listen=("127.0.0.1:0",), workers=2, ports="50000-50002"))
    with pytest.raises(LocalProtocolError, match="relay ports"):
        await relay.start()
    await relay.close()
