"""Requests of passkeys: make one, sign in with one, remove one."""

from __future__ import annotations

import asyncio
import importlib
import secrets
from typing import TYPE_CHECKING, Any

from zwerm.calls import identity
from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.service.client import Client, request
from zwerm.calls.store import passkeys as rows

if TYPE_CHECKING:
    from zwerm.calls.passkeys import Passkeys


async def _passkeys(client: Client) -> Passkeys:
    """The passkeys of this service; its package is loaded now, in a thread."""
    module = await asyncio.to_thread(importlib.import_module, "zwerm.calls.passkeys")
    made: Passkeys = module.Passkeys(client.service.options.origin)
    return made


def _challenge(client: Client) -> bytes:
    """Make what has to be signed; it is good for one answer on this connection."""
    client.challenge = secrets.token_bytes(32)
    return client.challenge


def _taken(client: Client) -> bytes:
    challenge, client.challenge = client.challenge, None
    if challenge is None:
        raise Refused("bad-passkey", "Ask for a challenge first")
    return challenge


@request("passkey-new")
async def new(client: Client, _message: Message) -> dict[str, Any]:
    """Begin to make a passkey for the account."""
    user, name = client.user
    have = await client.service.database.run(rows.ids_of, user)
    return {"options": (await _passkeys(client)).ask_for_new(user, name, have, _challenge(client))}


@request("passkey-add")
async def add(client: Client, message: Message) -> dict[str, Any]:
    """Keep the passkey that the browser made."""
    service, (user, name) = client.service, client.user
    made = (await _passkeys(client)).check_new(message["credential"], _taken(client))
    row = {"id": made.id, "key": made.key, "count": made.count, "label": message["label"], "created": service.wall()}
    await service.database.run(rows.add, user, row, service.config.passkeys)
    service.board.tell_user(name, {"type": "account", "what": "passkeys"}, but=client.party.device)
    return {"passkey": made.id}


@request("passkey-remove")
async def remove(client: Client, message: Message) -> dict[str, Any]:
    """Forget a passkey."""
    service, (user, name) = client.service, client.user
    if not await service.database.run(rows.remove, user, message["passkey"]):
        raise Refused("no-such-passkey", "There is no such passkey")
    service.board.tell_user(name, {"type": "account", "what": "passkeys"}, but=client.party.device)
    return {}


@request("passkey-challenge", is_open=True, is_counted=True)
async def challenge(client: Client, _message: Message) -> dict[str, Any]:
    """Begin to sign in."""
    return {"options": (await _passkeys(client)).ask(_challenge(client))}


@request("passkey-sign-in", is_open=True, is_counted=True)
async def sign_in(client: Client, message: Message) -> dict[str, Any]:
    """Sign this device in."""
    service = client.service
    service.check_guess(client.peer)
    identity.check_key(message["key"])
    keys, wanted = await _passkeys(client), _taken(client)
    from zwerm.calls.passkeys import Passkey, id_of

    try:
        row = await service.database.run(rows.find, id_of(message["credential"]))
        if row is None:
            raise Refused("bad-passkey", "No account has this passkey")
        count = keys.check(message["credential"], Passkey(row.id, row.key, row.count), wanted)
    except Refused:
        service.note_guess(client.peer)
        raise
    made = await service.database.run(
        rows.sign_in,
        row.id,
        count,
        f"d_{secrets.token_hex(12)}",
        message["key"],
        message["label"],
        service.wall(),
        service.config.devices,
    )
    service.board.tell_user(made.user.name, {"type": "account", "what": "devices"})
    return {"device": made.id, "name": made.user.name, "kind": "passkey"}
