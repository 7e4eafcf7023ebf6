"""One relay that runs: alone in this process, or in worker processes that this one looks after."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import time
from typing import Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address
from zwerm.daemon.turn.numbers import numbers_of, render
from zwerm.daemon.turn.options import (
    CREDENTIAL_LIFETIME,
    TurnOptions,
    external_address,
    ice_servers,
    load_certificate,
    make_config,
    make_users,
    server_uris,
    service_config,
)
from zwerm.daemon.turn.workers import Workers
from zwerm.webrtc.stun.uri import ServerUri, Transport
from zwerm.webrtc.turn.credentials import Credential, time_limited
from zwerm.webrtc.turn.server.aio import TurnService

DESCRIPTORS: Final = 256  # for everything that is no relayed address


class TurnRelay:
    """A relay with its credential and the addresses to give to clients."""

    def __init__(self, options: TurnOptions) -> None:
        """Nothing runs yet.

        Raises:
            LocalProtocolError: users that cannot be.
        """
        self.users, self.credential = make_users(options)
        if not options.users and not options.secret:  # every worker is to know the password made here
            options = dataclasses.replace(options, users=(f"{self.credential.username}:{self.credential.password}",))
        self.options = options
        self.addresses: list[tuple[Transport, Address]] = []
        self.external: str | None = None
        self.outside: dict[str, str] = {}
        self._service: TurnService | None = None
        self._workers: Workers | None = None

    async def start(self) -> None:
        """Listen everywhere.

        Raises:
            ZwermError: an option that cannot be, an address that is not ours, a port that is taken.
        """
        options = self.options
        self.external = await external_address(options.external_ip)
        config = make_config(options, self.external)
        streams = service_config(options, config)
        raise_descriptor_limit(options.max_allocations // options.workers + DESCRIPTORS)
        if options.workers > 1:
            self._workers = Workers(options, self.external, config, streams)
            await self._workers.start()
            self.addresses = self._workers.addresses
        else:
            self._service = TurnService(config, self.users, streams, nonce_key=secrets.token_bytes(32))
            await self._service.start()
            self.addresses = self._service.addresses
        self.outside = {relay.local: relay.outside for relay in config.relays}

    async def close(self) -> None:
        """Stop; clients find out by themselves. Twice is harmless."""
        if self._workers is not None:
            await self._workers.close()
        if self._service is not None:
            await self._service.close()

    @property
    def uris(self) -> list[ServerUri]:
        return server_uris(self.addresses, self.outside)

    def ice_servers(self, credential: Credential | None = None) -> dict[str, Any]:
        return ice_servers(self.uris, credential or self.credential)

    def time_limited(self, user: str, lifetime: int = CREDENTIAL_LIFETIME) -> Credential:
        """Make a credential that ends after `lifetime` seconds.

        Raises:
            LocalProtocolError: the relay has no secret, or a user with a colon.
        """
        if not self.options.secret:
            raise LocalProtocolError("time-limited credentials need a secret: set turn.secret")
        return time_limited(self.options.secret, user, int(time.time()) + lifetime)

    def reload(self) -> None:
        """Read the certificate anew, for connections to come.

        Raises:
            LocalProtocolError: it cannot be read; the old one stays.
        """
        if self._workers is not None:
            self._workers.reload()
        elif self._service is not None and self._service.limits.tls is not None:
            load_certificate(self._service.limits.tls, self.options)

    async def statistics(self) -> dict[str, float]:
        """Return the numbers of `HELP`, summed over the workers."""
        if self._workers is not None:
            return await self._workers.statistics()
        return numbers_of(self._service.statistics()) if self._service is not None else {}


def raise_descriptor_limit(wanted: int) -> None:
    """Have room for so many sockets, as far as the system allows it; the rest are refused with 508."""
    try:
        import resource
    except ImportError:  # not a Unix
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


async def serve_metrics(relay: TurnRelay, address: Address) -> asyncio.Server:
    """Answer `GET /metrics` there, in HTTP/1.0, and nothing else."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(10):
                head = await reader.readuntil(b"\r\n\r\n")
                is_right = head.split(b"\r\n", 1)[0].split(b" ")[:2] == [b"GET", b"/metrics"]
                body = render(await relay.statistics()) if is_right else b"404 - see /metrics\n"
                status = b"200 OK" if is_right else b"404 Not Found"
                writer.write(
                    b"HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                    b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)
                )
                await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, *address)
