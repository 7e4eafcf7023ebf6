"""The calls service inside a node (`zwerm up --calls`): its options from the configuration."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.daemon.turn.relay import TurnRelay
    from zwerm.node.address import Address
    from zwerm.node.config import Config
    from zwerm.node.repository import Repository

log = logging.getLogger("zwerm.calls")


async def start_calls(
    config: Config, repository: Repository, web: Address | None, relay: TurnRelay | None
) -> CallsHandler:
    """Start the service of a node; it answers on the web app's listener.

    Raises:
        ZwermError: a setting that cannot be, or a store that cannot be opened.
    """
    from zwerm.daemon.calls.handler import CallsHandler
    from zwerm.daemon.calls.options import CREDENTIAL_LIFETIME, SignalOptions, make_service

    def credentials(user: str) -> list[dict[str, Any]]:
        if relay is None:
            return []
        made = relay.ice_servers(relay.time_limited(user, CREDENTIAL_LIFETIME))
        return list(made["iceServers"])

    origin = config.text("calls.origin") or (f"http://localhost:{web.port}" if web is not None else "http://localhost")
    options = SignalOptions(
        store=config.text("calls.store") or str(repository.path / "calls.sqlite"),
        origin=origin,
        smtp=config.text("calls.smtp"),
        sender=config.text("calls.sender"),
        registration=config.boolean("calls.registration"),
    )
    service = make_service(options, credentials)
    await service.start()
    log.info("calls", extra={"origin": origin})
    return CallsHandler(service, (origin,))
