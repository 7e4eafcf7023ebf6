"""One connection to the service: from the first word to the session, and its requests in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from zwerm.calls.limits import Refused
from zwerm.calls.message import Message, parse_request, serialize
from zwerm.calls.sessions import Party, Session
from zwerm.core.errors import StorageError, WireError

if TYPE_CHECKING:
    from zwerm.calls.service.aio import CallsService

log = logging.getLogger("zwerm.calls")

Answer: TypeAlias = Callable[["Client", Message], Awaitable[dict[str, Any]]]

ANSWERS: Final[dict[str, Answer]] = {}  # by type of request
OPEN: Final[set[str]] = set()  # those that need no session
COUNTED: Final[set[str]] = set()  # those that a stranger may do only so often
MAX_PAUSE: Final = 5.0  # seconds that a client which is too fast is made to wait before its next message


def request(kind: str, *, is_open: bool = False, is_counted: bool = False) -> Callable[[Answer], Answer]:
    """Enter a function into the table of requests."""

    def enter(function: Answer) -> Answer:
        ANSWERS[kind] = function
        if is_open:
            OPEN.add(kind)
        if is_counted:
            COUNTED.add(kind)
        return function

    return enter


class Wire(Protocol):
    """What carries the texts of one connection. Neither call waits or raises."""

    def wake(self) -> None:
        """There may be something to send: ask `Client.next_text` until it gives None."""
        ...

    def cut(self, code: str, what: str) -> None:
        """Say why, then close."""
        ...


class Client:
    """One connection. Give it each text in order, then `ended`."""

    def __init__(self, service: CallsService, name: str, wire: Wire, *, host: str, peer: str, nonce: str) -> None:
        self.service = service
        self.name = name
        self.wire = wire
        self.host = host  # under which the service was reached
        self.peer = peer  # the address of the other end; limits of strangers count by it
        self.nonce = nonce
        self.session: Session | None = None
        self.challenge: bytes | None = None  # that a passkey is to sign
        self._texts: list[str] = []  # for who has no session

    @property
    def party(self) -> Party:
        """Who is there.

        Raises:
            Refused: nobody who said who they are.
        """
        if self.session is None:
            raise Refused("sign-in", "Say who you are first")
        return self.session.party

    @property
    def user(self) -> tuple[str, str]:
        """Id and name of the account. Raises a `Refused` for guests."""
        if self.session is None or self.session.user is None or self.session.party.name is None:
            raise Refused("sign-in", "This needs an account")
        return self.session.user, self.session.party.name

    async def receive(self, text: str | bytes) -> None:
        """Take one message. Nothing that is in it makes this raise."""
        try:
            message = parse_request(text)
        except WireError as error:
            self.wire.cut("bad-message", str(error)[:300])
            return
        if self.session is not None:
            self.service.board.sessions.heard(self.session.party.device, self.service.now())
        kind = message["type"]
        if kind == "pong":
            return
        if kind == "ack":
            self._acknowledge(message["seq"])
            return
        await self._slow_down()
        await self._answer(kind, message["id"], message)
        self.service.settle()

    def _acknowledge(self, number: int) -> None:
        try:
            if self.session is not None:
                self.session.mailbox.acknowledge(number)
        except WireError as error:
            self.wire.cut("bad-message", str(error)[:300])

    async def _slow_down(self) -> None:
        """Let a session that asks too much wait; what it sends meanwhile waits in the network."""
        if self.session is None:
            return
        service = self.service
        wait = self.session.rates.take("messages", "", service.config.messages, service.now())
        if wait:
            await asyncio.sleep(min(wait, MAX_PAUSE))
            self.session.rates.take("messages", "", service.config.messages, service.now())

    async def _answer(self, kind: str, number: int, message: Message) -> None:
        session = self.session
        if session is not None:
            if number <= session.heard:  # sent again after a break: it was done, or is being done
                if (kept := session.results.get(number)) is not None:
                    self.service.board.sessions.answer(session, None, kept)
                return
            session.heard = number
        try:
            reply = {"type": "result", "re": number, "value": await self._value(kind, message)}
        except Refused as error:
            reply = {"type": "error", "re": number, "code": error.code, "what": str(error)}
            if error.wait is not None:
                reply["wait"] = error.wait
        except WireError as error:
            reply = {"type": "error", "re": number, "code": "bad-message", "what": str(error)[:300]}
        except StorageError as error:
            log.warning("%s failed: %s", kind, error)
            what = "The service cannot write at the moment; try again"
            reply = {"type": "error", "re": number, "code": "try-again", "what": what, "wait": 5.0}
        except Exception:
            log.exception("%s failed", kind)
            reply = {"type": "error", "re": number, "code": "internal", "what": "A bug in zwerm; its log says where"}
        text = serialize(reply)
        if session is not None:
            self.service.board.sessions.answer(session, number, text)
        else:
            self.say(text)

    async def _value(self, kind: str, message: Message) -> dict[str, Any]:
        if kind in COUNTED:
            service = self.service
            rate, now = service.config.strangers, service.now()
            service.board.rates.spend("strangers", self.peer, rate, now, "too-fast", "Too many requests from there")
        elif kind not in OPEN and self.session is None:
            raise Refused("sign-in", "Say who you are first")
        if (answer := ANSWERS.get(kind)) is None:
            raise Refused("not-there", f"This service does not do {kind}")
        if self.session is not None and (home := self.service.several.home_of(message)) is not None:
            return await self.service.several.ask(home, self.session.party, self.session.user, self.peer, message)
        return await answer(self, message)

    def say(self, text: str) -> None:
        """Send to whoever is there, with or without a session; it is not kept."""
        self._texts.append(text)
        self.wire.wake()

    def next_text(self) -> str | None:
        """What to send next; None when there is nothing now."""
        if self._texts:
            return self._texts.pop(0)
        session = self.session
        if session is None or session.connection != self.name:
            return None
        return self.service.board.sessions.next_text(session.party.device, self.service.now())

    def enter(self, session: Session) -> None:
        """Carry this session from now on."""
        self.session = session
        self.service.named(self)

    def ended(self) -> None:
        """The connection is over."""
        self.service.forget(self)


class Visitor:
    """Somebody of another process, for the functions that answer requests."""

    def __init__(self, service: CallsService, party: Party, user: str | None, peer: str) -> None:
        self.service = service
        self.party = party
        self.peer = peer
        self._user = user

    @property
    def user(self) -> tuple[str, str]:
        """Id and name of the account. Raises a `Refused` for guests."""
        if self._user is None or self.party.name is None:
            raise Refused("sign-in", "This needs an account")
        return self._user, self.party.name
