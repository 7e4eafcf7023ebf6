"""The relay inside a node (`zwerm up --turn`): its options from the configuration, and its test once it runs."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from zwerm.daemon.turn.options import TurnOptions

if TYPE_CHECKING:
    from zwerm.daemon.turn.relay import TurnRelay
    from zwerm.node.address import Address
    from zwerm.node.config import Config

log = logging.getLogger("zwerm.turn")


def options_of(config: Config, address: Address) -> TurnOptions:
    """Return what the configuration says; without a secret there is a new one for each run."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    return TurnOptions(
        listen=(f"{host}:{address.port}",),
        realm=config.text("turn.realm"),
        secret=config.text("turn.secret") or secrets.token_urlsafe(24),
        allow_peers=config.texts("turn.allow_peers"),
        external_ip=config.text("turn.external") or None,
        cert=config.text("turn.cert") or None,
        key=config.text("turn.key") or None,
        ports=config.text("turn.ports"),
        user_quota=config.integer("turn.user_quota"),
        user_bytes_per_second=config.size("turn.user_rate") or None,
        total_bytes_per_second=config.size("turn.total_rate") or None,
        workers=config.integer("turn.workers"),
    )


async def start_relay(config: Config, address: Address) -> TurnRelay:
    """Start the relay of a node.

    Raises:
        ZwermError: a setting that cannot be, or an address that is not ours.
    """
    from zwerm.daemon.turn.relay import TurnRelay

    relay = TurnRelay(options_of(config, address))
    await relay.start()
    log.info("relaying", extra={"urls": " ".join(map(str, relay.uris))})
    return relay
