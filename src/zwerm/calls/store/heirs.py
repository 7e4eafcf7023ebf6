"""What a process leaves in the store when it is killed, and who takes it.

Calls and messages bear the id of their process in front of their own. Of several that see it dead, one writes itself
down as its heir; when that one dies in turn, another may.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select, update

from zwerm.calls.store.accounts import remembered
from zwerm.calls.store.tables import calls, meta, notices


class LeftCall(NamedTuple):
    """A call that rings."""

    call: str
    caller: tuple[str | None, str, str, str]  # the fields of `Party`
    callee: str
    media: list[str]
    began: float  # seconds since 1970


def claim(connection: Connection, dead: str, heir: str, living: frozenset[str]) -> bool:
    """Write down who takes what a process had; False when another that lives does."""
    key = f"heir.{dead}"
    old = remembered(connection, key, heir)
    if old == heir:
        return True
    if old in living:
        return False
    where = (meta.c.key == key) & (meta.c.value == old)
    return connection.execute(update(meta).where(where).values(value=heir)).rowcount > 0


def calls_of(connection: Connection, dead: str, now: float) -> list[LeftCall]:
    """The unanswered calls of a dead process; those that were talked in are over."""
    mine = and_(calls.c.id.startswith(f"{dead}.", autoescape=True), calls.c.ended.is_(None))
    rows = connection.execute(select(calls).where(mine)).all()
    found = [_left(row) for row in rows if row.answered is None and row.party]
    kept = [each.call for each in found]
    connection.execute(
        update(calls)
        .where(mine & calls.c.id.not_in(kept))
        .values(ended=now, reason="lost", missed=calls.c.answered.is_(None))
    )
    return found


def _left(row: Any) -> LeftCall:
    name, device, key, label = json.loads(row.party)
    return LeftCall(row.id, (name, device, key, label), row.callee, row.media.split(), row.began)


def close_all(connection: Connection, now: float) -> int:
    """End all calls that are open: the only process there is has just begun. Return how many."""
    values = {"ended": now, "reason": "lost", "missed": calls.c.answered.is_(None)}
    return connection.execute(update(calls).where(calls.c.ended.is_(None)).values(**values)).rowcount


def left_behind(connection: Connection, living: frozenset[str]) -> list[str]:
    """Processes that have something open and live no more."""
    begun = [row.id for row in connection.execute(select(calls.c.id).where(calls.c.ended.is_(None)))]
    names = [row.id.removeprefix("n_") for row in connection.execute(select(notices.c.id))]
    begun += [each if "." in each else "." for each in names]  # the latter from before there were several
    return sorted({each.partition(".")[0] for each in begun} - living)
