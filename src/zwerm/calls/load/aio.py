"""Users of a load test: each a web socket with a session; rings begin on a fixed schedule.

A ring that should have begun at some moment is counted from that moment, whether the ones before were answered or not:
a service that stands still is not measured less often for it. Each is acknowledged, rings at the callee, and is
cancelled.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from zwerm.calls.identity import encode, greeting
from zwerm.calls.push.encryption import public_bytes
from zwerm.core.errors import RemoteProtocolError

AT_ONCE: Final = 40  # connections that are being made
PATIENCE: Final = 30.0  # seconds that the last rings are waited for
CHECKED: Final = 100_000  # calls of one question whether they are written down


class LoadRefused(RemoteProtocolError):
    """The service does not let itself be loaded, or could not be reached."""


class User:
    """One user online."""

    def __init__(self, number: int, load: Load) -> None:
        self.number = number
        self._load = load
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._asked = 1
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def come(self) -> None:
        """Connect and say who this is."""
        load, device = self._load, f"d_load.{self.number}"
        base = load.base_of(self.number)
        self._socket = socket = await load.http.ws_connect(f"{base}/socket", max_msg_size=0)
        welcome = await socket.receive_json()
        signed = load.sign(greeting(urlsplit(base).netloc, welcome["nonce"], device))
        await socket.send_json({"type": "hello", "id": 1, "device": device, "signature": signed})
        answer: dict[str, Any] = await socket.receive_json()
        if answer["type"] != "result":
            raise LoadRefused(f"user {self.number} was not let in: {answer.get('what', answer)}")
        self._reader = asyncio.create_task(self._read(socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            kind = event["type"]
            if kind == "ping":
                await socket.send_str('{"type":"pong"}')
            elif kind in ("result", "error"):
                if (waiting := self._waiting.pop(event["re"], None)) is not None:
                    waiting.set_result(event)
            elif kind == "ringing":
                self._load.rang(event["call"])
            if "seq" in event and event["seq"] % 4 == 0:
                await socket.send_str(f'{{"type":"ack","seq":{event["seq"]}}}')

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its result or error."""
        self._asked += 1
        done: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._asked] = done
        if self._socket is None:
            raise LoadRefused(f"user {self.number} is not there")
        await self._socket.send_str(json.dumps({"type": kind, "id": self._asked, **fields}))
        return await done

    async def leave(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        if self._socket is not None:
            await self._socket.close()


class Load:
    """All users of one service, and what they measured."""

    def __init__(self, urls: Sequence[str], http: aiohttp.ClientSession) -> None:
        """`urls` are those of the processes of one service, such as http://127.0.0.1:8089."""
        self._bases = [f"{url.rstrip('/')}/api/calls/v1" for url in urls]
        self.http = http
        self.processes: list[int] = []  # the service's, on their machine
        self.acknowledged: list[float] = []  # seconds
        self.ringing: list[float] = []  # seconds
        self.refused: dict[str, int] = {}  # rings, by code
        self.unanswered = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._users: list[User] = []
        self._calls: list[str] = []
        self._began: dict[str, float] = {}
        self._early: dict[str, float] = {}

    def sign(self, data: bytes) -> str:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(SHA256())))
        return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def base_of(self, number: int) -> str:
        """Where a user connects: of several processes so that all pairs of them come up as callers and callees."""
        count, half = len(self._bases), len(self._users) // 2
        return self._bases[number % count if number < half else (number - half) // count % count]

    async def _ask_service(self, question: dict[str, Any], base: str | None = None) -> dict[str, Any]:
        try:
            async with self.http.post(f"{base or self._bases[0]}/load", json=question) as answer:
                found = await answer.json(content_type=None) if answer.content_type == "application/json" else {}
                status = answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise LoadRefused(f"no calls service answers there: {error}") from None
        if status == 404:
            raise LoadRefused(
                "this service does not let itself be loaded; one's own does, with zwerm signal --allow-load"
            )
        if status != 200:
            raise LoadRefused(str(found.get("error", f"the service answered {status}"))[:300])
        return dict(found)

    async def prepare(self, count: int) -> None:
        """Let the service make the accounts.

        Raises:
            LoadRefused: it does not.
        """
        await self._ask_service({"make": count, "key": encode(public_bytes(self._key))})
        answers = [await self._ask_service({"check": []}, base) for base in self._bases]
        self.processes = [int(each["process"]) for each in answers]
        self._users = [User(number, self) for number in range(count)]

    async def come(self, came: Callable[[], None]) -> None:
        """Let everybody come online; `came` is called for each."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(user: User) -> None:
            async with slots:
                await user.come()
                came()

        try:
            async with asyncio.TaskGroup() as group:
                for user in self._users:
                    group.create_task(one(user))
        except* (LoadRefused, aiohttp.ClientError, OSError) as failures:
            raise LoadRefused(f"a user could not come: {failures.exceptions[0]}") from None

    def rang(self, call: str) -> None:
        """A callee rings."""
        now = time.perf_counter()
        if (began := self._began.pop(call, None)) is not None:
            self.ringing.append(now - began)
        else:
            self._early[call] = now

    async def _ring(self, number: int, due: float) -> None:
        half = len(self._users) // 2
        turn, place = divmod(number, half)
        caller, callee = self._users[place], self._users[half + (place + turn) % half]
        answer = await caller.ask("ring", to=f"load.{callee.number}", media=["audio"])
        now = time.perf_counter()
        if answer["type"] == "error":
            self.refused[answer["code"]] = self.refused.get(answer["code"], 0) + 1
            return
        call = answer["value"]["call"]
        self.acknowledged.append(now - due)
        self._calls.append(call)
        if (early := self._early.pop(call, None)) is not None:
            self.ringing.append(early - due)
        else:
            self._began[call] = due
        await caller.ask("cancel", call=call)

    async def ring(self, rate: int, seconds: float, rung: Callable[[], None]) -> None:
        """Ring `rate` times a second; `rung` is called for each."""
        began, tasks = time.perf_counter(), set[asyncio.Task[None]]()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.add(asyncio.create_task(self._ring(number, due)))
            rung()
        _, late = await asyncio.wait(tasks, timeout=PATIENCE)
        self.unanswered = len(late)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def lost(self) -> int:
        """How many rings were acknowledged and are not written down."""
        parts = [self._calls[start : start + CHECKED] for start in range(0, len(self._calls), CHECKED)]
        unwritten = [int((await self._ask_service({"check": part}))["lost"]) for part in parts]
        return sum(unwritten)

    @property
    def never_rang(self) -> int:
        """How many acknowledged rings no callee heard of, as when a busy machine lost their connection."""
        return len(self._began)

    async def close(self) -> None:
        """Let everybody go, and the service remove the accounts."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(user: User) -> None:
            async with slots:
                await user.leave()

        await asyncio.gather(*map(one, self._users))
        if self._users:
            await self._ask_service({"remove": True})
