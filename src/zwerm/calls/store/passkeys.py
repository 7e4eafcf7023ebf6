"""Passkeys, as rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from zwerm.calls.limits import Refused
from zwerm.calls.store import accounts
from zwerm.calls.store.tables import passkeys, users


def ids_of(connection: Connection, user: str) -> list[str]:
    return list(connection.execute(select(passkeys.c.id).where(passkeys.c.user == user)).scalars())


def add(connection: Connection, user: str, row: dict[str, Any], limit: int) -> None:
    """Keep a new one: `id`, `key`, `count`, `label`, `created`.

    Raises:
        Refused: too many, or somebody has it.
    """
    if len(ids_of(connection, user)) >= limit:
        raise Refused("too-many-passkeys", f"No more than {limit} passkeys are kept; remove one first")
    if connection.execute(select(passkeys.c.id).where(passkeys.c.id == row["id"])).first():
        raise Refused("bad-passkey", "The passkey belongs to an account already")
    connection.execute(insert(passkeys).values(user=user, **row))


def find(connection: Connection, passkey: str) -> Any:
    """The row of one; None when there is none."""
    return connection.execute(select(passkeys).where(passkeys.c.id == passkey)).first()


def sign_in(
    connection: Connection, passkey: str, count: int, device: str, key: str, label: str, now: float, limit: int
) -> accounts.Device:
    """Count a use, and keep the device that it lets in."""
    row = connection.execute(select(passkeys.c.user).where(passkeys.c.id == passkey)).one()
    connection.execute(update(passkeys).where(passkeys.c.id == passkey).values(count=count))
    name = connection.execute(select(users.c.name).where(users.c.id == row.user)).scalar_one()
    user = accounts.find(connection, name=name)
    if user is None:
        raise Refused("bad-passkey", "The account is gone")
    return accounts.add_device(connection, user, device, key, label, now, limit)


def remove(connection: Connection, user: str, passkey: str) -> bool:
    found = connection.execute(delete(passkeys).where((passkeys.c.user == user) & (passkeys.c.id == passkey)))
    return found.rowcount > 0
