"""Requests of rooms."""

from __future__ import annotations

import secrets
from typing import Any

from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.rooms import RoomRecord
from zwerm.calls.service.client import Client, Visitor, request
from zwerm.calls.store import rooms


@request("room-open")
async def open_room(client: Client, message: Message) -> dict[str, Any]:
    """Make a room; its link is told now and never again, as only a hash of it is kept."""
    service, link = client.service, secrets.token_urlsafe(24)
    user, name = client.user
    record = RoomRecord(
        f"r_{secrets.token_hex(8)}",
        message["title"],
        name,
        waiting=message["waiting"],
        keep_chat=float(message.get("keep_chat", 0)),
    )
    limit = service.config.rooms_of_user
    await service.database.run(rooms.open_room, record, user, link, service.wall(), limit)
    return {"room": record.id, "link": link, "url": service.fetching.url_of("room", link)}


@request("rooms")
async def mine(client: Client, _message: Message) -> dict[str, Any]:
    """The rooms of the account."""
    user, _ = client.user
    return {"rooms": await client.service.database.run(rooms.of, user)}


@request("room-join")
async def join(client: Client, message: Message) -> dict[str, Any]:
    """Come in, or to the door."""
    service = client.service
    service.check_guess(client.peer)
    try:
        record, chat = await service.database.run(rooms.behind, message["link"], service.wall())
    except Refused:
        service.note_guess(client.peer)
        raise
    home = await service.several.rooms.claim(record.id)
    if home is None or isinstance(client, Visitor):
        return service.board.rooms.join(record, chat, client.party, message["label"], service.now())
    user = client.session.user if client.session is not None else None
    value = await service.several.ask(home, client.party, user, client.peer, message)
    service.several.rooms.entered(record.id, client.party.device, message["link"], message["label"])
    return value


@request("room-leave")
async def leave(client: Client, message: Message) -> dict[str, Any]:
    """Go."""
    client.service.board.rooms.leave(message["room"], client.party)
    return {}


@request("room-admit")
async def admit(client: Client, message: Message) -> dict[str, Any]:
    """Let somebody in."""
    client.service.board.rooms.admit(message["room"], client.party, message["member"])
    return {}


@request("room-remove")
async def remove(client: Client, message: Message) -> dict[str, Any]:
    """Put somebody out."""
    client.service.board.rooms.remove(message["room"], client.party, message["member"])
    return {}


@request("room-ask")
async def ask(client: Client, message: Message) -> dict[str, Any]:
    """Ask somebody to mute, or the like."""
    client.service.board.rooms.ask(message["room"], client.party, message["member"], message["what"])
    return {}


@request("room-lock")
async def lock(client: Client, message: Message) -> dict[str, Any]:
    """Lock or unlock the door."""
    client.service.board.rooms.lock(message["room"], client.party, locked=message["locked"])
    await _written(client)
    return {}


@request("room-end")
async def end(client: Client, message: Message) -> dict[str, Any]:
    """End the room for everybody."""
    client.service.board.rooms.end(message["room"], client.party)
    await _written(client)
    return {}


@request("room-say")
async def say(client: Client, message: Message) -> dict[str, Any]:
    """Write a line."""
    service = client.service
    line = service.board.rooms.say(message["room"], client.party, message["text"], service.wall(), service.now())
    await _written(client)
    return {"n": line.n}


async def _written(client: Client) -> None:
    """Tell the others at once; whoever did it hears of it when it lasts. Raises as `Ledger.written`."""
    service = client.service
    before = service.ledger.count
    service.settle()
    if service.ledger.count > before:
        await service.ledger.written()


@request("room-rename")
async def rename(client: Client, message: Message) -> dict[str, Any]:
    """Change the name that the others see."""
    service = client.service
    service.board.rooms.rename(message["room"], client.party, message["label"], service.now())
    return {}
