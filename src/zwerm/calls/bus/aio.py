"""What carries packets between processes: Redis or NATS, by URL.

Both lose what is published while a process is cut off; `neighbours` sees to it that it is sent again. Each process has
a subject of its own and one for all, below a prefix: `zwerm-calls`, or what the URL names (`redis://HOST/0?prefix=x`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zwerm.core.errors import LocalProtocolError, ResourceLimitError

log = logging.getLogger("zwerm.calls")

PREFIX: Final = "zwerm-calls"
PAUSE: Final = 0.5  # seconds between two tries to reach the bus
PATIENCE: Final = 5.0  # seconds that a connection, or a batch of packets, may take
GATHERING: Final = 0.02  # seconds after a batch until the next; a packet after a pause goes at once
BATCH: Final = 128  # packets that are published together
SCHEMES: Final = {"redis": "redis", "rediss": "redis", "unix": "redis", "nats": "nats", "tls": "nats"}


class Linked(Protocol):
    """Is told whether the way to the bus is there."""

    def __call__(self, *, is_linked: bool) -> None: ...


class Bus(Protocol):
    """Carries packets. All of it happens in `run`; what cannot be sent is lost."""

    async def run(
        self,
        process: str,
        receive: Callable[[bytes], None],
        linked: Linked,
        next_packet: Callable[[], tuple[str | None, bytes] | None],
    ) -> None:
        """Carry until cancelled, through breaks.

        Args:
            process: our id.
            receive: is given each packet.
            linked: is told whenever the way to the bus comes or goes.
            next_packet: what to publish next, for a process or for all; asked after `wake`.
        """
        ...

    def wake(self) -> None:
        """There may be something to publish."""
        ...


def open_bus(url: str) -> Bus:
    """Return the bus of a URL; it is not reached yet.

    Raises:
        LocalProtocolError: no such bus, or the library for it is not installed.
    """
    parts = urlsplit(url)
    kind = SCHEMES.get(parts.scheme)
    given = dict(parse_qsl(parts.query))
    prefix = given.pop("prefix", PREFIX)
    if kind is None or not (parts.netloc or parts.path):
        raise LocalProtocolError(
            f"the bus is {parts.scheme[:20]!r}://..., expected redis://, rediss://, unix://, nats:// or tls://"
        )
    if not prefix or len(prefix) > 64 or not prefix.replace("-", "").replace("_", "").isalnum():
        raise LocalProtocolError(f"the prefix of the bus is {prefix[:80]!r}, expected letters, digits, - and _")
    plain = urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(given), ""))
    try:
        if kind == "redis":
            import redis.asyncio  # noqa: F401 -- only whether it is there

            return RedisBus(plain, prefix)
        import nats  # noqa: F401 -- only whether it is there

        return NatsBus(plain, prefix)
    except ImportError:
        raise LocalProtocolError(
            f"{parts.scheme}:// needs a library: install zwerm[calls], or {'redis' if kind == 'redis' else 'nats-py'}"
        ) from None


class _Shell:
    """What both have: the names of subjects, and the loop around a connection."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix
        self._is_hungry = asyncio.Event()
        self._written_at = 0.0  # when the last batch was taken

    def wake(self) -> None:
        """There may be something to publish."""
        self._is_hungry.set()

    def _subject(self, process: str | None) -> str:
        return f"{self._prefix}.{process or 'all'}"

    async def run(
        self,
        process: str,
        receive: Callable[[bytes], None],
        linked: Linked,
        next_packet: Callable[[], tuple[str | None, bytes] | None],
    ) -> None:
        """Carry until cancelled, through breaks."""
        is_first = True
        while True:
            try:
                await self._carry(process, receive, linked, next_packet)
            except Exception as error:  # noqa: BLE001 -- the libraries raise what they like, and none of it ends us
                log.log(
                    logging.WARNING if is_first else logging.INFO,
                    "the bus of calls: %s",
                    str(error)[:200] or type(error).__name__,
                )
                is_first = False
            linked(is_linked=False)
            await asyncio.sleep(PAUSE)

    async def _carry(
        self,
        process: str,
        receive: Callable[[bytes], None],
        linked: Linked,
        next_packet: Callable[[], tuple[str | None, bytes] | None],
    ) -> None:
        raise NotImplementedError

    async def _next_batch(self, next_packet: Callable[[], tuple[str | None, bytes] | None]) -> list[tuple[str, bytes]]:
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


class RedisBus(_Shell):
    """Redis' publish and subscribe: two connections, one for each direction."""

    async def _carry(
        self,
        process: str,
        receive: Callable[[bytes], None],
        linked: Linked,
        next_packet: Callable[[], tuple[str | None, bytes] | None],
    ) -> None:
        import redis.asyncio as redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        client: Any = redis.Redis.from_url(
            self._url,
            socket_connect_timeout=PATIENCE,
            socket_keepalive=True,
            health_check_interval=0,
            retry=Retry(NoBackoff(), 0),
        )
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(client.aclose)
            listener: Any = client.pubsub()
            stack.push_async_callback(listener.aclose)
            async with asyncio.timeout(PATIENCE):
                await listener.subscribe(self._subject(process), self._subject(None))
                for _ in range(2):
                    while await listener.get_message(timeout=PATIENCE) is None:
                        pass

            # The same connection for all, as taking one from the pool costs as much as what is published.
            writer: Any = await client.connection_pool.get_connection()
            stack.push_async_callback(writer.disconnect)

            async def read() -> None:
                while True:
                    message = await listener.get_message(ignore_subscribe_messages=True, timeout=None)
                    if message is not None and isinstance(message.get("data"), bytes):
                        receive(message["data"])

            async def write() -> None:
                while True:
                    batch = await self._next_batch(next_packet)
                    async with asyncio.timeout(PATIENCE):
                        await writer.send_packed_command(
                            writer.pack_commands([("PUBLISH", *packet) for packet in batch]), check_health=False
                        )
                        for _ in batch:
                            await writer.read_response()

            linked(is_linked=True)
            await _both(read(), write())


class NatsBus(_Shell):
    """NATS: one connection; its own reconnecting is not used, so that we know what was cut off."""

    async def _carry(
        self,
        process: str,
        receive: Callable[[bytes], None],
        linked: Linked,
        next_packet: Callable[[], tuple[str | None, bytes] | None],
    ) -> None:
        import nats

        closed = asyncio.Event()

        async def note_closed() -> None:
            closed.set()

        async def note_error(error: Exception) -> None:
            log.debug("the bus of calls: %s", error)

        client: Any = await nats.connect(
            self._url,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            connect_timeout=int(PATIENCE),
            disconnected_cb=note_closed,
            closed_cb=note_closed,
            error_cb=note_error,
        )

        async def take(message: Any) -> None:
            receive(message.data)

        async def write() -> None:
            while True:
                for subject, data in await self._next_batch(next_packet):
                    if len(data) > client.max_payload:
                        raise ResourceLimitError(
                            f"the NATS server takes {client.max_payload} bytes at once, {len(data)} are to be sent"
                        )
                    await client.publish(subject, data)

        async def watch() -> None:
            await closed.wait()
            raise ConnectionError("the connection to NATS is gone")

        try:
            for subject in (self._subject(process), self._subject(None)):
                await client.subscribe(subject, cb=take)
            await client.flush(timeout=int(PATIENCE))
            linked(is_linked=True)
            await _both(watch(), write())
        finally:
            await client.close()


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
