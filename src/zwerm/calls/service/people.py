"""Requests about oneself and others: account, devices, contacts, presence, push messages."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.service.client import Client, request
from zwerm.calls.service.signing_in import check_mail_rate
from zwerm.calls.sessions import Presence
from zwerm.calls.store import accounts, history, notices

FAREWELL: Final = 1.0  # seconds that the last answer has to arrive
_PLAIN: Final = ("callers", "disturb", "language")


@request("me")
async def me(client: Client, _message: Message) -> dict[str, Any]:
    """What is kept about the account, as a page shows it."""
    user, name = client.user
    run = client.service.database.run
    found = await run(accounts.export, user)
    account = found["account"]
    return {
        "name": name,
        "email": account["email"],
        "language": account["language"],
        "callers": account["callers"],
        "disturb": account["disturb"],
        "devices": found["devices"],
        "passkeys": found["passkeys"],
        "contacts": {each["other"]: each["kind"] for each in found["contacts"]},
        "missed": await run(history.missed, name),
    }


@request("export")
async def export(client: Client, _message: Message) -> dict[str, Any]:
    """Everything that is kept about the account."""
    user, _ = client.user
    return await client.service.database.run(accounts.export, user)


@request("delete-account")
async def delete_account(client: Client, message: Message) -> dict[str, Any]:
    """Delete the account and all that is kept about it; its name is given once more, so that it is no accident."""
    user, name = client.user
    if message["name"] != name:
        raise Refused("wrong-name", "That is not the name of this account")
    service = client.service
    await service.database.run(accounts.erase, user, service.wall())
    for endpoint, _ in service.board.reached(name):
        if endpoint != client.party.device:
            service.board.close(endpoint, "signed-out", "the account was deleted")
    asyncio.get_running_loop().call_later(FAREWELL, client.wire.cut, "signed-out", "the account was deleted")
    return {}


@request("settings")
async def settings(client: Client, message: Message) -> dict[str, Any]:
    """Change what is given; a new address counts when its link is opened."""
    service = client.service
    user, name = client.user
    values: dict[str, Any] = {key: message[key] for key in _PLAIN if key in message}
    account = await service.database.run(accounts.change, user, values)
    if (email := message.get("email")) is not None:
        if not service.fetching.has_mail:
            raise Refused("no-mail", "This service sends no mail")
        check_mail_rate(client, email.lower())
        secret, data = secrets.token_urlsafe(32), {"email": email.lower()}
        await service.database.run(accounts.add_link, secret, user, "confirm", data, service.wall())
        await service.fetching.mail_link(account, "confirm", secret, to=email.lower())
    service.board.tell_user(name, {"type": "account", "what": "settings"}, but=client.party.device)
    return {}


@request("device-link")
async def device_link(client: Client, _message: Message) -> dict[str, Any]:
    """Make a link that signs another device in, to be shown as a QR code."""
    service, secret = client.service, secrets.token_urlsafe(32)
    user, _ = client.user
    await service.database.run(accounts.add_link, secret, user, "device", {}, service.wall())
    return {"token": secret, "url": service.fetching.url_of("device", secret)}


@request("device-remove")
async def device_remove(client: Client, message: Message) -> dict[str, Any]:
    """Sign a device out; its sessions end at once."""
    service, device = client.service, message["device"]
    user, name = client.user
    if not await service.database.run(accounts.remove_device, user, device):
        raise Refused("no-such-device", "There is no such device")
    for endpoint, _ in service.board.reached(name):
        if endpoint.partition(".")[0] == device and endpoint != client.party.device:
            service.board.close(endpoint, "signed-out", "this device was signed out")
    service.board.tell_user(name, {"type": "account", "what": "devices"}, but=client.party.device)
    return {}


@request("contact")
async def contact(client: Client, message: Message) -> dict[str, Any]:
    """Keep somebody as a contact, block them, or forget them."""
    service = client.service
    user, name = client.user
    limit = service.config.contacts
    await service.database.run(accounts.set_contact, user, message["name"], message["kind"], limit)
    service.board.tell_user(name, {"type": "account", "what": "contacts"}, but=client.party.device)
    return {}


@request("presence")
async def presence(client: Client, message: Message) -> dict[str, Any]:
    """Say how one can be reached at this device."""
    if client.session is not None:
        client.service.board.set_presence(client.session, Presence(message["state"]))
    return {}


@request("watch")
async def watch(client: Client, message: Message) -> dict[str, Any]:
    """Follow the presence of those who take calls from here; the others seem to be offline."""
    service = client.service
    _, name = client.user
    names = list(dict.fromkeys(message["names"]))
    seen = await service.database.run(accounts.visible, names, name)
    if client.session is None:
        return {"states": {}}
    states = service.board.watch(client.session, seen)
    return {"states": {each: states.get(each, "offline") for each in names}}


@request("push-subscribe")
async def push_subscribe(client: Client, message: Message) -> dict[str, Any]:
    """Keep where push messages reach this browser."""
    service = client.service
    user, _ = client.user
    if service.fetching.push_key is None:
        raise Refused("no-push", "This service sends no push messages")
    if not message["endpoint"].startswith(service.fetching.push_schemes):
        raise Refused("bad-endpoint", "Push messages are sent over HTTPS only")
    new = notices.Subscription(message["endpoint"], message["p256dh"], message["auth"])
    limit = service.config.subscriptions
    await service.database.run(notices.subscribe, user, new, service.wall(), limit)
    return {}


@request("push-unsubscribe")
async def push_unsubscribe(client: Client, message: Message) -> dict[str, Any]:
    """Forget where push messages reach a browser of the account."""
    user, _ = client.user
    await client.service.database.run(notices.unsubscribe, message["endpoint"], user)
    return {}
