"""Fetching people who are away, through a real mail server and a real push service; and both of them down."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.calls.caller import Caller, CallError, People, eventually, people
from tests.daemon.calls.fetchers import MailServer, PushService, mail_server, push_service
from zwerm.calls.limits import CallsConfig, Rate
from zwerm.calls.mail.aio import SmtpMailer
from zwerm.calls.push.aio import PushFailed, WebPush
from zwerm.calls.service import fetching
from zwerm.calls.sessions import Presence
from zwerm.calls.store.notices import Subscription, waiting


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_PAUSE", {"mail": 0.05, "push": 0.05})


def mailer(server: MailServer) -> SmtpMailer:
    return SmtpMailer(server.url, "calls@example.org")


def pusher() -> WebPush:
    return WebPush("mailto:admin@example.org", allow_private=True, schemes=("http://", "https://"))


async def confirmed(everybody: People, mails: MailServer, name: str, language: str = "en") -> Caller:
    """Somebody whose address is confirmed by the link that came."""
    caller = await everybody.stranger(f"{name}'s browser")
    await caller.ask(
        "register", name=name, email=f"{name}@example.org", language=language, key=caller.key, label=caller.label
    )
    mail, token = await mails.token()
    assert mail["To"] == f"{name}@example.org"
    await caller.redeem(token)
    await caller.hello()
    return caller


@contextlib.asynccontextmanager
async def town(
    store: Path, config: CallsConfig | None = None, **given: Any
) -> AsyncIterator[tuple[People, MailServer, PushService]]:
    """A service with mail and push."""
    async with contextlib.AsyncExitStack() as stack:
        mails = await stack.enter_async_context(mail_server())
        pushes = await stack.enter_async_context(push_service())
        given = {"mailer": mailer(mails), "pusher": pusher()} | given
        yield await stack.enter_async_context(people(store, config, **given)), mails, pushes


async def go_away(who: Caller, everybody: People) -> None:
    service, name = everybody.server.service, who.name or ""
    await who.close()
    await eventually(lambda: service.board.sessions.presence(name) is Presence.OFFLINE)


async def test_an_account_is_confirmed_by_mail_and_another_device_signs_in_by_mail(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann = await confirmed(everybody, mails, "ann")
        phone = await everybody.stranger("Telephone")
        await phone.ask("sign-in", email="Ann@Example.org")
        mail, token = await mails.token()
        assert mail["Subject"] == "Sign in as ann"
        await phone.redeem(token)
        await phone.hello()
        assert phone.name == "ann"
        await ann.event("account", what="devices")
        with pytest.raises(CallError) as caught:  # a link works once
            await (await everybody.stranger()).redeem(token)
        assert caught.value.code == "bad-link"


async def test_nobody_learns_which_addresses_have_accounts(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        await confirmed(everybody, mails, "ann")
        eve = await everybody.stranger()
        assert await eve.ask("sign-in", email="nobody@example.org") == {}
        fields = {"email": "ann@example.org", "key": eve.key, "label": "Eve"}
        assert await eve.ask("register", name="eve", **fields) == {}
        mail, _ = await mails.token()  # the owner of the address learns it, and can sign in
        assert (mail["To"], mail["Subject"]) == ("ann@example.org", "Sign in as ann")
        assert mails.mails.empty()


async def test_somebody_away_is_fetched_by_a_push_message_that_only_their_browser_reads(store: Path) -> None:
    async with town(store) as (everybody, mails, pushes):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await bob.ask("push-subscribe", **pushes.browser("bob").fields())
        key = bob.welcome["push"]
        await go_away(bob, everybody)
        answer = await ann.ask("ring", to="bob", media=["audio"])
        assert answer["state"] == "waiting"
        message, headers = await pushes.message()
        assert message == {"type": "ringing", "call": answer["call"], "caller": "ann", "name": "bob"}
        assert headers["key"] == key
        assert headers["urgency"] == "high"
        assert 0 < int(headers["ttl"]) <= 120
        assert (await ann.event("progress", state="pushed"))["by"] == "push"
        await bob.connect()
        await bob.hello()
        await bob.event("ringing", call=answer["call"])
        await ann.event("progress", state="ringing")
        await bob.ask("answer", call=answer["call"])
        await ann.event("answered")
        assert mails.mails.empty()


async def test_without_push_a_mail_fetches_them_and_its_link_joins(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob", "nl")
        await go_away(bob, everybody)
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        mail, token = await mails.token()
        assert mail["Subject"] == "ann wil met je praten"
        assert (await ann.event("progress", state="mailed"))["by"] == "mail"
        borrowed = await everybody.stranger("A computer in a library")
        joined = await borrowed.redeem(token)
        assert (joined["kind"], joined["call"], joined["caller"]) == ("call", call, "ann")
        await borrowed.hello()
        await borrowed.event("ringing", call=call)
        await borrowed.ask("answer", call=call)
        await ann.event("answered")


@pytest.mark.parametrize("status", [410, 404, 500, 429])
async def test_where_a_push_message_fails_a_mail_goes_out(store: Path, status: int) -> None:
    async with town(store) as (everybody, mails, pushes):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await bob.ask("push-subscribe", **pushes.browser("bob").fields())
        await go_away(bob, everybody)
        pushes.answers = [status]
        await ann.ask("ring", to="bob", media=["audio"])
        mail = await mails.mail()
        assert mail["Subject"] == "ann wants to talk to you"
        await ann.event("progress", state="mailed")
        if status in (404, 410):
            assert (await everybody.server.service.database.run(_endpoints)) == []
        else:
            await ann.event("progress", state="pushed")  # it was tried again


def _endpoints(connection: Any) -> list[Any]:
    from sqlalchemy import select

    from zwerm.calls.store.tables import subscriptions

    return list(connection.execute(select(subscriptions.c.endpoint)).all())


async def test_a_mail_server_that_is_down_is_said_and_tried_again(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        mails.answers = ["451 try later", "421 busy"]
        await ann.ask("ring", to="bob", media=["audio"])
        await ann.event("progress", state="retrying")
        await ann.event("progress", state="mailed")
        assert (await mails.mail())["To"] == "bob@example.org"
        assert await everybody.server.service.database.run(waiting) == []


async def test_what_was_not_sent_when_the_process_ended_is_sent_by_the_next_one(store: Path) -> None:
    async with mail_server() as mails:
        async with people(store, mailer=mailer(mails)) as everybody:
            ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
            await go_away(bob, everybody)
            mails.answers = ["451 not now"] * 1_000
            await ann.ask("ring", to="bob", media=["audio"])
            await ann.event("progress", state="retrying")
        mails.answers = []
        async with people(store, mailer=mailer(mails)):
            assert (await mails.mail())["Subject"] == "ann wants to talk to you"


async def test_a_mail_that_is_refused_for_good_ends_the_waiting(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        mails.answers = ["550 no such user"]
        await ann.ask("ring", to="bob", media=["audio"])
        await ann.event("progress", state="failed")
        await ann.event("ended", reason="unavailable")


async def test_mails_are_limited_for_each_address_and_then_nobody_is_fetched(store: Path) -> None:
    config = CallsConfig(linger=0.05, mails_to=Rate(3, 0.001), rings=Rate(50, 1.0), rings_at=Rate(50, 1.0))
    async with town(store, config) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        await eventually(lambda: not everybody.server.service.board.sessions.of("bob"))
        states = []
        for _ in range(4):
            answer = await ann.ask("ring", to="bob", media=["audio"])
            states.append(answer["state"])
            if answer["state"] == "waiting":
                await ann.event("progress", state="mailed")
                await ann.ask("cancel", call=answer["call"])
        assert states == ["waiting", "waiting", "ended", "ended"]  # the first mail confirmed the address
        eve = await everybody.stranger()
        with pytest.raises(CallError) as caught:
            await eve.ask("sign-in", email="bob@example.org")
        assert caught.value.code == "too-many-mails"


async def test_a_call_that_was_answered_is_not_mailed_about_any_more(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann, bob = await confirmed(everybody, mails, "ann"), await confirmed(everybody, mails, "bob")
        await go_away(bob, everybody)
        mails.answers = ["451 not now"] * 1_000
        call = (await ann.ask("ring", to="bob", media=["audio"]))["call"]
        await ann.event("progress", state="retrying")
        await bob.connect()
        await bob.hello()
        await bob.ask("answer", call=call)
        service = everybody.server.service
        await eventually(lambda: not service.fetching._pending and not service._tasks - {service.cleaner})
        assert await service.database.run(waiting) == []
        assert mails.mails.empty()


async def test_a_push_endpoint_inside_our_own_network_is_not_asked() -> None:
    push = WebPush("mailto:admin@example.org")
    async with push_service() as pushes:
        browser = pushes.browser("x")
        push.use_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE")
        port = pushes.url.rpartition(":")[2]
        for host in ("localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"):
            to = Subscription(f"http://{host}:{port}/x", browser.fields()["p256dh"], browser.fields()["auth"])
            with pytest.raises(PushFailed):
                await push.send(to, {}, lifetime=1, topic="t")
        assert pushes.attempts == 0
    await push.close()


async def test_only_https_endpoints_are_taken(store: Path) -> None:
    async with people(store, pusher=WebPush("mailto:admin@example.org")) as everybody:
        ann = await everybody.user("ann")
        for endpoint in ("http://push.example/x", "http://127.0.0.1/x"):
            with pytest.raises(CallError) as caught:
                await ann.ask("push-subscribe", endpoint=endpoint, p256dh=ann.key, auth="A" * 22)
            assert caught.value.code == "bad-endpoint"


async def test_a_new_address_counts_when_its_link_was_opened(store: Path) -> None:
    async with town(store) as (everybody, mails, _):
        ann = await confirmed(everybody, mails, "ann")
        await ann.ask("settings", email="new@example.org")
        mail, token = await mails.token()
        assert mail["To"] == "new@example.org"
        assert (await ann.ask("me"))["email"] == "ann@example.org"
        other = await everybody.stranger()
        await other.redeem(token)
        assert (await ann.ask("me"))["email"] == "new@example.org"
