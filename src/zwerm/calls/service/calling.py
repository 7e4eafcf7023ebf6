"""Requests of a call: ring, answer and the rest; what its ends say to each other; the list of calls."""

from __future__ import annotations

import secrets
from typing import Any, Final

from sqlalchemy import Connection

from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.ringing import State
from zwerm.calls.service.client import Client, request
from zwerm.calls.sessions import Party, Presence
from zwerm.calls.store import accounts, history, notices

CROSSING: Final = "crossing "  # in front of the call in which the other one rings here


@request("ring")
async def ring(client: Client, message: Message) -> dict[str, Any]:
    """Ring somebody. The call is written down before this is answered, and so are the messages that fetch them."""
    service, callee = client.service, message["to"]
    board, run = service.board, service.database.run
    _, caller = client.user
    if callee == caller:
        raise Refused("yourself", "That is you")
    now, config = service.now(), service.config
    board.rates.spend("rings", caller, config.rings, now, "too-fast", "Too many calls in a short time")
    pair = f"{caller} {callee}"
    board.rates.spend("rings-at", pair, config.rings_at, now, "too-fast", f"Too many calls to {callee} in a short time")
    if (other := board.calls.check(caller, callee)) is not None:
        board.calls.answer(other.id, client.party)
        return {"call": other.id, "state": "answered", "by": other.caller.document()}
    call = f"{service.process}.{secrets.token_urlsafe(12)}"
    is_away = board.presence(callee) is Presence.OFFLINE
    media, at = message["media"], service.wall()
    user, code = await run(
        _begin_if_allowed, call, client.party, callee, media, at, service.longest(callee), is_away=is_away
    )
    if code.startswith(CROSSING):
        return await _answer_crossing(client, code.removeprefix(CROSSING))
    if user is None or code:
        words = f"Nobody is called {callee}" if user is None else f"{callee} cannot be reached"
        raise Refused(code, words)
    new: list[notices.Notice] = []
    if is_away:
        new = await service.fetching.prepare(user, caller, call)
        await run(_begin, call, client.party, callee, media, at, new)
    sessions = board.reached(callee)  # those that are in a break ring when they come back
    endpoints = [endpoint for endpoint, is_connected in sessions if is_connected]
    may_come = bool(new) or len(sessions) > len(endpoints)
    try:
        made = board.calls.ring(call, client.party, callee, media, endpoints, service.now(), is_fetched=may_come)
    except Refused:
        service.fetching.drop(new)
        await run(history.ended, call, "cancelled", service.wall(), missed=False)
        raise
    if made.id != call:  # the other one rang meanwhile
        service.fetching.drop(new)
        await run(history.ended, call, "cancelled", service.wall(), missed=False)
        return {"call": made.id, "state": "answered", "by": made.caller.document()}
    service.fetching.send(new)
    state = {State.RINGING: "ringing" if made.rung else "waiting", State.ENDED: "ended"}
    return {"call": call, "state": state.get(made.state, "answered")}


async def _answer_crossing(client: Client, call: str) -> dict[str, Any]:
    """Answer a call from whoever was to be rung, which rings at another process."""
    service, (user, _) = client.service, client.user
    message = {"type": "answer", "call": call}
    home = service.several.home_of(message)
    if home is None:
        answered = _take(client, call)
    else:
        answered = await service.several.ask(home, client.party, user, client.peer, message)
    return {"call": call, "state": "answered", "by": answered["from"]}


def _begin(
    connection: Connection,
    call: str,
    caller: Party,
    callee: str,
    media: list[str],
    now: float,
    new: list[notices.Notice],
) -> None:
    history.begin(connection, call, caller, callee, media, now)
    notices.put(connection, new)


def _begin_if_allowed(
    connection: Connection,
    call: str,
    caller: Party,
    callee: str,
    media: list[str],
    now: float,
    longest: float | None,
    *,
    is_away: bool,
) -> tuple[accounts.User | None, str]:
    """Write a call down when its callee is there and wants it: one commit for each ring. Return why not, if not."""
    user, kind = accounts.standing(connection, callee, caller.name or "")
    if user is None:
        return None, "no-such-name"
    if kind == "blocked" or (user.callers == "contacts" and kind != "contact"):
        return user, "unavailable"
    if longest is not None and (other := history.crossing(connection, caller.name or "", callee, now, longest)):
        return user, CROSSING + other
    if not user.disturb:  # it is listed as missed
        history.begin(connection, call, caller, callee, media, now)
        history.ended(connection, call, "unavailable", now, missed=True)
        return user, "unavailable"
    if not is_away:
        history.begin(connection, call, caller, callee, media, now)
    return user, ""


@request("answer")
async def answer(client: Client, message: Message) -> dict[str, Any]:
    """Take a call; who rings, and the key by which they prove it, are in the answer."""
    return _take(client, message["call"])


def _take(client: Client, call: str) -> dict[str, Any]:
    taken = client.service.board.calls.answer(call, client.party)
    return {"call": taken.id, "from": taken.caller.document()}


@request("decline")
async def decline(client: Client, message: Message) -> dict[str, Any]:
    """Refuse a call."""
    busy = message.get("reason") == "busy"
    client.service.board.calls.decline(message["call"], client.party, busy=busy)
    return {}


@request("cancel")
async def cancel(client: Client, message: Message) -> dict[str, Any]:
    """Stop ringing."""
    client.service.board.calls.cancel(message["call"], client.party)
    return {}


@request("hang-up")
async def hang_up(client: Client, message: Message) -> dict[str, Any]:
    """End a call."""
    client.service.board.calls.hang_up(message["call"], client.party)
    return {}


@request("signal")
async def signal(client: Client, message: Message) -> dict[str, Any]:
    """Carry a text to the other end of a call, or to somebody in the same room."""
    client.service.board.signal(
        client.party, message["to"], message["data"], call=message.get("call"), room=message.get("room")
    )
    return {}


@request("relay")
async def relay(client: Client, _message: Message) -> dict[str, Any]:
    """Give out a short-lived credential of the relay."""
    service, party = client.service, client.party
    if service.relay is None:
        return {"iceServers": []}
    return {"iceServers": service.relay(party.name or party.device.partition(".")[0])}


@request("history")
async def calls(client: Client, message: Message) -> dict[str, Any]:
    """The calls of the account, newest first."""
    _, name = client.user
    before, limit = message.get("before", 1e12), message.get("limit", 50)
    return {"calls": await client.service.database.run(history.of, name, before, limit)}


@request("history-seen")
async def seen(client: Client, _message: Message) -> dict[str, Any]:
    """The missed calls were looked at."""
    _, name = client.user
    await client.service.database.run(history.see, name)
    client.service.board.tell_user(name, {"type": "account", "what": "history"}, but=client.party.device)
    return {}
