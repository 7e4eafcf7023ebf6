"""Asking over HTTP: our own server, and servers that answer oddly, endlessly, or not at all."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from tests.ipfs.routing.delegated.served import handler_of, serving
from tests.ipfs.routing.delegated.test_server import NAME, api, record
from tests.ipfs.routing.test_router import ALICE, BOB, CONTENT, HERE, Way
from zwerm.core.errors import LocalProtocolError, TransportError, WireError, ZwermError
from zwerm.ipfs.exchange.providers import Provider
from zwerm.ipfs.routing.delegated.client import MAX_PEERS, DelegatedRouter
from zwerm.ipfs.routing.delegated.peer_record import MAX_RECORD, PeerRecord

KEY = b"/ipns/" + NAME.multihash


async def test_everything_that_our_server_tells_is_found() -> None:
    way = Way("a", Provider(ALICE, (HERE,)), Provider(BOB))
    async with serving(handler_of(api(way))) as url, DelegatedRouter(url) as router:
        found = [provider async for provider in router.find_providers(CONTENT)]
        assert found == [Provider(ALICE, (HERE,)), Provider(BOB, ())]
        assert await router.find_peer(ALICE) == (HERE,)
        assert await router.find_peer(BOB) == ()
        assert [value async for value in router.find_records(KEY)] == []
        encoded = record()
        await router.put_record(KEY, encoded)
        assert way.records == [encoded]
        assert [value async for value in router.find_records(KEY)] == [encoded]
        assert [value async for value in router.find_records(b"/pk/x")] == []
        with pytest.raises(TransportError, match="did not take the record: status 400"):
            await router.put_record(KEY, b"nonsense")
        with pytest.raises(TransportError, match="names only"):
            await router.put_record(b"/pk/x", b"")


async def providers_of(answer: web.Response) -> list[Provider]:
    async def handle(_request: web.Request) -> web.Response:
        return answer

    async with serving(handle) as url, DelegatedRouter(f"{url}/routing/v1/") as router:
        return [provider async for provider in router.find_providers(CONTENT)]


async def test_an_old_server_that_knows_nothing_says_404() -> None:
    assert await providers_of(web.Response(status=404)) == []


async def test_a_document_is_read_where_a_stream_was_asked_for() -> None:
    document = {"Providers": [PeerRecord(ALICE, (HERE,)).to_json(), {"Schema": "new"}, None]}
    assert await providers_of(web.json_response(document)) == [Provider(ALICE, (HERE,))]


async def test_lines_without_an_end_and_empty_ones_are_read() -> None:
    line = json.dumps(PeerRecord(ALICE).to_json())
    answer = web.Response(text=f"\n{line}\n\n{line}", content_type="application/x-ndjson")
    assert await providers_of(answer) == [Provider(ALICE, ())] * 2


async def test_of_an_endless_answer_only_so_many_are_taken() -> None:
    line = json.dumps(PeerRecord(ALICE).to_json()) + "\n"
    answer = web.Response(text=line * (MAX_PEERS + 5), content_type="application/x-ndjson")
    assert len(await providers_of(answer)) == MAX_PEERS


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(status=429),
        lambda: web.Response(text="{", content_type="application/x-ndjson"),
        lambda: web.Response(text="<html>", content_type="application/json"),
        lambda: web.Response(body=b" " * (2 * MAX_RECORD + 1), content_type="application/x-ndjson"),
    ],
    ids=["broken", "busy", "half a line", "no JSON", "a line without end"],
)
async def test_answers_that_are_none_are_errors(answer: object) -> None:
    with pytest.raises((TransportError, WireError)):
        await providers_of(answer())


async def test_nobody_there_is_an_error_that_names_the_server() -> None:
    async with serving(handler_of(api())) as url:
        pass
    async with DelegatedRouter(url) as router:
        with pytest.raises(TransportError, match=r"^127\.0\.0\.1: "):
            await router.find_peer(ALICE)


@pytest.mark.parametrize("url", ["", "127.0.0.1", "ftp://example.com", "http://"])
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(LocalProtocolError):
        DelegatedRouter(url)


async def test_it_is_to_be_entered_first() -> None:
    with pytest.raises(ZwermError, match="not entered"):
        await DelegatedRouter("http://127.0.0.1:1").find_peer(ALICE)
