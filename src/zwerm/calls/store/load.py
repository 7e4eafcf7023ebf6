"""Accounts of a load test, as rows: made and removed all at once, and known by their names."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, insert, select

from zwerm.calls.limits import Refused
from zwerm.calls.store.tables import calls, devices, users

PREFIX: Final = "load."  # of names


def make(connection: Connection, count: int, key: str, now: float) -> None:
    """Make accounts `load.0` and on, each with one device, all with the same key: it costs the service the same.

    Raises:
        Refused: another test goes on, or was killed before it removed them.
    """
    if connection.execute(select(users.c.id).where(users.c.name.startswith(PREFIX, autoescape=True))).first():
        raise Refused("name-taken", "There are accounts of a load test already")
    rest = {"confirmed": True, "language": "en", "callers": "anyone", "disturb": True, "created": now, "email": None}
    connection.execute(insert(users), [{"id": f"u_{PREFIX}{n}", "name": f"{PREFIX}{n}", **rest} for n in range(count)])
    rest = {"key": key, "label": "load", "created": now, "seen": now}
    connection.execute(
        insert(devices), [{"id": f"d_{PREFIX}{n}", "user": f"u_{PREFIX}{n}", **rest} for n in range(count)]
    )


def remove(connection: Connection) -> int:
    """Remove them and their calls, and nothing of anybody else; return how many accounts there were."""
    connection.execute(
        delete(calls).where(
            calls.c.caller.startswith(PREFIX, autoescape=True) & calls.c.callee.startswith(PREFIX, autoescape=True)
        )
    )
    return connection.execute(delete(users).where(users.c.id.startswith(f"u_{PREFIX}", autoescape=True))).rowcount


def lost(connection: Connection, acknowledged: list[str]) -> int:
    """How many of these calls are not written down."""
    found = connection.execute(select(calls.c.id).where(calls.c.caller.startswith(PREFIX, autoescape=True)))
    return len(set(acknowledged) - {row.id for row in found})
