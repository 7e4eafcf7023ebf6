"""Attacks on the service, over real sockets: nobody gets in, others notice nothing, and what was promised is kept."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.calls.caller import Caller, CallError, eventually, people
from zwerm.calls.identity import fingerprint_statement, greeting, verify
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.daemon.calls import carriers, handler

SCRIPT = "<script>alert(1)</script>"
PRINT = "sha-256 " + ":".join(["AB"] * 32)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


async def refusal(asked: Any) -> str:
    with pytest.raises(CallError) as caught:
        await asked
    return str(caught.value.code)


# Pages of other sites.


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["origin", "null", "fetch"],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "events"), ("POST", "send"), ("POST", "load"), ("GET", "socket")])
async def test_a_page_of_another_site_gets_no_stream_and_posts_nothing(
    store: Path, method: str, path: str, headers: dict[str, str]
) -> None:
    async with people(store) as everybody:
        base = f"http://{everybody.server.where}/api/calls/v1"
        async with everybody.http.request(method, f"{base}/{path}", data=b"{}", headers=headers) as answer:
            assert answer.status == 403
            assert (await answer.json())["error"]["code"] == "origin"
            assert "Access-Control-Allow-Origin" not in answer.headers
        assert everybody.server.service.statistics()["connections"] == 0


async def test_a_stream_cannot_be_written_to_by_who_does_not_know_its_secret(store: Path) -> None:
    async with people(store) as everybody:
        base = f"http://{everybody.server.where}/api/calls/v1"
        async with everybody.http.get(f"{base}/events") as stream:
            await stream.content.readuntil(b"welcome")
            for given in ("", "x" * 32, "None"):
                async with everybody.http.post(
                    f"{base}/send", data=b"nonsense", headers={handler.CONNECTION: given}
                ) as answer:
                    assert answer.status == 404
            assert everybody.server.service.statistics()["connections"] == 1


# Links, mails and pages that are asked for in bulk.


async def test_links_of_rooms_cannot_be_guessed_by_who_is_inside_either(store: Path) -> None:
    config = CallsConfig(guesses=Rate(3, 0.001), messages=Rate(100, 100.0))
    async with people(store, config) as everybody:
        ann = await everybody.user("ann")
        room = await ann.ask("room-open", title="Friday", waiting=False)
        codes = [await refusal(ann.ask("room-join", link=f"{n}" * 32, label="Ann")) for n in range(4)]
        assert codes == ["bad-link"] * 3 + ["too-many-guesses"]
        assert await refusal(ann.ask("room-join", link=room["link"], label="Ann")) == "too-many-guesses"
        assert len(room["link"]) >= 32  # 192 bits


async def test_strangers_of_one_network_share_its_limits(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(1, 100))
    monkeypatch.setattr("zwerm.daemon.http.exchange.Exchange.peer", property(lambda _: f"2001:db8::{next(numbers):x}"))
    async with people(store, CallsConfig(guesses=Rate(3, 0.001), strangers=Rate(100, 1.0))) as everybody:
        codes = []
        for number in range(5):
            eve = await everybody.stranger()
            codes.append(await refusal(eve.ask("redeem", token=f"{number}" * 43, key=eve.key, label="Eve")))
        assert codes == ["bad-link"] * 3 + ["too-many-guesses"] * 2


async def test_ten_thousand_knocks_fill_neither_the_door_nor_the_hosts_list(store: Path) -> None:
    config = CallsConfig(waiting=10, messages=Rate(100_000, 100_000.0), guests_of_host=12)
    async with people(store, config) as everybody:
        host = await everybody.user("host")
        room = await host.ask("room-open", title="Friday", waiting=True)
        await host.ask("room-join", link=room["link"], label="Host")
        guests = [await everybody.stranger(f"Guest {number}") for number in range(12)]
        for guest in guests:
            await guest.come_as_guest(room["link"])
        assert await refusal((await everybody.stranger()).come_as_guest(room["link"])) == "full"
        outcomes: dict[str, int] = {}

        async def knock(guest: Caller) -> None:
            for _ in range(840):
                try:
                    outcome = (await guest.ask("room-join", link=room["link"], label="Gus"))["state"]
                except CallError as error:
                    outcome = error.code
                outcomes[outcome] = outcomes.get(outcome, 0) + 1

        await asyncio.gather(*map(knock, guests))
        assert set(outcomes) == {"waiting", "room-full", "too-fast"}
        assert outcomes["waiting"] < 300
        told = [event["who"]["member"] for event in host.all if event["type"] == "room-member"]
        assert len(told) == outcomes["waiting"]
        assert len(set(told)) == 10


# What is sent slowly, or never read.


async def test_a_post_that_comes_byte_by_byte_is_given_up(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "POSTED_WITHIN", 0.3)
    async with people(store) as everybody:
        base = f"http://{everybody.server.where}/api/calls/v1"
        async with everybody.http.get(f"{base}/events") as stream:
            first = await stream.content.readuntil(b"\n\n")
            secret = json.loads(first.partition(b"data: ")[2])["connection"]
            host, _, port = everybody.server.where.partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST /api/calls/v1/send HTTP/1.1\r\nHost: {everybody.server.where}\r\n"
                f"{handler.CONNECTION}: {secret}\r\nContent-Length: 100000\r\n\r\n".encode()
            )

            async def drip() -> None:
                while True:
                    writer.write(b" ")
                    await asyncio.sleep(0.02)

            dripping = asyncio.create_task(drip())
            async with asyncio.timeout(20):
                assert b" 408 " in await reader.readline()
            dripping.cancel()
            writer.close()


async def test_a_post_to_no_stream_is_answered_before_its_body_is_read(store: Path) -> None:
    async with people(store) as everybody:
        host, _, port = everybody.server.where.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /api/calls/v1/send HTTP/1.1\r\nHost: {everybody.server.where}\r\n"
            f"Content-Length: 100000\r\n\r\n".encode()
        )
        async with asyncio.timeout(20):
            assert b" 404 " in await reader.readline()
        writer.close()


async def test_a_post_without_end_is_not_read_to_its_end(store: Path) -> None:
    async with people(store) as everybody:
        base = f"http://{everybody.server.where}/api/calls/v1"
        async with everybody.http.get(f"{base}/events") as stream:
            first = await stream.content.readuntil(b"\n\n")
            secret = json.loads(first.partition(b"data: ")[2])["connection"]
            headers = {handler.CONNECTION: secret}
            async with everybody.http.post(f"{base}/send", data=b" " * (handler.MAX_POST + 1), headers=headers) as end:
                assert end.status == 413


async def test_a_stream_that_nobody_reads_is_cut_off(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "STALL", 0.2)
    async with people(store, CallsConfig(greeting=3_600.0)) as everybody:
        host, _, port = everybody.server.where.partition(":")
        _, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(f"GET /api/calls/v1/events HTTP/1.1\r\nHost: {everybody.server.where}\r\n\r\n".encode())
        service = everybody.server.service
        await eventually(lambda: service.statistics()["connections"] == 1)
        (client,) = service._clients.values()
        for _ in range(400):
            client.say('{"type":"ping","x":"' + "x" * 50_000 + '"}')
        await eventually(lambda: service.statistics()["connections"] == 0)
        writer.close()


# Messages of somebody else, or from another time.


async def test_a_greeting_that_was_overheard_opens_nothing(store: Path) -> None:
    async with people(store) as everybody:
        ann, eve = await everybody.stranger(), await everybody.stranger()
        await ann.register("ann")
        overheard = ann.sign(greeting(everybody.server.where, ann.welcome["nonce"], ann.device))
        assert await refusal(eve.ask("hello", device=ann.device, signature=overheard)) == "not-known"
        elsewhere = ann.sign(greeting("other.example", eve.welcome["nonce"], ann.device))
        assert await refusal(eve.ask("hello", device=ann.device, signature=elsewhere)) == "not-known"
        right = ann.sign(greeting(everybody.server.where, eve.welcome["nonce"], ann.device))
        assert (await eve.ask("hello", device=ann.device, signature=right))["name"] == "ann"


async def test_a_ring_that_is_sent_twice_rings_once(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        ring = {"type": "ring", "id": 7, "to": "bob", "media": ["audio"]}
        await ann.send(ring)
        await ann.until(lambda: 7 in ann.results)
        first = ann.results.pop(7)
        await ann.send(ring)
        await ann.until(lambda: 7 in ann.results)
        assert ann.results.pop(7) == first
        await ann.ask_as(8, "cancel", call=first["value"]["call"])
        await bob.event("ended")
        assert [event["type"] for event in bob.all] == ["ringing", "ended"]


async def test_the_service_cannot_put_its_own_certificate_into_a_call(store: Path) -> None:
    """Who is in between changes the fingerprint, the call, the direction or the key: none of it is signed."""
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing")
        key = (await bob.ask("answer", call=call))["from"]["key"]
        said = fingerprint_statement(call, ann.endpoint, bob.endpoint, [PRINT])
        signature = ann.sign(said)
        await ann.event("answered")
        await ann.ask(
            "signal", call=call, to=bob.endpoint, data=json.dumps({"prints": [PRINT], "signature": signature})
        )
        event = await bob.event("signal")
        assert event["from"] == ann.endpoint
        assert verify(key, json.loads(event["data"])["signature"], said)
        evil = PRINT.replace("AB", "CD")
        for forged in (
            fingerprint_statement(call, ann.endpoint, bob.endpoint, [evil]),
            fingerprint_statement(call, ann.endpoint, bob.endpoint, [PRINT, evil]),
            fingerprint_statement("other", ann.endpoint, bob.endpoint, [PRINT]),
            fingerprint_statement(call, bob.endpoint, ann.endpoint, [PRINT]),
        ):
            assert not verify(key, signature, forged)
        assert not verify(bob.key, signature, said)


async def test_nobody_signals_in_the_name_of_somebody_else(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing")
        await bob.ask("answer", call=call)
        await ann.send_text(
            json.dumps({"type": "signal", "id": 9, "call": call, "to": bob.endpoint, "data": "x", "from": bob.endpoint})
        )
        assert await ann.closed() == "bad-message"  # a field that the schema does not have
        assert not [event for event in bob.all if event["type"] == "signal"]


@pytest.mark.parametrize("path", [f"/api/calls/v1/{SCRIPT}", "/api/calls/v1/send", f"/api/calls/v1/events/{SCRIPT}"])
async def test_what_a_request_says_is_never_answered_as_a_page(store: Path, path: str) -> None:
    async with (
        people(store) as everybody,
        everybody.http.post(
            f"http://{everybody.server.where}{path}", data=SCRIPT, headers={handler.CONNECTION: SCRIPT}
        ) as answer,
    ):
        assert answer.content_type == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_markup_in_names_and_lines_stays_text_of_json(store: Path) -> None:
    async with people(store) as everybody:
        for evil in (SCRIPT, "Ann", "a\u202enn", "a b", "a/../b"):
            eve = await everybody.stranger()
            await eve.send_text(json.dumps({"type": "register", "id": 1, "name": evil, "key": eve.key, "label": "x"}))
            assert await eve.closed() == "bad-message"
        ann, bob = await everybody.user("ann"), await everybody.user("bob")
        room = await ann.ask("room-open", title=SCRIPT, waiting=False)
        for each in (ann, bob):
            await each.ask("room-join", link=room["link"], label=f"{SCRIPT}")
        await ann.ask("room-say", room=room["room"], text=f"{SCRIPT}\n</script>&amp;")
        assert (await bob.event("room-said"))["text"] == f"{SCRIPT}\n</script>&amp;"
        for label in ("a\u202eb", "\x00", "a\nb", " "):
            eve = await everybody.stranger()
            await eve.send_text(
                json.dumps({"type": "redeem", "id": 1, "token": "x" * 43, "key": eve.key, "label": label})
            )
            assert await eve.closed() == "bad-message"


# Two things at the same moment.


async def test_a_call_comes_in_while_one_is_in_a_room_and_the_room_goes_on(store: Path) -> None:
    async with people(store) as everybody:
        ann, bob, cid = await everybody.user("ann"), await everybody.user("bob"), await everybody.user("cid")
        room = await bob.ask("room-open", title="Friday", waiting=False)
        for each in (bob, cid):
            await each.ask("room-join", link=room["link"], label=str(each.name))
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await bob.event("ringing", call=call)
        await bob.ask("answer", call=call)
        await ann.event("answered", call=call)
        await cid.ask("signal", room=room["room"], to=bob.endpoint, data="still here")
        assert (await bob.event("signal"))["room"] == room["room"]
        assert await refusal(ann.ask("signal", call=call, to=cid.endpoint, data="hello")) == "not-yours"
        await ann.ask("hang-up", call=call)
        await bob.event("ended", call=call)
        await cid.ask("room-say", room=room["room"], text="and on")
        assert (await bob.event("room-said"))["text"] == "and on"
