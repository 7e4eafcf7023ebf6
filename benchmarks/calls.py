"""The calls service alone: memory of 10,000 users online, and how long a ring takes until it is acknowledged and rings.

    python -m benchmarks.calls [--users 10000] [--rate 500] [--seconds 10]

The service is a `zwerm signal` of its own with SQLite, synced at each commit; the users are web sockets of this
process. Rings are begun on a fixed schedule, whether the ones before were answered or not (no coordinated omission);
each is acknowledged by the service, rings at the callee, and is cancelled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import Connection, insert

from benchmarks.processes import resident
from zwerm.calls.identity import encode, greeting
from zwerm.calls.push.encryption import public_bytes
from zwerm.calls.store import tables
from zwerm.calls.store.database import Database
from zwerm.daemon.turn.relay import raise_descriptor_limit

AT_ONCE = 40  # connections that are being made


def fill(connection: Connection, users: int, key: str) -> None:
    """Make the accounts, each with one device; all devices have the same key, which costs the service the same."""
    now = time.time()
    rest = {"confirmed": True, "language": "en", "callers": "anyone", "disturb": True, "created": now}
    people = [{"id": f"u_{each}", "name": f"u{each}", "email": None, **rest} for each in range(users)]
    connection.execute(insert(tables.users), people)
    rest = {"key": key, "label": "load", "created": now, "seen": now}
    connection.execute(
        insert(tables.devices), [{"id": f"d_{each}", "user": f"u_{each}", **rest} for each in range(users)]
    )


class User:
    """One user online."""

    def __init__(self, number: int, load: Load) -> None:
        self.number = number
        self.load = load
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.asked = 1
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.reader: asyncio.Task[None] | None = None

    async def come(self) -> None:
        self.socket = socket = await self.load.http.ws_connect(self.load.url, max_msg_size=0, autoping=True)
        welcome = await socket.receive_json()
        signed = self.load.sign(greeting(self.load.where, welcome["nonce"], f"d_{self.number}"))
        await socket.send_json({"type": "hello", "id": 1, "device": f"d_{self.number}", "signature": signed})
        answer = await socket.receive_json()
        assert answer["type"] == "result", answer
        self.reader = asyncio.create_task(self._read(socket))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event = json.loads(message.data)
            kind = event["type"]
            if kind == "ping":
                await socket.send_str('{"type":"pong"}')
            elif kind in ("result", "error"):
                if (waiting := self.waiting.pop(event["re"], None)) is not None:
                    waiting.set_result(event)
            elif kind == "ringing":
                self.load.rang(event["call"])
            if "seq" in event and event["seq"] % 4 == 0:
                await socket.send_str(f'{{"type":"ack","seq":{event["seq"]}}}')

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        self.asked += 1
        done = self.waiting[self.asked] = asyncio.get_running_loop().create_future()
        assert self.socket is not None
        await self.socket.send_str(json.dumps({"type": kind, "id": self.asked, **fields}))
        return await done


class Load:
    """All users of one service."""

    def __init__(self, where: str, http: aiohttp.ClientSession, key: ec.EllipticCurvePrivateKey) -> None:
        self.where = where
        self.url = f"ws://{where}/api/calls/v1/socket"
        self.http = http
        self.key = key
        self.users: list[User] = []
        self.acknowledged: list[float] = []
        self.ringing: list[float] = []
        self.failed = 0
        self._began: dict[str, float] = {}
        self._early: dict[str, float] = {}

    def sign(self, data: bytes) -> str:
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(SHA256())))
        return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    async def fill(self, count: int) -> None:
        slots = asyncio.Semaphore(AT_ONCE)

        async def come(user: User) -> None:
            async with slots:
                await user.come()

        self.users = [User(number, self) for number in range(count)]
        await asyncio.gather(*map(come, self.users))

    def rang(self, call: str) -> None:
        now = time.perf_counter()
        if (began := self._began.pop(call, None)) is not None:
            self.ringing.append(now - began)
        else:
            self._early[call] = now

    async def ring(self, number: int, due: float) -> None:
        """One person calls their neighbour; time counts from when it should have begun."""
        count = len(self.users)
        caller, callee = self.users[number * 2 % count], self.users[(number * 2 + 1) % count]
        answer = await caller.ask("ring", to=f"u{callee.number}", media=["audio"])
        now = time.perf_counter()
        if answer["type"] == "error":
            self.failed += 1
            return
        self.acknowledged.append(now - due)
        call = answer["value"]["call"]
        if (early := self._early.pop(call, None)) is not None:
            self.ringing.append(early - due)
        else:
            self._began[call] = due
        await caller.ask("cancel", call=call)

    async def ring_at(self, rate: int, seconds: float) -> None:
        began, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(self.ring(number, due)))
        await asyncio.gather(*tasks)

    async def close(self) -> None:
        readers = [user.reader for user in self.users if user.reader is not None]
        for reader in readers:
            reader.cancel()
        if readers:
            await asyncio.wait(readers)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] * 1000


def words(values: list[float]) -> str:
    shown = ", ".join(f"p{part * 100:g} {percentile(values, part):.1f} ms" for part in (0.5, 0.99, 0.999))
    return f"{shown}, mean {statistics.mean(values) * 1000:.1f} ms"


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def run(users: int, rate: int, seconds: float) -> None:
    raise_descriptor_limit(users + 500)
    key = ec.generate_private_key(ec.SECP256R1())
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "calls.sqlite"
        database = Database(f"sqlite:///{store}")
        await database.open()
        await database.run(fill, users, encode(public_bytes(key)))
        await database.close()
        command = [sys.executable, "-m", "zwerm", "--json", "signal", "--listen", "127.0.0.1:0", "--store", str(store)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        assert process.stdout is not None
        try:
            where = json.loads(process.stdout.readline())["url"].removeprefix("http://")
            process.stdout.readline()
            idle = resident(process.pid)
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(connector=connector) as http:
                load = Load(where, http, key)
                began, spent = time.perf_counter(), cpu_seconds(process.pid)
                await load.fill(users)
                took = time.perf_counter() - began
                each = (cpu_seconds(process.pid) - spent) / users * 1e6
                print(f"{users} users came in {took:.1f} s, {each:.0f} us CPU each")
                await asyncio.sleep(10)
                spent = cpu_seconds(process.pid)
                await asyncio.sleep(10)
                still = (cpu_seconds(process.pid) - spent) / 10
                memory = resident(process.pid)
                each = (memory - idle) / users / 1e3
                print(f"memory {memory / 1e6:.0f} MB ({idle / 1e6:.0f} without users, {each:.1f} kB each)")
                print(f"at rest {still:.1%} of a core")
                spent = cpu_seconds(process.pid)
                await load.ring_at(rate, seconds)
                spent = (cpu_seconds(process.pid) - spent) / max(1, len(load.acknowledged))
                print(f"{rate} rings/s for {seconds:g} s, {load.failed} failed, {spent * 1e3:.2f} ms CPU each")
                print(f"acknowledged: {words(load.acknowledged)}")
                print(f"ringing:      {words(load.ringing)}")
                print(f"memory after: {resident(process.pid) / 1e6:.0f} MB")
                await load.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    try:
        import uvloop

        factory: Any = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run(given.users, given.rate, given.seconds))


if __name__ == "__main__":
    main()
