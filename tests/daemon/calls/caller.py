"""A client of the calls service for tests: real keys, real sockets; every message is held against the schema."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from zwerm.calls.identity import encode, greeting
from zwerm.calls.limits import CallsConfig
from zwerm.calls.push.encryption import public_bytes
from zwerm.calls.schema import document
from zwerm.calls.service.aio import CallsService, ServiceOptions
from zwerm.calls.store.database import Database
from zwerm.daemon.calls.handler import CallsHandler
from zwerm.daemon.http.server import HttpServer
from zwerm.daemon.http.sockets import bind_all
from zwerm.node.address import Address

GREETING = 1 << 40  # the number of the request that makes a session
PATIENCE = 20.0  # seconds after which what should come is a failure


@functools.cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    definitions = document()["$defs"]
    return jsonschema.Draft202012Validator({"$defs": definitions, "oneOf": definitions[kind]["oneOf"]})


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until something is so that tells nobody of it."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 -- it sets no event
            await asyncio.sleep(0.01)


class CallError(Exception):
    """The service refused a request."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(f"{event['code']}: {event['what']}")
        self.code = event["code"]
        self.wait = event.get("wait")


class Server:
    """The service on a loopback port, in this process."""

    def __init__(self, service: CallsService, origins: tuple[str, ...] = ()) -> None:
        self.service = service
        self.handler = CallsHandler(service, origins)
        self.http = HttpServer("calls", self.handler, idle=75.0)
        self.where = ""

    @property
    def socket_url(self) -> str:
        return f"ws://{self.where}/api/calls/v1/socket"

    async def start(self) -> None:
        await self.service.start()
        sockets = bind_all({"calls": Address("127.0.0.1", 0)})["calls"]
        self.where = f"127.0.0.1:{sockets[0].getsockname()[1]}"
        await self.http.start(sockets)

    async def stop(self) -> None:
        await self.service.close()
        await self.http.stop(1.0)


@contextlib.asynccontextmanager
async def serving(
    path: Path | str, config: CallsConfig | None = None, *, origins: tuple[str, ...] = (), **given: Any
) -> AsyncIterator[Server]:
    """Run a service on the store at `path`, a file or a URL."""
    url = str(path) if "://" in str(path) else f"sqlite:///{path}"
    options = given.pop("options", ServiceOptions(origin="http://calls.test"))
    server = Server(CallsService(Database(url), options, config, **given), origins)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class Caller:
    """One device of somebody, and its connection."""

    def __init__(self, server: Server, http: aiohttp.ClientSession, label: str) -> None:
        self.server = server
        self.http = http
        self.label = label
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.key = encode(public_bytes(self.private))
        self.device = ""
        self.name: str | None = None
        self.welcome: dict[str, Any] = {}
        self.ready: dict[str, Any] = {}
        self.seq = 0
        self.number = 0
        self.events: list[dict[str, Any]] = []
        self.all: list[dict[str, Any]] = []  # numbered ones, never taken away
        self.results: dict[int, dict[str, Any]] = {}
        self.acknowledges = True
        self._changed = asyncio.Condition()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self.closing: dict[str, Any] | None = None
        self.is_closed = False

    async def connect(self, **headers: str) -> Caller:
        """Open a new connection; the old one, if there is one, is left as it is."""
        self.is_closed, self.closing, self.welcome = False, None, {}
        self._socket = await self.http.ws_connect(self.server.socket_url, headers=headers)
        self._reader = asyncio.create_task(self._read(self._socket))
        await self.until(lambda: self.welcome)
        return self

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self.take(json.loads(message.data))
        if socket is self._socket:
            self.is_closed = True
        await self.tell()

    async def tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def take(self, event: dict[str, Any]) -> None:
        """Take what the service says."""
        validator("event").validate(event)
        match event["type"]:
            case "welcome":
                self.welcome = event
            case "result" | "error":
                self.results[event["re"]] = event
                if event["re"] == GREETING and event["type"] == "result":
                    self._begin(event["value"])  # before any event that comes right behind it
            case "ping":
                await self.send({"type": "pong"})
            case "closing":
                self.closing = event
            case _:
                assert event["seq"] == self.seq + 1, f"event {event['seq']} after {self.seq}"
                self.seq = event["seq"]
                self.events.append(event)
                self.all.append(event)
                if self.acknowledges:
                    await self.send({"type": "ack", "seq": self.seq})
        await self.tell()

    async def send(self, message: dict[str, Any]) -> None:
        validator("request").validate(message)
        await self.send_text(json.dumps(message))

    async def send_text(self, text: str) -> None:
        assert self._socket is not None
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(text)

    async def until(self, holds: Any) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def ask(self, kind: str, /, **fields: Any) -> Any:
        """Send a request; return its value, or raise a `CallError`."""
        self.number += 1
        return await self.ask_as(self.number, kind, **fields)

    async def ask_as(self, number: int, kind: str, /, **fields: Any) -> Any:
        await self.send({**fields, "type": kind, "id": number})
        await self.until(lambda: number in self.results)
        event = self.results.pop(number)
        if event["type"] == "error":
            raise CallError(event)
        return event["value"]

    async def event(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Take the first event of a kind that has these fields, waiting for it."""

        def find() -> dict[str, Any] | None:
            for event in self.events:
                if event["type"] == kind and all(event.get(key) == value for key, value in fields.items()):
                    return event
            return None

        await self.until(find)
        event = find()
        assert event is not None
        self.events.remove(event)
        return event

    async def closed(self) -> str:
        """Wait until the service has closed the connection; return why."""
        await self.until(lambda: self.is_closed)
        return self.closing["code"] if self.closing else ""

    def sign(self, data: bytes) -> str:
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(SHA256())))
        return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    async def register(self, name: str, **fields: Any) -> None:
        """Make an account on a service without mail, and sign in."""
        value = await self.ask("register", name=name, key=self.key, label=self.label, **fields)
        await self.redeem(value["token"])
        await self.hello()

    async def redeem(self, token: str) -> dict[str, Any]:
        value = await self.ask("redeem", token=token, key=self.key, label=self.label)
        self.device, self.name = value["device"], value["name"]
        return value

    async def hello(self, *, resume: bool = False, **changed: Any) -> dict[str, Any]:
        signed = greeting(self.server.where, self.welcome["nonce"], self.device)
        fields: dict[str, Any] = {"device": self.device, "signature": self.sign(signed)} | changed
        if resume:
            fields["resume"] = {"session": self.ready["session"], "seq": self.seq}
        # Numbers of requests count in a session; this one, which makes it, does not.
        await self.ask_as(GREETING, "hello", **fields)
        return self.ready

    async def come_as_guest(self, link: str) -> dict[str, Any]:
        signed = greeting(self.server.where, self.welcome["nonce"], "guest")
        fields = {"link": link, "label": self.label, "key": self.key, "signature": self.sign(signed)}
        await self.ask_as(GREETING, "guest", **fields)
        return self.ready

    def _begin(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        if not ready["resumed"]:
            self.seq, self.number, self.events = 0, 0, []

    @property
    def endpoint(self) -> str:
        return str(self.ready["endpoint"])

    async def drop(self) -> None:
        """Cut the connection, as a network does."""
        assert self._socket is not None
        assert self._reader is not None
        self._socket._response.connection.transport.abort()  # type: ignore[union-attr]
        await self.finish_reading()

    async def finish_without_closing(self) -> None:
        """Neither read nor say anything from now on; the connection stays open."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.cancel()
            await asyncio.wait([reader])

    async def finish_reading(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await asyncio.wait([reader])

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        await self.finish_reading()


class People:
    """Everybody of one test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = aiohttp.ClientSession()
        self.callers: list[Caller] = []

    async def stranger(self, label: str = "Browser", **headers: str) -> Caller:
        """Somebody who has connected."""
        caller = Caller(self.server, self.http, label)
        self.callers.append(caller)
        return await caller.connect(**headers)

    async def user(self, name: str, **fields: Any) -> Caller:
        """Somebody with a new account, signed in."""
        caller = await self.stranger(f"{name}'s browser")
        await caller.register(name, **fields)
        return caller

    async def device_of(self, caller: Caller, label: str = "Telephone") -> Caller:
        """Another device of somebody, signed in."""
        other = await self.stranger(label)
        await other.redeem((await caller.ask("device-link"))["token"])
        await other.hello()
        return other

    async def close(self) -> None:
        for caller in self.callers:
            await caller.close()
        await self.http.close()


@contextlib.asynccontextmanager
async def people(path: Path | str, config: CallsConfig | None = None, **given: Any) -> AsyncIterator[People]:
    """A service, and nobody there yet."""
    async with serving(path, config, **given) as server:
        everybody = People(server)
        try:
            yield everybody
        finally:
            await everybody.close()
