"""Those who wait for blocks: who gets the bytes, who only hears that they are here, and who gives up."""

from __future__ import annotations

import asyncio

import pytest

from zwerm.core.errors import TransportError
from zwerm.ipfs.bitswap.waiters import Waiters
from zwerm.multiformats.cid import CID

ONE, OTHER = CID.of(b"one"), CID.of(b"other")


def waiters() -> tuple[Waiters, list[tuple[int, CID]]]:
    gone: list[tuple[int, CID]] = []
    return Waiters(lambda session, cid: gone.append((session, cid))), gone


async def test_who_reads_gets_the_bytes_and_who_only_waits_holds_nothing() -> None:
    some, gone = waiters()
    reader, again, bringer = (some.add(1, ONE, is_read=is_read) for is_read in (True, True, False))
    some.give(ONE.multihash, memoryview(b"..one..")[2:5])
    assert [await each for each in (reader, again, bringer)] == [b"one", b"one", b""]
    assert reader.result() is again.result()
    assert ONE.multihash not in some
    assert gone == []


async def test_a_caller_who_gives_up_is_told_of_once_and_others_go_on_waiting() -> None:
    some, gone = waiters()
    first, second = some.add(1, ONE, is_read=True), some.add(2, ONE, is_read=True)
    first.cancel()
    await asyncio.sleep(0)
    assert gone == [(1, ONE)]
    assert not some.has(1, ONE)
    assert some.has(2, ONE)
    some.give(ONE.multihash, b"one")
    assert await second == b"one"


async def test_a_failure_reaches_the_session_that_it_is_of() -> None:
    some, _ = waiters()
    mine, other = some.add(1, ONE, is_read=True), some.add(2, ONE, is_read=True)
    some.fail([ONE.multihash, OTHER.multihash], TransportError("gone"), 1)
    with pytest.raises(TransportError):
        await mine
    assert not other.done()
    some.fail_all(TransportError("stopping"))
    with pytest.raises(TransportError, match="stopping"):
        await other
    await asyncio.sleep(0)
    assert ONE.multihash not in some
