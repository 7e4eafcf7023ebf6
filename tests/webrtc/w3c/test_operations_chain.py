"""WebRTC 1.0 section 4.4.1.2: one operation after the other, and what happens when the last one ends."""

from __future__ import annotations

import asyncio

import pytest

from zwerm.webrtc.w3c.operations_chain import OperationsChain


async def test_operations_run_in_the_order_they_were_asked_for() -> None:
    done: list[int] = []
    chain = OperationsChain(lambda: done.append(-1))

    async def operation(number: int) -> None:
        async with chain:
            assert not chain.is_empty
            await asyncio.sleep(0)
            done.append(number)

    tasks = [asyncio.create_task(operation(number)) for number in range(3)]
    await asyncio.gather(*tasks)
    assert (done, chain.is_empty) == ([0, 1, 2], True)


async def test_who_asked_is_called_once_when_the_last_one_ends_whatever_became_of_it() -> None:
    called: list[str] = []
    chain = OperationsChain(lambda: called.append("empty"))
    waiting = asyncio.Event()

    async def fail() -> None:
        async with chain:
            chain.ask()
            chain.ask()
            await waiting.wait()
            raise ValueError("it failed")

    async def never() -> None:
        async with chain:
            called.append("never")

    first, second = asyncio.create_task(fail()), asyncio.create_task(never())
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert called == []
    waiting.set()
    with pytest.raises(ValueError, match="it failed"):
        await first
    assert (called, chain.is_empty) == (["empty"], True)
