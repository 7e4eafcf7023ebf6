"""Worker processes of a relay: as many as there are cores, on the same ports (SO_REUSEPORT).

This process binds the sockets of all workers and keeps them open, so the kernel always finds as many as before: the
hash of a client's address leads to the same worker for as long as the relay runs. A worker that dies is replaced and
takes over its sockets; its clients find no allocation there, and make new ones. Allocations are counted together in
shared memory, what goes from client to client between workers goes through Unix sockets, and a connection to each
worker carries what to do, and answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import mmap
import os
import secrets
import socket
import sys
import time
from typing import Any, Final

from zwerm.core.errors import TransportError
from zwerm.core.machine import Address
from zwerm.daemon.turn.options import TurnOptions
from zwerm.webrtc.stun.uri import Transport
from zwerm.webrtc.turn.server.aio import ServiceConfig
from zwerm.webrtc.turn.server.config import TurnServerConfig
from zwerm.webrtc.turn.server.shared import forget, table_size

log = logging.getLogger("zwerm.turn")

STARTING: Final = 30.0  # seconds until a new worker must be ready
STOPPING: Final = 3.0  # seconds until a worker that does not end is killed
ANSWERING: Final = 2.0  # seconds for statistics
SOON: Final = 2.0  # seconds; a worker that dies within them is replaced after as long
TRIES: Final = 20  # ports that are tried where any will do


class Worker:
    """One process and the connection to it."""

    def __init__(self, number: int, sockets: list[tuple[Transport, socket.socket]]) -> None:
        self.number = number
        self.sockets = sockets
        self.inbox, self.outbox = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.process: asyncio.subprocess.Process | None = None
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None
        self.asking = asyncio.Lock()

    async def ask(self, what: str) -> dict[str, Any] | None:
        """Have it do something; None when it does not answer."""
        async with self.asking:
            if self.writer is None or self.reader is None:
                return None
            try:
                async with asyncio.timeout(ANSWERING):
                    self.writer.write(json.dumps({"do": what}).encode() + b"\n")
                    line = await self.reader.readline()
            except (OSError, TimeoutError):
                return None
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def hang_up(self) -> None:
        """Tell it to end, which is what the end of the connection means."""
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None

    def close(self) -> None:
        self.hang_up()
        for each in (self.inbox, self.outbox, *(sock for _, sock in self.sockets)):
            each.close()


class Workers:
    """All workers of one relay."""

    def __init__(
        self, options: TurnOptions, external: str | None, config: TurnServerConfig, streams: ServiceConfig
    ) -> None:
        self.addresses: list[tuple[Transport, Address]] = []
        self.replaced = 0
        self._options = options
        self._external = external
        self._config = config
        self._streams = streams
        self._nonce_key = secrets.token_bytes(32)
        self._started = 0.0
        self._workers: list[Worker] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._memory_fd = -1
        self._memory: mmap.mmap | None = None
        self._ended: dict[str, float] = {}  # what workers had counted that are gone
        self._latest: dict[int, dict[str, float]] = {}

    async def start(self) -> None:
        """Bind, start every worker, and wait until all are ready.

        Raises:
            TransportError: an address is not ours, a port is taken, or a worker did not start. Nothing is left.
        """
        self._started = asyncio.get_running_loop().time()
        count = self._options.workers
        self._memory_fd = os.memfd_create("zwerm-turn")
        os.truncate(self._memory_fd, table_size(count))
        self._memory = mmap.mmap(self._memory_fd, table_size(count))
        try:
            listening: list[tuple[Transport, list[socket.socket]]] = []
            for address in self._config.listening:
                listening += _bind_all(address, (Transport.UDP, Transport.TCP), count)
            for address in self._streams.tls_listening:
                listening += _bind_all(address, (Transport.TLS,), count)
            self.addresses = [(transport, sockets[0].getsockname()[:2]) for transport, sockets in listening]
            self._workers = [
                Worker(number, [(transport, sockets[number]) for transport, sockets in listening])
                for number in range(count)
            ]
            await asyncio.gather(*(self._launch(worker) for worker in self._workers))
        except BaseException:
            await self.close()
            raise
        self._tasks = [asyncio.create_task(self._look_after(worker)) for worker in self._workers]

    async def close(self) -> None:
        """End every worker; those that do not within three seconds are killed. Twice is harmless."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self._workers:
            worker.close()
        await asyncio.gather(*(_end(worker) for worker in self._workers))
        self._workers.clear()
        self._tasks.clear()
        if self._memory is not None:
            self._memory.close()
            os.close(self._memory_fd)
            self._memory = None

    def reload(self) -> None:
        """Have every worker read the certificate anew."""
        for worker in self._workers:
            task = asyncio.create_task(self._reload(worker))
            self._tasks.append(task)
            task.add_done_callback(lambda done: self._tasks.remove(done) if done in self._tasks else None)

    async def statistics(self) -> dict[str, float]:
        """Return the sum over all workers; of one that does not answer, what it said last."""
        answers = await asyncio.gather(*(worker.ask("statistics") for worker in self._workers))
        for worker, answer in zip(self._workers, answers, strict=True):
            if answer is not None:
                self._latest[worker.number] = answer
        total = dict(self._ended)
        for numbers in self._latest.values():
            _add(total, numbers)
        running = sum(worker.reader is not None for worker in self._workers)
        return {**total, "turn_workers": running, "turn_workers_replaced_total": self.replaced}

    async def _reload(self, worker: Worker) -> None:
        answer = await worker.ask("reload")
        if answer is None or answer.get("error"):
            log.error("worker %d keeps its certificate: %s", worker.number, (answer or {}).get("error", "no answer"))

    async def _launch(self, worker: Worker) -> None:
        """Start a process and wait until it is ready."""
        ours, theirs = socket.socketpair()
        outboxes = {other.number: other.outbox for other in self._workers if other is not worker}
        with theirs:
            passed = [worker.inbox, *outboxes.values(), *(sock for _, sock in worker.sockets)]
            worker.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "zwerm.daemon.turn.worker", stdin=theirs.fileno(),
                pass_fds=(self._memory_fd, *(sock.fileno() for sock in passed)),
            )  # fmt: skip
        worker.reader, worker.writer = await asyncio.open_connection(sock=ours)
        task = {
            "options": dataclasses.asdict(self._options),
            "external": self._external,
            "nonce_key": self._nonce_key.hex(),
            "started": self._started,
            "worker": worker.number,
            "sockets": [[transport.value, sock.fileno()] for transport, sock in worker.sockets],
            "memory": self._memory_fd,
            "inbox": worker.inbox.fileno(),
            "outboxes": {number: sock.fileno() for number, sock in outboxes.items()},
        }
        worker.writer.write(json.dumps(task).encode() + b"\n")
        answer: dict[str, Any] = {}
        with contextlib.suppress(OSError, TimeoutError, ValueError):
            async with asyncio.timeout(STARTING):
                answer = json.loads(await worker.reader.readline())
        if not answer.get("ready"):
            worker.hang_up()
            raise TransportError(f"worker {worker.number} did not start: {answer.get('error', 'it ended')}")

    async def _look_after(self, worker: Worker) -> None:
        """Replace the worker whenever it dies."""
        while worker.process is not None:
            began = time.monotonic()
            status = await worker.process.wait()
            worker.hang_up()
            self.replaced += 1
            log.error("worker %d ended with status %d; a new one takes its place", worker.number, status)
            gone = self._latest.pop(worker.number, {})
            _add(self._ended, {name: value for name, value in gone.items() if name.endswith("_total")})
            if self._memory is not None:
                with memoryview(self._memory) as memory:
                    forget(memory, worker.number)
            if time.monotonic() - began < SOON:
                await asyncio.sleep(SOON)
            while True:
                try:
                    await self._launch(worker)
                    break
                except (TransportError, OSError) as error:
                    log.error("%s; tried again in %.0f s", error, SOON)
                    await _end(worker)
                    await asyncio.sleep(SOON)


def _add(total: dict[str, float], numbers: dict[str, float]) -> None:
    for name, value in numbers.items():
        total[name] = total.get(name, 0) + value


async def _end(worker: Worker) -> None:
    process = worker.process
    if process is None or process.returncode is not None:
        return
    try:
        async with asyncio.timeout(STOPPING):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _bind_all(
    address: Address, transports: tuple[Transport, ...], count: int
) -> list[tuple[Transport, list[socket.socket]]]:
    """Bind so many sockets of each transport to one port; port 0 takes one that is free for all."""
    host, wanted = address
    for attempt in range(TRIES):
        port, bound = wanted, []
        with contextlib.ExitStack() as stack:
            try:
                for transport in transports:
                    sockets = []
                    for _ in range(count):
                        sockets.append(stack.enter_context(_bind(host, port, transport)))
                        port = sockets[0].getsockname()[1]
                    bound.append((transport, sockets))
            except OSError as error:
                if wanted == 0 and attempt + 1 < TRIES:
                    continue
                raise TransportError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
            stack.pop_all()
            return bound
    raise TransportError(f"no port of {host} is free for both UDP and TCP")


def _bind(host: str, port: int, transport: Transport) -> socket.socket:
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if ":" in host:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_194_304)
        sock.bind((host, port))
        if kind == socket.SOCK_STREAM:
            sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock
