"""What the words of a command line, or of a configuration, mean for the calls service."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from zwerm.calls.bus.aio import open_bus
from zwerm.calls.mail.aio import SmtpMailer
from zwerm.calls.push.aio import WebPush
from zwerm.calls.service.aio import CallsService, Relay, ServiceOptions
from zwerm.calls.store.database import Database
from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.turn.credentials import time_limited

DIRECTORY: Final = "https://acme-v02.api.letsencrypt.org/directory"  # of the ACME authority
CREDENTIAL_LIFETIME: Final = 3_600  # seconds of a relay's credential; a call that lasts longer asks again


@dataclasses.dataclass(frozen=True, slots=True)
class SignalOptions:
    """The command line, as it was typed."""

    listen: str = ""  # 127.0.0.1:8089; with a domain 0.0.0.0:443
    store: str = "zwerm-calls.sqlite"  # a file, or the URL of a database
    bus: str = ""  # URL of the Redis or NATS by which several processes are one service
    origin: str = ""  # as browsers see the service; the address it listens on by default
    origins: tuple[str, ...] = ()  # of other pages that may use it
    smtp: str = ""
    sender: str = ""
    registration: bool = True
    push: bool = True
    turn: tuple[str, ...] = ()  # URLs of relays
    turn_secret: str = ""
    cert: str = ""  # file; makes it HTTPS
    key: str = ""
    domain: str = ""  # name that leads here; makes it HTTPS by ACME
    acme_directory: str = DIRECTORY
    acme_trusted: str = ""  # file of what an authority of one's own is checked against
    acme_folder: str = "zwerm-calls-tls"  # keeps the account, the keys and the certificate
    plain: str = ""  # where the authority asks; 0.0.0.0:80
    trusted_proxies: tuple[str, ...] = ()  # addresses or ranges
    peerjs: bool = False  # whether clients of PeerJS are served, too
    allow_load: bool = False  # whether `zwerm load calls` may make accounts
    is_json: bool = False


def make_service(options: SignalOptions, relay: Relay | None = None) -> CallsService:
    """Return a service that does not run yet.

    Raises:
        LocalProtocolError: an option that cannot be.
    """
    parts = urlsplit(options.origin)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise LocalProtocolError(
            f"the origin is {options.origin[:80]!r}, expected a form like https://calls.example.org"
        )
    mailer = None
    if options.smtp:
        mailer = SmtpMailer(options.smtp, options.sender or f"calls@{parts.hostname}")
    contact = f"mailto:{mailer.sender}" if mailer else options.origin
    pusher = WebPush(contact) if options.push else None
    if relay is None and options.turn:
        if not options.turn_secret:
            raise LocalProtocolError("a relay needs the secret that its credentials are made of: give --turn-secret")
        relay = TurnCredentials(options.turn, options.turn_secret)
    bus = open_bus(options.bus) if options.bus else None
    return CallsService(
        Database(database_url(options.store), is_shared=bus is not None),
        ServiceOptions(origin=options.origin.rstrip("/"), registration=options.registration),
        mailer=mailer,
        pusher=pusher,
        relay=relay,
        bus=bus,
    )


def database_url(store: str) -> str:
    """Read a store: the URL of a database, or a path for SQLite."""
    return store if "://" in store else f"sqlite:///{Path(store).absolute()}"


class TurnCredentials:
    """Makes credentials for relays that share a secret with this service."""

    def __init__(self, urls: tuple[str, ...], secret: str, wall: Callable[[], float] = time.time) -> None:
        """`wall` is the clock of the relays, seconds since 1970."""
        self._urls = urls
        self._secret = secret
        self._wall = wall

    def __call__(self, user: str) -> list[dict[str, Any]]:
        made = time_limited(self._secret, user, int(self._wall()) + CREDENTIAL_LIFETIME)
        return [{"urls": list(self._urls), "username": made.username, "credential": made.password}]
