"""Requests of those who are not signed in: accounts, links, and the greeting that makes a session."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from zwerm.calls import identity
from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.service.client import Client, request
from zwerm.calls.sessions import Party, Session
from zwerm.calls.store import accounts, rooms


@request("register", is_open=True, is_counted=True)
async def register(client: Client, message: Message) -> dict[str, Any]:
    """Make an account. Its address is confirmed by a link; where there is no mail, the device is let in at once."""
    service = client.service
    if not service.options.registration:
        raise Refused("closed", "Accounts are made by whoever runs this service")
    identity.check_key(message["key"])
    has_mail = service.fetching.has_mail
    email = message.get("email") if has_mail else None
    if has_mail and email is None:
        raise Refused("email-missing", "An address is needed, to which a link is sent")
    now = service.wall()
    user = accounts.User(
        id=f"u_{secrets.token_hex(12)}",
        name=message["name"],
        email=email.lower() if email else None,
        confirmed=not has_mail,
        language=message.get("language", "en"),
        callers="anyone",
        disturb=True,
        created=now,
    )
    if user.email is not None:
        check_mail_rate(client, user.email)
    is_new = await service.database.run(accounts.register, user, now)
    secret = secrets.token_urlsafe(32)
    run = service.database.run
    if not has_mail:
        await run(accounts.add_link, secret, user.id, "device", {}, now)
        return {"token": secret}
    if is_new:
        await run(accounts.add_link, secret, user.id, "confirm", {}, now)
        await service.fetching.mail_link(user, "confirm", secret)
    elif (owner := await run(accounts.find, email=user.email)) is not None:
        await mail_sign_in(client, owner)  # whoever owns the address learns it there, and nobody here
    return {}


@request("sign-in", is_open=True, is_counted=True)
async def sign_in(client: Client, message: Message) -> dict[str, Any]:
    """Send a link to an address; the answer does not say whether it has an account."""
    service = client.service
    if not service.fetching.has_mail:
        raise Refused("no-mail", "This service sends no mail; sign in with a link from another device of yours")
    email = message["email"].lower()
    check_mail_rate(client, email)
    user = await service.database.run(accounts.find, email=email)
    if user is not None:
        await mail_sign_in(client, user)
    return {}


async def mail_sign_in(client: Client, user: accounts.User) -> None:
    service, secret = client.service, secrets.token_urlsafe(32)
    await service.database.run(accounts.add_link, secret, user.id, "sign-in", {}, service.wall())
    await service.fetching.mail_link(user, "sign-in", secret)


def check_mail_rate(client: Client, email: str) -> None:
    """Raise a `Refused` when an address gets too many mails, or too many are caused from there."""
    service = client.service
    rates, config, now = service.board.rates, service.config, service.now()
    sentence = "Too many mails in a short time"
    if rates.is_empty("mails-to", email, config.mails_to, now):
        rates.spend("mails-to", email, config.mails_to, now, "too-many-mails", sentence)
    rates.spend("mails-by", client.peer, config.mails_by, now, "too-many-mails", sentence)
    rates.spend("mails-to", email, config.mails_to, now, "too-many-mails", sentence)


@request("redeem", is_open=True, is_counted=True)
async def redeem(client: Client, message: Message) -> dict[str, Any]:
    """Use a link up: this device belongs to the account then."""
    service = client.service
    service.check_guess(client.peer)
    identity.check_key(message["key"])
    device = f"d_{secrets.token_hex(12)}"
    try:
        made, kind, data = await service.database.run(
            accounts.redeem,
            message["token"],
            device,
            message["key"],
            message["label"],
            service.wall(),
            service.config.devices,
        )
    except Refused:
        service.note_guess(client.peer)
        raise
    service.board.tell_user(made.user.name, {"type": "account", "what": "devices"})
    return {"device": made.id, "name": made.user.name, "kind": kind, **data}


@request("hello", is_open=True)
async def hello(client: Client, message: Message) -> dict[str, Any]:
    """Begin or go on with a session, by the signature of the device."""
    service = client.service
    if client.session is not None:
        raise Refused("signed-in", "This connection has a session already")
    check_greeting(client)
    device = await service.database.run(accounts.device, message["device"], service.wall())
    signed = identity.greeting(client.host, client.nonce, message["device"])
    if device is None or not identity.verify(device.key, message["signature"], signed):
        note_greeting(client)
        raise Refused("not-known", "This device is not signed in")
    user = device.user
    session = await _resumed(client, device.id, message)
    is_resumed = session is not None
    if session is None:
        party = Party(user.name, f"{device.id}.{secrets.token_hex(4)}", device.key, device.label)
        session = Session(party, device.id, user.id, service.new_secret(), service.config)
        service.board.sessions.open(session, client.name, service.now())
    client.enter(session)
    return _ready(session, is_resumed=is_resumed)


@request("guest", is_open=True)
async def guest(client: Client, message: Message) -> dict[str, Any]:
    """Begin or go on with the session of somebody without an account, who has the link of a room."""
    service = client.service
    if client.session is not None:
        raise Refused("signed-in", "This connection has a session already")
    service.check_guess(client.peer)
    check_greeting(client)
    key = message["key"]
    if not identity.verify(key, message["signature"], identity.greeting(client.host, client.nonce, "guest")):
        note_greeting(client)
        raise Refused("not-known", "The signature is not that of the key")
    try:
        await service.database.run(rooms.behind, message["link"], service.wall())
    except Refused:
        service.note_guess(client.peer)
        raise
    device = f"g_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    session = await _resumed(client, device, message)
    is_resumed = session is not None
    if session is None:
        party = Party(None, f"{device}.{secrets.token_hex(4)}", key, message["label"])
        session = Session(party, device, None, service.new_secret(), service.config, network=client.peer)
        service.board.sessions.open(session, client.name, service.now())
    client.enter(session)
    return _ready(session, is_resumed=is_resumed)


def check_greeting(client: Client) -> None:
    """Raise a `Refused` when too many wrong signatures came from there."""
    service = client.service
    if service.board.rates.is_empty("greetings", client.peer, service.config.greetings, service.now()):
        raise Refused("too-fast", "Too many wrong signatures from there", wait=10.0)


def note_greeting(client: Client) -> None:
    """A wrong signature came from there."""
    service = client.service
    service.board.rates.take("greetings", client.peer, service.config.greetings, service.now())


async def _resumed(client: Client, device: str, message: Message) -> Session | None:
    resume = message.get("resume")
    if resume is None:
        return None
    service, secret, seq = client.service, resume["session"], resume["seq"]
    session = service.board.sessions.resume(secret, device, seq, client.name, service.now())
    if session is not None:
        return session
    found = await service.several.fetch(secret, device, seq)
    if found is None:
        return None
    session = Session.restore(found, service.new_secret(), service.config, service.now(), client.peer)
    service.board.take_over(session, found["watching"], client.name, service.now())
    return session


def _ready(session: Session, *, is_resumed: bool) -> dict[str, Any]:
    return {
        "session": session.secret,
        "endpoint": session.party.device,
        "name": session.party.name,
        "resumed": is_resumed,
        "heard": session.heard,
    }
