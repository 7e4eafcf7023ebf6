"""Calls that were made, answered and missed, as rows."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from zwerm.calls.sessions import Party
from zwerm.calls.store.tables import calls


def begin(connection: Connection, call: str, caller: Party, callee: str, media: list[str], now: float) -> None:
    """Write down that somebody rings; before they are told that it does."""
    row = {
        "id": call,
        "party": json.dumps(caller),
        "caller": caller.name,
        "callee": callee,
        "media": " ".join(media),
        "began": now,
    }
    connection.execute(insert(calls).values(**row, missed=False, seen=False))


def crossing(connection: Connection, caller: str, callee: str, now: float, longest: float) -> str | None:
    """The call in which `callee` rings `caller` at this moment, at whatever process."""
    mine = (calls.c.caller == callee) & (calls.c.callee == caller) & (calls.c.began > now - longest)
    rings = calls.c.ended.is_(None) & calls.c.answered.is_(None)
    found = connection.execute(select(calls.c.id).where(mine & rings)).first()
    return None if found is None else str(found.id)


def answered(connection: Connection, call: str, now: float) -> None:
    connection.execute(update(calls).where(calls.c.id == call).values(answered=now))


def ended(connection: Connection, call: str, reason: str, now: float, *, missed: bool) -> None:
    values = {"ended": now, "reason": reason, "missed": missed}
    connection.execute(update(calls).where(calls.c.id == call).values(**values))


def orphaned(connection: Connection, prefix: str, now: float) -> int:
    """End the calls of a process that is no more: those that nobody answered were missed. Return how many."""
    mine = and_(calls.c.id.startswith(prefix, autoescape=True), calls.c.ended.is_(None))
    found = connection.execute(
        update(calls).where(mine).values(ended=now, reason="lost", missed=calls.c.answered.is_(None))
    )
    return found.rowcount


def of(connection: Connection, name: str, before: float, limit: int) -> list[dict[str, Any]]:
    """The calls of a person, newest first."""
    mine = or_(calls.c.caller == name, calls.c.callee == name)
    rows = connection.execute(
        select(calls).where(mine & (calls.c.began < before)).order_by(calls.c.began.desc()).limit(limit)
    )
    return [_document(row, name) for row in rows]


def _document(row: Any, name: str) -> dict[str, Any]:
    is_mine = row.caller == name
    return {
        "call": row.id,
        "with": row.callee if is_mine else row.caller,
        "out": is_mine,
        "media": row.media.split(),
        "began": row.began,
        "answered": row.answered,
        "ended": row.ended,
        "reason": row.reason,
        "missed": row.missed and not is_mine,
        "seen": row.seen or is_mine,
    }


def missed(connection: Connection, name: str) -> int:
    """How many calls somebody missed and has not looked at."""
    where = (calls.c.callee == name) & calls.c.missed.is_(True) & calls.c.seen.is_(False)
    return int(connection.execute(select(func.count()).select_from(calls).where(where)).scalar_one())


def see(connection: Connection, name: str) -> None:
    connection.execute(update(calls).where((calls.c.callee == name) & calls.c.seen.is_(False)).values(seen=True))


def forget(connection: Connection, before: float) -> None:
    """Delete what is older."""
    connection.execute(delete(calls).where(calls.c.began < before))
