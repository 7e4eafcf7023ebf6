"""Clients that mean harm, and a service in trouble: one clear message, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from tests.daemon.calls.caller import Caller, CallError, People, eventually, people
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.calls.message import MAX_MESSAGE
from zwerm.daemon.calls import carriers


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def still_works(everybody: People, ann: Caller) -> None:
    bob = await everybody.user("bob")
    call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
    await bob.event("ringing", call=call)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[" * 60_000,
        '{"type":"me","id":' + "9" * 60_000 + "}",
        '{"type":"nonsense","id":1}',
        '{"type":"ring","id":1}',
    ],
    ids=["cut off", "deep", "long number", "unknown", "fields missing"],
)
async def test_what_is_no_message_closes_this_connection_only(store: Path, text: str) -> None:
    async with people(store) as everybody:
        ann, eve = await everybody.user("ann"), await everybody.stranger()
        await eve.send_text(text)
        assert await eve.closed() == "bad-message"
        await still_works(everybody, ann)


async def test_a_gigantic_message_is_not_read_to_its_end(store: Path) -> None:
    async with people(store) as everybody:
        ann, eve = await everybody.user("ann"), await everybody.stranger()
        await eve.send_text('{"type":"me","id":"' + "x" * (4 * MAX_MESSAGE))
        await eve.closed()
        await still_works(everybody, ann)


async def test_endless_fragments_are_cut_off(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        host, _, port = everybody.server.where.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /api/calls/v1/socket HTTP/1.1\r\nHost: {everybody.server.where}\r\n".encode()
            + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + b"Sec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        fragment = bytes([0x01, 0x80 | 126]) + (60_000).to_bytes(2, "big") + bytes(4) + b" " * 60_000
        going_on = bytes([0x00]) + fragment[1:]
        try:
            writer.write(fragment)
            for _ in range(1_000):
                writer.write(going_on)
                await writer.drain()
        except ConnectionError:
            pass
        else:
            async with asyncio.timeout(20):
                await reader.read()
        writer.close()
        await still_works(everybody, ann)


async def test_pages_of_other_sites_are_refused_unless_they_are_named(store: Path) -> None:
    async with people(store, origins=("https://friend.example",)) as everybody:
        url, http = everybody.server.socket_url, everybody.http
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await http.ws_connect(url, headers=headers)
            assert caught.value.status == 403
        for origin in ("https://friend.example", f"http://{everybody.server.where}"):
            await everybody.stranger(Origin=origin)
        post = f"http://{everybody.server.where}/api/calls/v1/send"
        async with http.post(post, data=b"{}", headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403


async def pour(ann: Caller, call: str, to: str) -> None:
    """Say more than anybody keeps for somebody else."""
    for _ in range(2_000):
        await ann.ask("signal", call=call, to=to, data="x" * 40_000)


async def test_a_socket_that_never_reads_is_cut_off_and_the_sender_goes_on(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "STALL", 0.2)
    generous = Rate(10_000, 10_000.0)
    async with people(store, CallsConfig(kept_events=200, messages=generous)) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing")
        await bob.ask("answer", call=call)
        await bob.finish_without_closing()
        with pytest.raises(CallError, match=r"gone|no-such-call"):
            await pour(ann, call, bob.endpoint)
        board = everybody.server.service.board
        assert board.sessions.of("bob") == []
        assert (await ann.event("ended"))["reason"] == "lost"
        await eventually(lambda: everybody.server.http.connections == 1)


async def test_a_flood_of_requests_is_slowed_down_and_no_faster_for_others(store: Path) -> None:
    async with people(store, CallsConfig(messages=Rate(5, 20.0))) as everybody:
        ann = await everybody.user("ann")
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(ann.ask("relay") for _ in range(15)))
        assert asyncio.get_running_loop().time() - began > 0.4


async def test_a_flood_of_strangers_is_limited_by_where_it_comes_from(store: Path) -> None:
    async with people(store, CallsConfig(unnamed_of_host=3, strangers=Rate(4, 0.01))) as everybody:
        strangers = [await everybody.stranger() for _ in range(3)]
        late = Caller(everybody.server, everybody.http, "late")
        late._socket = await everybody.http.ws_connect(everybody.server.socket_url)
        late._reader = asyncio.create_task(late._read(late._socket))
        everybody.callers.append(late)
        assert await late.closed() == "full"
        codes = []
        for number in range(6):
            with pytest.raises(CallError) as caught:
                await strangers[number % 3].ask("sign-in", email="ann@example.org")
            codes.append(caught.value.code)
        assert codes == ["no-mail"] * 4 + ["too-fast"] * 2


async def test_wrong_signatures_are_counted_and_right_ones_are_not(store: Path) -> None:
    async with people(store, CallsConfig(greetings=Rate(3, 0.001), strangers=Rate(5, 0.001))) as everybody:
        ann = await everybody.user("ann")
        for _ in range(8):
            await ann.connect()
            await ann.hello()
        eve, codes = await everybody.stranger(), []
        for _ in range(5):
            with pytest.raises(CallError) as caught:
                await eve.ask("hello", device="d_nobody", signature="s" * 86)
            codes.append(caught.value.code)
        assert codes == ["not-known"] * 3 + ["too-fast"] * 2


async def test_whoever_does_not_say_who_they_are_has_to_leave(store: Path) -> None:
    async with people(store, CallsConfig(greeting=0.1)) as everybody:
        assert await (await everybody.stranger()).closed() == "sign-in"


async def test_a_locked_database_is_said_and_nothing_was_acknowledged(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        other = sqlite3.connect(store, isolation_level=None)
        try:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(CallError) as caught:
                await ann.ask("ring", to="bob", media=["audio"])
            assert caught.value.code == "try-again"
            assert bob.events == []
            other.execute("ROLLBACK")
        finally:
            other.close()
        await ann.ask("ring", to="bob", media=["audio"])
        await bob.event("ringing")
        assert len((await ann.ask("history"))["calls"]) == 1


async def test_acknowledging_what_was_never_sent_ends_the_connection(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        await ann.send({"type": "ack", "seq": 1_000})
        assert await ann.closed() == "bad-message"


async def test_server_sent_events_and_posts_do_what_a_socket_does(store: Path) -> None:
    async with people(store) as everybody:
        ann = await everybody.user("ann")
        base = f"http://{everybody.server.where}/api/calls/v1"
        async with everybody.http.get(f"{base}/events") as stream:
            lines = stream.content

            async def data() -> dict[str, object]:
                while not (line := (await lines.readline()).decode()).startswith("data: "):
                    assert line
                return dict(json.loads(line[6:]))

            connection = str((await data())["connection"])
            assert (await data())["type"] == "welcome"
            headers = {"X-Zwerm-Connection": connection}
            key = ann.key
            text = json.dumps({"type": "register", "id": 1, "name": "bob", "key": key, "label": "Bob"})
            more = json.dumps({"type": "me", "id": 2})
            async with everybody.http.post(f"{base}/send", data=f"{text}\n{more}\n", headers=headers) as answer:
                assert answer.status == 204
            assert (await data())["re"] == 1
            refused = await data()
            assert (refused["re"], refused["code"]) == (2, "sign-in")
        async with everybody.http.post(f"{base}/send", data="{}", headers={"X-Zwerm-Connection": "x"}) as answer:
            assert answer.status == 404
        async with everybody.http.get(f"{base}/schema.json") as answer:
            assert (await answer.json(content_type=None))["title"].startswith("zwerm calls")
        async with everybody.http.get(f"{base}/nothing") as answer:
            assert answer.status == 404
        await eventually(lambda: everybody.server.service.statistics()["connections"] == 1)
