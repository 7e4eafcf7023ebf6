"""What a person sees while a page comes from others, and that nothing is left of it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.daemon.rpc.networked import network_of, two_nodes
from zwerm.daemon.http import waiting
from zwerm.daemon.http.waiting import Looks, is_navigation
from zwerm.ipfs.exchange.switch import begin_request
from zwerm.ipfs.gateway.message import GatewayRequest, GatewayResponse
from zwerm.multiformats.cid import CID

PERSON = {"sec-fetch-mode": "navigate", "accept": "text/html,*/*"}
PAGE = GatewayRequest("GET", "/ipfs/page", headers=PERSON)
FOUND = GatewayResponse(HTTPStatus.OK, {}, b"found")


@pytest.mark.parametrize(
    ("method", "headers", "verdict"),
    [
        ("GET", PERSON, True),
        ("HEAD", PERSON, False),
        ("GET", {"accept": "text/html"}, False),
        ("GET", {**PERSON, "accept": "image/png"}, False),
        ("GET", {**PERSON, "range": "bytes=0-"}, False),
    ],
    ids=["a page", "only its head", "a program", "a picture", "a part"],
)
def test_only_pages_that_are_shown_are_told_to_wait(method: str, headers: dict[str, str], verdict: bool) -> None:
    assert is_navigation(GatewayRequest(method, "/ipfs/page", headers=headers)) is verdict


class Search:
    """A look that ends when the test says so."""

    def __init__(self, *, patience: float) -> None:
        self.begun = 0
        self.has_begun = asyncio.Event()
        self.end = asyncio.Event()
        self.is_cancelled = False
        self.looks = Looks(self.look, lambda: None, patience=patience)

    async def look(self, _request: GatewayRequest, _tag: str) -> GatewayResponse:
        self.begun += 1
        self.has_begun.set()
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return FOUND


async def test_what_is_here_soon_is_shown_at_once() -> None:
    search = Search(patience=60.0)
    search.end.set()
    assert await search.looks.respond(PAGE) is FOUND
    assert await search.looks.respond(PAGE) is FOUND
    assert search.begun == 2


async def test_a_page_that_takes_longer_loads_itself_again_and_one_search_serves_all_its_loads() -> None:
    search = Search(patience=0.0)
    for _ in range(3):
        page = await search.looks.respond(PAGE)
        assert (page.status, page.headers["Cache-Control"]) == (503, "no-store")
        assert isinstance(page.body, bytes)
        assert b'http-equiv="refresh"' in page.body
        assert b"Looking for somebody who has it" in page.body
    search.end.set()
    while (answer := await search.looks.respond(PAGE)) is not FOUND:
        assert answer.status == 503
    assert search.begun == 1
    await search.looks.close()


async def test_two_windows_of_one_page_are_both_answered() -> None:
    search = Search(patience=60.0)
    both = [asyncio.create_task(search.looks.respond(PAGE)) for _ in range(2)]
    await search.has_begun.wait()
    search.end.set()
    assert await asyncio.gather(*both) == [FOUND, FOUND]


async def test_a_person_who_goes_away_ends_the_search_unless_another_waits() -> None:
    search = Search(patience=60.0)
    one, other = (asyncio.create_task(search.looks.respond(PAGE)) for _ in range(2))
    await search.has_begun.wait()
    one.cancel()
    await asyncio.wait([one])
    assert not search.is_cancelled
    other.cancel()
    await asyncio.wait([other])
    await asyncio.sleep(0)
    assert search.is_cancelled


async def test_closing_ends_every_search() -> None:
    search = Search(patience=0.0)
    await search.looks.respond(PAGE)
    await search.looks.close()
    assert search.is_cancelled


async def test_past_the_limit_pages_wait_as_programs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_LOOKS", 1)
    search = Search(patience=0.0)
    assert (await search.looks.respond(PAGE)).status == 503
    search.has_begun.clear()
    second = asyncio.create_task(search.looks.respond(GatewayRequest("GET", "/ipfs/another", headers=PERSON)))
    await search.has_begun.wait()
    assert not second.done()
    search.end.set()
    assert await second is FOUND
    await search.looks.close()


@pytest.mark.slow
async def test_the_page_says_who_is_asked_and_who_was_tried(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (ann, bob):
        cid = CID.of(b"given later")

        async def look(_: GatewayRequest, tag: str) -> GatewayResponse:
            begin_request(offline=False, tag=tag)
            await ann.node.source.get(cid)
            return FOUND

        looks = Looks(look, lambda: network_of(ann.node), patience=0.01)
        page = b""
        while b"1 node was asked" not in page:
            answer = await looks.respond(PAGE)
            assert isinstance(answer.body, bytes)
            page = answer.body
        assert looks.tried("gateway 0") == [f"asked in vain: {bob.node.identity}"]
        await bob.node.add(b"given later")
        while (answer := await looks.respond(PAGE)) is not FOUND:
            continue
        assert looks.tried("gateway 0") == [f"gave a part: {bob.node.identity}"]
        await looks.close()
