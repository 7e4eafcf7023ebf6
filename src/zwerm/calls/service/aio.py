"""The service as it runs: switchboard, store, clock and connections in one place.

Requests come in through `Client`; after each, `settle` carries the switchboard's effects out: texts to connections,
rows to the store. What a request promised is in the store before it is answered.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import importlib
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from zwerm.calls.bus.aio import Bus
from zwerm.calls.limits import CallsConfig, Refused, network_of
from zwerm.calls.message import VERSION, request_types, serialize
from zwerm.calls.ringing import CallAnswered, CallEnded
from zwerm.calls.rooms import RoomChanged, RoomEnded, Said
from zwerm.calls.service.client import Client, Wire
from zwerm.calls.service.fetching import Fetching, Mailer, Pusher
from zwerm.calls.service.ledger import Ledger
from zwerm.calls.service.several import Several
from zwerm.calls.sessions import Cut, Wake
from zwerm.calls.store import accounts, history, rooms
from zwerm.calls.store.database import Database
from zwerm.calls.switchboard import Changed, Close, Effect, Send, Switchboard
from zwerm.core.errors import StorageError

log = logging.getLogger("zwerm.calls")

PARTS: Final = ("signing_in", "people", "passkeys", "calling", "meeting")  # modules beside this one
CLEANING: Final = 3600.0  # seconds between two rounds of forgetting what is old


class Relay(Protocol):
    """Hands out short-lived credentials of a TURN server."""

    def __call__(self, user: str) -> list[dict[str, Any]]:
        """Return `iceServers` for a user."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What whoever runs the service decides."""

    origin: str = "http://localhost:8088"  # where links lead to
    registration: bool = True  # whether strangers may make accounts
    history: float = 365 * 86_400.0  # seconds that calls are remembered


class CallsService:
    """One process' part of the service. `start` it, `connect` clients, `close` it."""

    def __init__(
        self,
        database: Database,
        options: ServiceOptions | None = None,
        config: CallsConfig | None = None,
        *,
        mailer: Mailer | None = None,
        pusher: Pusher | None = None,
        relay: Relay | None = None,
        bus: Bus | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Join the parts.

        Args:
            database: not yet open.
            options: of whoever runs it.
            config: limits.
            mailer: sends mails; None: there is no mail, and accounts need no address.
            pusher: sends push messages; None: there are none.
            relay: makes `iceServers`; None: there is no relay.
            bus: reaches the other processes of the service; None: there are none.
            wall: seconds since 1970. Only what is shown or kept depends on it, so it may jump.
        """
        for part in PARTS:  # each enters its requests into the table
            importlib.import_module(f"zwerm.calls.service.{part}")
        self.database = database
        self.options = options or ServiceOptions()
        self.config = config or CallsConfig()
        self.board = Switchboard(self.config)
        self.relay = relay
        self.wall = wall
        self.process = secrets.token_hex(4)  # in front of the names of its calls
        self.ledger = Ledger(database)
        self.fetching = Fetching(self, mailer, pusher)
        self.several = Several(self, bus)
        self._clients: dict[str, Client] = {}
        self._unnamed: dict[str, int] = {}  # connections without a session, by address
        self._numbered = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.cleaner: asyncio.Task[None] | None = None
        self._is_closed = False

    async def start(self) -> None:
        """Open the store, and take up what was left to send.

        Raises:
            StorageError: the store cannot be opened.
        """
        await asyncio.to_thread(request_types)  # reads the schema
        await self.database.open()
        await self.fetching.start()
        await self.several.start()
        self.cleaner = self.spawn(self._clean())

    async def close(self) -> None:
        """Say goodbye to everybody, and write down how calls ended. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for client in list(self._clients.values()):
            client.wire.cut("stopping", "the service stops; come back in a moment")
        await self.fetching.close()
        await self.several.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.ledger.close()
        try:
            if len(self.several.processes) == 1:  # otherwise the others go on with what rings
                await self.database.run(history.orphaned, f"{self.process}.", self.wall())
        except StorageError as error:
            log.warning("%s", error)
        await self.database.close()

    async def _clean(self) -> None:
        while True:
            try:
                await self.database.run(history.forget, self.wall() - self.options.history)
            except StorageError as error:
                log.warning("%s", error)
            await asyncio.sleep(CLEANING)

    def new_secret(self) -> str:
        """A secret of a session, which says what process made it."""
        return self.process + secrets.token_urlsafe(24)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def connect(self, wire: Wire, *, host: str, peer: str) -> Client:
        """Take a connection; the `welcome` is its first text.

        Raises:
            Refused: too many that have not said who they are.
        """
        config, peer = self.config, network_of(peer)
        if self._is_closed:
            raise Refused("stopping", "The service stops", wait=5.0)
        if self._unnamed.get(peer, 0) >= config.unnamed_of_host or sum(self._unnamed.values()) >= config.unnamed:
            raise Refused("full", "Too many connections that have not said who they are", wait=10.0)
        self._numbered += 1
        client = Client(self, f"c{self._numbered}", wire, host=host, peer=peer, nonce=secrets.token_urlsafe(24))
        self._clients[client.name] = client
        self._unnamed[peer] = self._unnamed.get(peer, 0) + 1
        asyncio.get_running_loop().call_later(config.greeting, self._ask_to_leave, client)
        welcome = {
            "type": "welcome",
            "protocol": VERSION,
            "nonce": client.nonce,
            "server": host[:255],
            "mail": self.fetching.has_mail,
            "push": self.fetching.push_key,
            "passkeys": True,
        }
        client.say(serialize(welcome))
        return client

    def _ask_to_leave(self, client: Client, *, is_late: bool = False) -> None:
        if client.session is not None or client.name not in self._clients:
            return
        if client.challenge is not None and not is_late:  # a person is being asked for a passkey
            later = functools.partial(self._ask_to_leave, client, is_late=True)
            asyncio.get_running_loop().call_later(self.config.signing, later)
        else:
            client.wire.cut("sign-in", "nobody said who is there")

    def named(self, client: Client) -> None:
        """A connection has a session now."""
        self._count_down(client.peer)

    def _count_down(self, peer: str) -> None:
        left = self._unnamed.get(peer, 0) - 1
        if left > 0:
            self._unnamed[peer] = left
        else:
            self._unnamed.pop(peer, None)

    def forget(self, client: Client) -> None:
        """A connection is over."""
        if self._clients.pop(client.name, None) is None:
            return
        if client.session is None:
            self._count_down(client.peer)
        else:
            self.board.sessions.lost(client.session.party.device, client.name, self.now())
            self.settle()

    def settle(self) -> None:
        """Carry out what the switchboard has decided, and wake up for what comes next."""
        if self._is_closed:
            return
        board, now = self.board, self.now()
        board.pump(now)
        while (effect := board.next_event()) is not None:
            self._carry_out(effect)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (due := board.next_timeout()) is not None:
            self._timer = asyncio.get_running_loop().call_at(due, self._time_has_come)

    def _time_has_come(self) -> None:
        self._timer = None
        self.board.handle_timeout(self.now())
        self.settle()

    def _carry_out(self, effect: Effect) -> None:
        at, put = self.wall(), self.ledger.put
        match effect:
            case Wake(endpoint):
                session = self.board.sessions.find(endpoint)
                if session is not None and (client := self._clients.get(session.connection or "")) is not None:
                    client.wire.wake()
            case Cut(connection, code, what):
                if (client := self._clients.get(connection)) is not None:
                    client.wire.cut(code, what)
            case Send() | Close() | Changed():
                self.several.carry_out(effect)
            case CallAnswered(call):
                self.fetching.no_longer(call, missed=False)
                put(history.answered, call, at)
            case CallEnded(call, reason, is_missed):
                self.fetching.no_longer(call, missed=is_missed)
                put(history.ended, call, reason.value, at, missed=is_missed)
            case Said(room, line, keep):
                put(rooms.say, room, line, at + keep, self.config.chat_kept)
            case RoomChanged(room, locked):
                put(rooms.lock, room, locked=locked)
            case RoomEnded(room):
                put(rooms.end, room)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        """Do something whose end nobody waits for; what goes wrong is in the log."""
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def check_guess(self, peer: str) -> None:
        """Raise a `Refused` when too many wrong links came from there."""
        if self.board.rates.is_empty("guesses", peer, self.config.guesses, self.now()):
            raise Refused("too-many-guesses", "Too many wrong links from there", wait=60.0)

    def note_guess(self, peer: str) -> None:
        """A wrong link came from there."""
        self.board.rates.take("guesses", peer, self.config.guesses, self.now())

    async def push_keys(self) -> str:
        """The service's own key for push messages, made at its first start."""
        from zwerm.calls.push.vapid import new_key

        return await self.database.run(accounts.remembered, "vapid", new_key())

    @property
    def ended(self) -> int:
        """How many connections there were and are no more."""
        return self._numbered - len(self._clients)

    def statistics(self) -> dict[str, int]:
        """Numbers for the metrics."""
        return {
            "connections": len(self._clients),
            "sessions": len(self.board.sessions),
            "users": self.board.sessions.names,
            "calls": len(self.board.calls),
            "rooms": len(self.board.rooms),
        }


async def _logged(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except StorageError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("work of the calls service failed")
