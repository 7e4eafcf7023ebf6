"""What carries packets between processes: Redis or NATS, by URL.

Both lose what is published while a process is cut off; `neighbours` sees to it that it is sent again. Each process has
a subject of its own and one for all, below a prefix: `zwerm-calls`, or what the URL names (`redis://HOST/0?prefix=x`).

`Bus` is the loop around a connection; what Redis and NATS say differently is a `Way`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zwerm.core.errors import LocalProtocolError, ResourceLimitError

log = logging.getLogger("zwerm.calls")

PREFIX: Final = "zwerm-calls"
PAUSE: Final = 0.5  # seconds between two tries to reach the bus
PATIENCE: Final = 5.0  # seconds that a connection, or a batch of packets, may take
GATHERING: Final = 0.02  # seconds after a batch until the next; a packet after a pause goes at once
BATCH: Final = 128  # packets that are published together
SCHEMES: Final = {"redis": "redis", "rediss": "redis", "unix": "redis", "nats": "nats", "tls": "nats"}

Receive: TypeAlias = Callable[[bytes], None]
NextPacket: TypeAlias = Callable[[], tuple[str | None, bytes] | None]


class Linked(Protocol):
    """Is told whether the way to the bus is there."""

    def __call__(self, *, is_linked: bool) -> None: ...


class Way(Protocol):
    """A connection to a bus, subscribed already. Both calls raise when it breaks."""

    async def read(self) -> None:
        """Hand on what comes, until cancelled."""
        ...

    async def publish(self, batch: list[tuple[str, bytes]]) -> None:
        """Say these, each to its subject."""
        ...


class Dialect(Protocol):
    """How a bus is reached: given its URL, a file of authorities, the subjects to hear, and who is given packets."""

    def __call__(
        self, url: str, authority: str | None, subjects: tuple[str, ...], receive: Receive
    ) -> contextlib.AbstractAsyncContextManager[Way]: ...


def open_bus(url: str) -> Bus:
    """Return the bus of a URL; it is not reached yet.

    Raises:
        LocalProtocolError: no such bus, or the library for it is not installed.
    """
    parts = urlsplit(url)
    kind = SCHEMES.get(parts.scheme)
    given = dict(parse_qsl(parts.query))
    prefix, authority = given.pop("prefix", PREFIX), given.pop("ca", None)
    if kind is None or not (parts.netloc or parts.path):
        raise LocalProtocolError(
            f"the bus is {parts.scheme[:20]!r}://..., expected redis://, rediss://, unix://, nats:// or tls://"
        )
    if not prefix or len(prefix) > 64 or not prefix.replace("-", "").replace("_", "").isalnum():
        raise LocalProtocolError(f"the prefix of the bus is {prefix[:80]!r}, expected letters, digits, - and _")
    if authority is not None and parts.scheme not in ("rediss", "tls"):
        raise LocalProtocolError(f"{parts.scheme}:// has no certificates that ca={authority[:80]} could prove")
    try:
        if kind == "redis":
            import redis.asyncio  # noqa: F401 -- only whether it is there
        else:
            import nats  # noqa: F401 -- only whether it is there
    except ImportError:
        raise LocalProtocolError(
            f"{parts.scheme}:// needs a library: install zwerm[calls], or {'redis' if kind == 'redis' else 'nats-py'}"
        ) from None
    plain = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(given), ""))
    return Bus(_redis if kind == "redis" else _nats, plain, prefix, authority)


class Bus:
    """Carries packets. All of it happens in `run`; what cannot be sent is lost."""

    def __init__(self, dialect: Dialect, url: str, prefix: str, authority: str | None = None) -> None:
        """`authority` is a file of certificates (PEM) by which the bus is known, in place of the system's."""
        self._dialect = dialect
        self._url = url
        self._prefix = prefix
        self._authority = authority
        self._is_hungry = asyncio.Event()
        self._written_at = 0.0  # when the last batch was taken

    def wake(self) -> None:
        """There may be something to publish."""
        self._is_hungry.set()

    def _subject(self, process: str | None) -> str:
        return f"{self._prefix}.{process or 'all'}"

    async def run(self, process: str, receive: Receive, linked: Linked, next_packet: NextPacket) -> None:
        """Carry until cancelled, through breaks.

        Args:
            process: our id.
            receive: is given each packet.
            linked: is told whenever the way to the bus comes or goes.
            next_packet: what to publish next, for a process or for all; asked after `wake`.
        """
        subjects, level = (self._subject(process), self._subject(None)), logging.WARNING
        while True:
            try:
                async with self._dialect(self._url, self._authority, subjects, receive) as way:
                    linked(is_linked=True)
                    await _both(way.read(), self._write(way, next_packet))
            except Exception as error:  # noqa: BLE001 -- the libraries raise what they like, and none of it ends us
                log.log(level, "the bus of calls: %s", str(error)[:200] or type(error).__name__)
                level = logging.INFO
            linked(is_linked=False)
            await asyncio.sleep(PAUSE)

    async def _write(self, way: Way, next_packet: NextPacket) -> None:
        while True:
            batch = await self._next_batch(next_packet)
            async with asyncio.timeout(PATIENCE):
                await way.publish(batch)

    async def _next_batch(self, next_packet: NextPacket) -> list[tuple[str, bytes]]:
        """Wait for packets; what gathered while the last ones were written goes together."""
        loop = asyncio.get_running_loop()
        while True:
            if (wait := self._written_at + GATHERING - loop.time()) > 0:
                await asyncio.sleep(wait)
            self._is_hungry.clear()
            batch: list[tuple[str, bytes]] = []
            while len(batch) < BATCH and (packet := next_packet()) is not None:
                batch.append((self._subject(packet[0]), packet[1]))
            if batch:
                self._written_at = loop.time()
                return batch
            await self._is_hungry.wait()


@contextlib.asynccontextmanager
async def _redis(url: str, authority: str | None, subjects: tuple[str, ...], receive: Receive) -> AsyncIterator[Way]:
    """Redis' publish and subscribe: two connections, one for each direction."""
    import redis.asyncio as redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    trusted: dict[str, Any] = {} if authority is None else {"ssl_ca_certs": authority}
    client: Any = redis.Redis.from_url(
        url,
        socket_connect_timeout=PATIENCE,
        socket_keepalive=True,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # it would look up its own version on the disk for each connection
        **trusted,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(client.aclose)
        listener: Any = client.pubsub()
        stack.push_async_callback(listener.aclose)
        async with asyncio.timeout(PATIENCE):
            await listener.subscribe(*subjects)
            for _ in subjects:
                while await listener.get_message(timeout=PATIENCE) is None:
                    pass
        # The same connection for all, as taking one from the pool costs as much as what is published.
        writer: Any = await client.connection_pool.get_connection()
        stack.push_async_callback(writer.disconnect)
        yield _RedisWay(listener, writer, receive)


class _RedisWay:
    def __init__(self, listener: Any, writer: Any, receive: Receive) -> None:
        self._listener = listener
        self._writer = writer
        self._receive = receive

    async def read(self) -> None:
        while True:
            message = await self._listener.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None and isinstance(message.get("data"), bytes):
                self._receive(message["data"])

    async def publish(self, batch: list[tuple[str, bytes]]) -> None:
        writer = self._writer
        commands = writer.pack_commands([("PUBLISH", *packet) for packet in batch])
        await writer.send_packed_command(commands, check_health=False)
        for _ in batch:
            await writer.read_response()


@contextlib.asynccontextmanager
async def _nats(url: str, authority: str | None, subjects: tuple[str, ...], receive: Receive) -> AsyncIterator[Way]:
    """NATS: one connection; its own reconnecting is not used, so that we know what was cut off."""
    import nats

    closed = asyncio.Event()

    async def note_closed() -> None:
        closed.set()

    async def note_error(error: Exception) -> None:
        log.debug("the bus of calls: %s", error)

    async def take(message: Any) -> None:
        receive(message.data)

    client: Any = await nats.connect(
        url,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        connect_timeout=int(PATIENCE),
        disconnected_cb=note_closed,
        closed_cb=note_closed,
        error_cb=note_error,
        tls=None if authority is None else ssl.create_default_context(cafile=authority),
    )
    try:
        for subject in subjects:
            await client.subscribe(subject, cb=take)
        await client.flush(timeout=int(PATIENCE))
        yield _NatsWay(client, closed)
    finally:
        await client.close()


class _NatsWay:
    def __init__(self, client: Any, closed: asyncio.Event) -> None:
        self._client = client
        self._closed = closed

    async def read(self) -> None:
        await self._closed.wait()
        raise ConnectionError("the connection to NATS is gone")

    async def publish(self, batch: list[tuple[str, bytes]]) -> None:
        for subject, data in batch:
            if len(data) > self._client.max_payload:
                raise ResourceLimitError(
                    f"the NATS server takes {self._client.max_payload} bytes at once, {len(data)} are to be sent"
                )
            await self._client.publish(subject, data)


async def _both(*work: Any) -> None:
    """Do things side by side until one fails; its failure comes out."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
