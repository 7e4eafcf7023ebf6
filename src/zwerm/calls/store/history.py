"""Calls that were made, answered and missed, as rows."""

from __future__ import annotations

import json
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from zwerm.calls.sessions import Party
from zwerm.calls.store.accounts import STANDING, User, standing_of
from zwerm.calls.store.tables import calls

# Made once: SQLAlchemy takes longer to put a statement together than SQLite to carry it out.
_BEGIN: Final = insert(calls).values(missed=False, seen=False)
_CROSSING: Final = select(calls.c.id).where(
    (calls.c.caller == bindparam("by"))
    & (calls.c.callee == bindparam("to"))
    & (calls.c.began > bindparam("since"))
    & calls.c.ended.is_(None)
    & calls.c.answered.is_(None)
)
_STANDING: Final = STANDING.add_columns(_CROSSING.limit(1).scalar_subquery().label("crossing"))
_CALL: Final = calls.c.id == bindparam("call")
_ANSWERED: Final = update(calls).where(_CALL).values(answered=bindparam("at"))
_ENDED: Final = (
    update(calls).where(_CALL).values(ended=bindparam("at"), reason=bindparam("why"), missed=bindparam("is_missed"))
)


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
    connection.execute(_BEGIN, row)


def crossing(connection: Connection, caller: str, callee: str, since: float) -> str | None:
    """The call in which `callee` rings `caller` at this moment, at whatever process."""
    found = connection.execute(_CROSSING, {"by": callee, "to": caller, "since": since}).first()
    return None if found is None else str(found.id)


def standing(connection: Connection, caller: str, callee: str, since: float) -> tuple[User | None, str, str | None]:
    """As `accounts.standing` and `crossing`, in one question: it is asked at each ring."""
    values = {"caller": caller, "callee": callee, "by": callee, "to": caller, "since": since}
    row = connection.execute(_STANDING, values).first()
    return *standing_of(row), row.crossing if row is not None else None


def answered(connection: Connection, call: str, now: float) -> None:
    connection.execute(_ANSWERED, {"call": call, "at": now})


def ended(connection: Connection, call: str, reason: str, now: float, *, missed: bool) -> None:
    connection.execute(_ENDED, {"call": call, "at": now, "why": reason, "is_missed": missed})


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
