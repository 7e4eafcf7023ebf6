"""`turn`: the relay of this node, and credentials for it that end by themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Request, route

if TYPE_CHECKING:
    from zwerm.daemon.turn.relay import TurnRelay

LONGEST: Final = 86_400  # seconds
SHORTEST: Final = 60  # seconds
MAX_NAME: Final = 128  # characters


@route("GET", "turn")
async def show(request: Request) -> dict[str, Any]:
    """Say whether a relay runs here, where, and what it does."""
    relay = request.api.listeners.relay
    if relay is None:
        return {"running": False, "urls": [], "realm": None, "external": None, "workers": 0, "numbers": {}}
    numbers = await relay.statistics()
    return {
        "running": True,
        "urls": [str(uri) for uri in relay.uris],
        "realm": relay.options.realm,
        "external": relay.external,
        "workers": relay.options.workers,
        "numbers": {name.removeprefix("turn_"): value for name, value in numbers.items()},
    }


@route("POST", "turn/credentials")
async def credentials(request: Request) -> dict[str, Any]:
    """Make a credential for one user and so many seconds."""
    relay = _running(request)
    wishes = await request.json()
    user, lifetime = wishes.get("user", "web"), wishes.get("lifetime", LONGEST)
    if not isinstance(user, str) or not 0 < len(user) <= MAX_NAME:
        raise AppError("bad-request", f"A user has a name of 1 to {MAX_NAME} characters", "user")
    if type(lifetime) is not int or not SHORTEST <= lifetime <= LONGEST:
        raise AppError("bad-request", f"A credential lasts {SHORTEST} to {LONGEST} seconds", "lifetime")
    try:
        credential = relay.time_limited(user, lifetime)
    except LocalProtocolError as error:
        raise AppError("bad-request", str(error), "user") from None
    ends = dt.datetime.fromtimestamp(int(credential.username.partition(":")[0]), dt.UTC)
    return {
        **relay.ice_servers(credential),
        "username": credential.username,
        "credential": credential.password,
        "lifetime": lifetime,
        "ends": ends.isoformat().replace("+00:00", "Z"),
    }


@route("POST", "turn/check")
async def check(request: Request) -> dict[str, Any]:
    """Have the relay test itself, from outside in."""
    from zwerm.daemon.turn.check import check as check_relay

    findings = await check_relay(_running(request))
    return {
        "findings": [
            {"good": one.is_good, "words": one.words, "verdict": one.verdict.name.lower(), "values": one.values}
            for one in findings
        ]
    }


def _running(request: Request) -> TurnRelay:
    relay = request.api.listeners.relay
    if relay is None:
        raise AppError("not-found", "No relay runs on this node: turn it on in the settings, or use `zwerm up --turn`")
    return relay
