"""Requests of a call: ring, answer and the rest; what its ends say to each other; the list of calls."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from sqlalchemy import Connection

from zwerm.calls.limits import Refused
from zwerm.calls.message import Message
from zwerm.calls.ringing import State
from zwerm.calls.service.client import Client, request
from zwerm.calls.sessions import Party, Presence
from zwerm.calls.store import accounts, history, notices

CROSSING: Final = 0.05  # seconds until a call that seems to cross ours is looked for again
CROSSINGS: Final = 5  # such looks; after them ours rings
CLOCKS: Final = 90_000.0  # seconds that the clocks of two machines may be apart


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
    media = message["media"]
    for left in reversed(range(CROSSINGS + 1)):
        try:
            new = await _write_down(client, call, callee, media, is_last=not left)
            break
        except _Crossing as crossing:
            try:
                return await _answer_crossing(client, crossing.call)
            except Refused as refused:
                if refused.code != "no-such-call":
                    raise
            await asyncio.sleep(CROSSING)  # it is over, or not begun yet: the next look says which
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


class _Crossing(Exception):
    """The callee rings the caller in this call, at another process."""

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call


async def _write_down(
    client: Client, call: str, callee: str, media: list[str], *, is_last: bool
) -> list[notices.Notice]:
    """Keep a call, and the messages that fetch its callee; return those. It is `_Crossing` when they ring here.

    Raises:
        Refused: the callee is not there for this caller.
    """
    service = client.service
    _, caller = client.user
    pair = "ring " + " ".join(sorted((caller, callee)))
    is_away = service.board.presence(callee) is Presence.OFFLINE
    at = service.wall()
    since = None if service.several.is_alone or is_last else at - service.config.ring_away - CLOCKS
    run_alone = service.database.run_alone
    user, code, other = await run_alone(
        pair, _begin_if_allowed, call, client.party, callee, media, at, since, is_away=is_away
    )
    new: list[notices.Notice] = []
    if user is not None and is_away and not code and other is None:
        new = await service.fetching.prepare(user, caller, call)
        other = await run_alone(pair, _begin, call, client.party, callee, media, at, since, new)
    if other is not None:
        service.fetching.drop(new)
        raise _Crossing(other)
    if user is None or code:
        raise Refused(code, f"Nobody is called {callee}" if user is None else f"{callee} cannot be reached")
    return new


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
    since: float | None,
    new: list[notices.Notice],
) -> str | None:
    """Write a call down with what fetches its callee, unless they ring here: return in which call."""
    if since is not None and (other := history.crossing(connection, caller.name or "", callee, since)):
        return other
    history.begin(connection, call, caller, callee, media, now)
    notices.put(connection, new)
    return None


def _begin_if_allowed(
    connection: Connection,
    call: str,
    caller: Party,
    callee: str,
    media: list[str],
    now: float,
    since: float | None,
    *,
    is_away: bool,
) -> tuple[accounts.User | None, str, str | None]:
    """Write a call down when its callee is there and wants it: one commit for each ring.

    Return the callee, why not, and the call in which they ring here.
    """
    other = None
    if since is None:
        user, kind = accounts.standing(connection, callee, caller.name or "")
    else:
        user, kind, other = history.standing(connection, caller.name or "", callee, since)
    if user is None:
        return None, "no-such-name", None
    if kind == "blocked" or (user.callers == "contacts" and kind != "contact"):
        return user, "unavailable", None
    if other is not None:
        return user, "", other
    if not user.disturb:  # it is listed as missed
        history.begin(connection, call, caller, callee, media, now)
        history.ended(connection, call, "unavailable", now, missed=True)
        return user, "unavailable", None
    if not is_away:
        history.begin(connection, call, caller, callee, media, now)
    return user, "", None


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
