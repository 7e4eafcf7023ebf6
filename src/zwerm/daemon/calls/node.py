"""The calls service inside a node: its options from the configuration, and when it starts.

A node that only its own machine reaches has it without being asked. Its code is loaded and its store made when
somebody first comes, so that it costs nothing where nobody calls.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import ZwermError

if TYPE_CHECKING:
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.daemon.tls.node import NodeHttps
    from zwerm.daemon.turn.relay import TurnRelay
    from zwerm.node.address import Address
    from zwerm.node.config import Config
    from zwerm.node.repository import Repository

log = logging.getLogger("zwerm.calls")

STORE: Final = "calls.sqlite"  # in the repository


class NodeCalls:
    """The service of one node, there or not yet there."""

    def __init__(
        self,
        config: Config,
        repository: Repository,
        web: Address | None,
        relay: TurnRelay | None,
        https: NodeHttps | None = None,
    ) -> None:
        self._config = config
        self._repository = repository
        self._web = web
        self._relay = relay
        self._https = https
        self._lock = asyncio.Lock()
        self.running: CallsHandler | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be a service: where strangers come, it has to be asked for."""
        if not self._config.boolean("calls.enabled"):
            return False
        if self._config.is_set("calls.enabled"):
            return True
        if self._https is not None and self._https.is_public:
            return False
        return self._web is not None and self._web.is_loopback

    async def begin(self) -> None:
        """Start at once what was asked for, or has accounts already.

        Raises:
            ZwermError: a setting that cannot be, or a store that cannot be opened.
        """
        if not self.is_wanted:
            return
        if self._config.is_set("calls.enabled"):
            self.running = await start_calls(self._config, self._repository, self._web, self._relay, self._https)
        elif self._config.text("calls.store") or (self._repository.path / STORE).exists():
            await self.handler()

    async def handler(self) -> CallsHandler | None:
        """What answers; it starts now if it has not yet. None: this node has no calls."""
        if not self.is_wanted:
            await self.close()
            return None
        async with self._lock:
            if self.running is None:
                try:
                    self.running = await start_calls(
                        self._config, self._repository, self._web, self._relay, self._https
                    )
                except ZwermError as error:
                    log.error("calls cannot start: %s", error)
        return self.running

    async def close(self) -> None:
        """End the service, if there is one."""
        async with self._lock:
            running, self.running = self.running, None
            if running is not None:
                await running.close()


async def start_calls(
    config: Config,
    repository: Repository,
    web: Address | None,
    relay: TurnRelay | None,
    https: NodeHttps | None = None,
) -> CallsHandler:
    """Start the service of a node; it answers on the web app's listener.

    Raises:
        ZwermError: a setting that cannot be, or a store that cannot be opened.
    """
    await asyncio.to_thread(_load)
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.daemon.calls.options import CREDENTIAL_LIFETIME, SignalOptions, make_service

    def credentials(user: str) -> list[dict[str, Any]]:
        if relay is None:
            return []
        made = relay.ice_servers(relay.time_limited(user, CREDENTIAL_LIFETIME))
        return list(made["iceServers"])

    here = f"http://localhost:{web.port}" if web is not None else "http://localhost"
    origin = config.text("calls.origin") or (https.origin if https is not None else None) or here
    options = SignalOptions(
        store=config.text("calls.store") or str(repository.path / STORE),
        bus=config.text("calls.bus"),
        origin=origin,
        smtp=config.text("calls.smtp"),
        sender=config.text("calls.sender"),
        registration=config.boolean("calls.registration"),
    )
    service = make_service(options, credentials)
    await service.start()
    log.info("calls", extra={"origin": origin})
    peers = None
    if config.boolean("calls.peerjs"):
        from zwerm.daemon.calls.peerjs import PeerServer

        peers = PeerServer()
    return CallsHandler(service, (origin,), peers=peers)


def _load() -> None:
    """Read the code of the service from the disk, which takes a moment."""
    importlib.import_module("zwerm.daemon.calls.handler")
    for part in importlib.import_module("zwerm.calls.service.aio").PARTS:
        importlib.import_module(f"zwerm.calls.service.{part}")
    importlib.import_module("zwerm.daemon.calls.options")
