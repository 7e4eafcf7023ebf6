"""Fetching somebody who is away: a push message to their browsers, a mail where that fails or is not set up.

What is to be sent is in the store before the ring is answered, and stays there until it was taken: when the push
service or the mail server is down, and when this process is killed, it is tried again. The caller is told how it goes.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import secrets
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final, Protocol

from zwerm.calls.mail import letter
from zwerm.calls.mail.aio import MailFailed, MailRefused
from zwerm.calls.push.aio import PushFailed, SubscriptionGone
from zwerm.calls.store import accounts, notices
from zwerm.calls.store.accounts import User
from zwerm.calls.store.notices import Notice, Subscription
from zwerm.core.errors import StorageError

if TYPE_CHECKING:
    from zwerm.calls.service.aio import CallsService

log = logging.getLogger("zwerm.calls")

MAIL_LIFETIME: Final = 86_400.0  # seconds that a mail is tried
FIRST_PAUSE: Final = {"mail": 10.0, "push": 2.0}  # seconds after the first failure, doubled after each
LONGEST_PAUSE: Final = 3_600.0
AT_ONCE: Final = 16  # messages on their way


class Mailer(Protocol):
    """Sends mails."""

    sender: str

    async def send(self, letter: EmailMessage) -> None: ...


class Pusher(Protocol):
    """Sends push messages."""

    schemes: tuple[str, ...]

    def use_key(self, key: str) -> str: ...

    async def send(self, to: Subscription, message: dict[str, Any], *, lifetime: int, topic: str) -> None: ...

    async def close(self) -> None: ...


class Fetching:
    """The mails and push messages of one process."""

    def __init__(self, service: CallsService, mailer: Mailer | None, pusher: Pusher | None) -> None:
        self._service = service
        self._mailer = mailer
        self._pusher = pusher
        self.push_key: str | None = None  # what browsers subscribe to
        self._pending: dict[str, asyncio.Task[None]] = {}  # by notice
        self._of_call: dict[str, set[str]] = {}  # notices by the call they are about
        self._slots = asyncio.Semaphore(AT_ONCE)

    @property
    def has_mail(self) -> bool:
        return self._mailer is not None

    @property
    def push_schemes(self) -> tuple[str, ...]:
        return self._pusher.schemes if self._pusher is not None else ()

    async def start(self) -> None:
        """Get ready to send."""
        if self._pusher is not None:
            self.push_key = self._pusher.use_key(await self._service.push_keys())

    async def take_up(self, process: str | None) -> None:
        """Send what another process left; of all, when none is named."""
        for notice in await self._service.database.run(notices.waiting, process):
            if notice.id not in self._pending:
                self._begin(notice)

    async def close(self) -> None:
        """Stop; what was not sent stays in the store."""
        tasks = list(self._pending.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._pusher is not None:
            await self._pusher.close()

    def _name(self) -> str:
        return f"n_{self._service.process}.{secrets.token_hex(12)}"

    def url_of(self, kind: str, secret: str) -> str:
        """The address of the page that takes a link. The secret stands behind the #, where no server's log sees it."""
        origin = self._service.options.origin.rstrip("/")
        return f"{origin}/#/rooms/{secret}" if kind == "room" else f"{origin}/#/calls/link/{secret}"

    async def mail_link(self, user: User, kind: str, secret: str, to: str | None = None) -> None:
        """Send a link to an account's address, or to a new one; kept until the mail server takes it."""
        now = self._service.wall()
        body = {"kind": kind, "secret": secret, "to": to or user.email, "name": user.name, "language": user.language}
        notice = Notice(self._name(), user.id, "mail", None, body, 0, now, now + MAIL_LIFETIME)
        await self._service.database.run(notices.put, [notice])
        self._begin(notice)

    async def prepare(self, user: User, caller: str, call: str) -> list[Notice]:
        """Return what to send for a call, to be kept in the store with it; nothing when the limits are reached."""
        service, now = self._service, self._service.wall()
        found = await service.database.run(notices.subscriptions_of, user.id) if self._pusher is not None else []
        rates, config, clock = service.board.rates, service.config, service.now()
        if found and not rates.take("pushes-to", user.name, config.pushes_to, clock):
            expires = now + config.ring_away
            return [
                Notice(
                    self._name(),
                    user.id,
                    "push",
                    call,
                    {"to": dataclasses.asdict(each), "caller": caller, "name": user.name},
                    0,
                    now,
                    expires,
                )
                for each in found
            ]
        mail = self._mail_about(user, caller, call)
        return [mail] if mail is not None else []

    def _mail_about(self, user: User, caller: str, call: str) -> Notice | None:
        """A mail that fetches somebody; None when there is no address, or there were too many."""
        service, now = self._service, self._service.wall()
        if self._mailer is None or user.email is None:
            return None
        rates, config, clock = service.board.rates, service.config, service.now()
        if rates.is_empty("mails-to", user.email, config.mails_to, clock):
            return None
        if rates.take("mails-by", caller, config.mails_by, clock):
            return None
        rates.take("mails-to", user.email, config.mails_to, clock)
        body = {
            "kind": "call",
            "to": user.email,
            "name": user.name,
            "caller": caller,
            "language": user.language,
        }
        return Notice(self._name(), user.id, "mail", call, body, 0, now, now + MAIL_LIFETIME)

    def send(self, new: list[Notice]) -> None:
        """Begin to send what is in the store."""
        for notice in new:
            self._begin(notice)

    def drop(self, new: list[Notice]) -> None:
        """Forget what was prepared and is not needed."""
        for notice in new:
            self._service.spawn(self._service.database.run(notices.done, notice.id))

    def no_longer(self, call: str, *, missed: bool) -> None:
        """A call is over: whoever missed it still hears of it by mail, and a push message comes too late."""
        for name in list(self._of_call.get(call, ())):
            task = self._pending.get(name)
            if task is not None and not (missed and task.get_name().startswith("mail")):
                task.cancel()
                self._service.spawn(self._service.database.run(notices.done, name))

    def _begin(self, notice: Notice) -> None:
        if notice.call is not None:
            self._of_call.setdefault(notice.call, set()).add(notice.id)
        task = asyncio.get_running_loop().create_task(self._deliver(notice), name=f"{notice.kind} {notice.id}")
        self._pending[notice.id] = task
        task.add_done_callback(lambda _: self._over(notice))

    def _over(self, notice: Notice) -> None:
        self._pending.pop(notice.id, None)
        if notice.call is not None and (mine := self._of_call.get(notice.call)) is not None:
            mine.discard(notice.id)
            if not mine:
                del self._of_call[notice.call]

    async def _deliver(self, notice: Notice) -> None:
        """Try until it is taken, or its time is over. The clock may jump meanwhile."""
        service, run = self._service, self._service.database.run
        state, tries = "failed", notice.tries
        given_up = service.now() + min(notice.expires - service.wall(), MAIL_LIFETIME)
        wait = min(notice.due - service.wall(), _pause(notice.kind, tries) if tries else 0.0)
        while True:
            if wait > 0:
                await asyncio.sleep(wait)
            if service.now() >= given_up:
                break
            try:
                async with self._slots:
                    await (self._mail(notice) if notice.kind == "mail" else self._push(notice))
                state = "mailed" if notice.kind == "mail" else "pushed"
                break
            except (MailRefused, SubscriptionGone) as error:
                log.info("%s: %s", notice.kind, error)
                break
            except (MailFailed, PushFailed, StorageError) as error:
                log.warning("%s, try %d: %s", notice.kind, tries + 1, error)
                tries += 1
                wait = _pause(notice.kind, tries)
                notice = dataclasses.replace(notice, tries=tries, due=service.wall() + wait)
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError from error  # the mail library makes a failure of being cancelled
                await self._failed_once(notice)
        await run(notices.done, notice.id)
        await self._tell(notice, state)

    async def _failed_once(self, notice: Notice) -> None:
        """It did not go: remember when it is tried again, say so, and let a mail do it when a push message cannot."""
        try:
            await self._service.database.run(notices.put_off, notice.id, notice.tries, notice.due)
        except StorageError as error:
            log.warning("%s", error)
        if notice.kind == "push" and notice.tries == 1 and await self._mail_instead(notice):
            return
        await self._tell(notice, "retrying")

    async def _tell(self, notice: Notice, state: str) -> None:
        """Say to the caller how it went."""
        if notice.call is None:
            return
        board = self._service.board
        if state == "failed":
            others = self._of_call.get(notice.call, set()) - {notice.id}
            if others or (notice.kind == "push" and await self._mail_instead(notice)):
                return
        event = {"type": "progress", "call": notice.call, "state": state, "by": notice.kind}
        board.calls.tell_caller(notice.call, event)
        if state == "failed":
            board.calls.no_longer_fetched(notice.call)
        self._service.settle()

    async def _mail_instead(self, push: Notice) -> bool:
        """Send a mail for a push message that failed; False when there is none to send, or one is on its way."""
        if push.call is None or not self._service.board.calls.is_open(push.call):
            return False
        if any(self._pending[name].get_name().startswith("mail") for name in self._of_call.get(push.call, ())):
            return False
        user = await self._service.database.run(accounts.find, name=push.body["name"])
        mail = self._mail_about(user, push.body["caller"], push.call) if user is not None else None
        if mail is None:
            return False
        await self._service.database.run(notices.put, [mail])
        self._begin(mail)
        return True

    async def _mail(self, notice: Notice) -> None:
        if self._mailer is None:
            raise MailRefused("there is no mail server any more")
        body, service = notice.body, self._service
        secret = body.get("secret")
        if secret is None:  # of a call: made now, so that it does not lie in the store
            secret = secrets.token_urlsafe(32)
            data = {"call": notice.call, "caller": body["caller"]}
            await service.database.run(accounts.add_link, secret, notice.user, "call", data, service.wall())
        url = self.url_of(body["kind"], secret)
        words = {"name": body["name"], "caller": body.get("caller", "")}
        await self._mailer.send(
            letter.write(body["kind"], body["language"], self._mailer.sender, body["to"], url, **words)
        )

    async def _push(self, notice: Notice) -> None:
        if self._pusher is None:
            raise SubscriptionGone("there are no push messages any more")
        to, service = Subscription(**notice.body["to"]), self._service
        message = {"type": "ringing", "call": notice.call, "caller": notice.body["caller"], "name": notice.body["name"]}
        lifetime = int(min(max(0.0, notice.expires - service.wall()), service.config.ring_away))
        topic = "".join(each for each in str(notice.call) if each.isalnum())[:32]
        try:
            await self._pusher.send(to, message, lifetime=lifetime, topic=topic)
        except SubscriptionGone:
            await service.database.run(notices.unsubscribe, to.endpoint)
            raise


def _pause(kind: str, tries: int) -> float:
    """Seconds until the next try."""
    return float(min(FIRST_PAUSE[kind] * 2 ** min(tries - 1, 20), LONGEST_PAUSE))
