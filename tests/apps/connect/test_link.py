"""One link: its states, the codes it takes, and a peer that is slow to paste."""

from __future__ import annotations

import asyncio

import pytest

from tests.apps.connect.pair import HERE, LIMIT
from zwerm.apps.connect.link import Link, LinkState
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.paste.text import OwnCode, PasteError

pytestmark = pytest.mark.asyncio


class States:
    """What a link told of itself."""

    def __init__(self) -> None:
        self.seen: list[LinkState] = []
        self._told = asyncio.Event()

    def __call__(self, state: LinkState) -> None:
        self.seen.append(state)
        self._told.set()

    async def wait(self, state: LinkState) -> None:
        async with asyncio.timeout(LIMIT):
            while state not in self.seen:
                self._told.clear()
                await self._told.wait()


async def test_a_link_connects_whoever_pastes_first_and_ends_for_both() -> None:
    states = States(), States()
    links = [Link(HERE, one) for one in states]
    codes = [await link.make_code() for link in links]
    await links[0].connect(codes[1])
    assert links[0].state is LinkState.CONNECTING
    assert links[1].state is LinkState.NEW
    await links[1].connect(codes[0])
    for one in states:
        await one.wait(LinkState.CONNECTED)
    assert [channel.id for channel in (links[0].chat, links[0].files, links[0].play)] == [0, 1, 2]
    assert (links[0].play.ordered, links[0].play.maxRetransmits) == (False, 0)
    await links[0].close()
    await states[1].wait(LinkState.LOST)
    await links[1].close()
    assert states[0].seen == [LinkState.CONNECTING, LinkState.CONNECTED]
    assert states[1].seen == [LinkState.CONNECTING, LinkState.CONNECTED, LinkState.LOST]


async def test_own_and_wrong_codes_leave_a_link_as_it_was() -> None:
    link = Link(HERE, lambda _: None)
    with pytest.raises(LocalProtocolError):
        await link.connect("zwerm1")
    code = await link.make_code()
    with pytest.raises(OwnCode, match="your own code"):
        await link.connect(code)
    with pytest.raises(PasteError):
        await link.connect("hello")
    assert link.state is LinkState.NEW
    await link.close()
    await link.close()
