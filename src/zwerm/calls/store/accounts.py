"""Accounts, devices, contacts and the links that let somebody in, as rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from zwerm.calls.limits import Refused
from zwerm.calls.store.tables import (
    calls,
    contacts,
    devices,
    gone,
    lines,
    links,
    meta,
    notices,
    passkeys,
    rooms,
    subscriptions,
    users,
)

LIFETIMES: Final = {"confirm": 86_400.0, "sign-in": 900.0, "device": 900.0, "call": 3_600.0}  # seconds, by kind of link
CLOCK: Final = 60.0  # seconds that the clock may go back without a link being refused for it
UNCONFIRMED: Final = 86_400.0  # seconds after which somebody else may have a name that nobody confirmed


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: str
    name: str
    email: str | None
    confirmed: bool
    language: str
    callers: str
    disturb: bool
    created: float


@dataclasses.dataclass(frozen=True, slots=True)
class Device:
    """A browser or program of an account."""

    id: str
    key: str
    label: str
    user: User


def hash_of(secret: str) -> str:
    """What is kept of a secret that somebody carries: it has 128 bits or more, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _user(row: Any) -> User:
    return User(*(getattr(row, field.name) for field in dataclasses.fields(User)))


def register(connection: Connection, user: User, now: float) -> bool:
    """Keep a new account; False when the address has one already, which only its owner may learn.

    Raises:
        Refused: the name is taken, or was.
    """
    stale = (users.c.confirmed.is_(False)) & (users.c.created < now - UNCONFIRMED)
    connection.execute(delete(users).where(stale & or_(users.c.name == user.name, users.c.email == user.email)))
    is_taken = connection.execute(select(users.c.id).where(users.c.name == user.name)).first()
    if is_taken or connection.execute(select(gone.c.at).where(gone.c.name == hash_of(user.name))).first():
        raise Refused("name-taken", f"The name {user.name} is taken")
    if user.email is not None and find(connection, email=user.email) is not None:
        return False
    connection.execute(insert(users).values(**dataclasses.asdict(user)))
    return True


def find(connection: Connection, *, name: str | None = None, email: str | None = None) -> User | None:
    """The account of a name, or of an address."""
    column, value = (users.c.name, name) if name is not None else (users.c.email, email)
    row = connection.execute(select(users).where(column == value)).first()
    return _user(row) if row else None


def change(connection: Connection, user: str, values: dict[str, Any]) -> User:
    """Set columns of an account."""
    if values:
        connection.execute(update(users).where(users.c.id == user).values(**values))
    return _user(connection.execute(select(users).where(users.c.id == user)).one())


def add_link(connection: Connection, secret: str, user: str, kind: str, data: dict[str, Any], now: float) -> None:
    """Keep a link that lets somebody in once, for as long as its kind lasts."""
    expires = now + LIFETIMES[kind]
    row = {"hash": hash_of(secret), "user": user, "kind": kind, "data": json.dumps(data), "expires": expires}
    connection.execute(insert(links).values(**row))


def redeem(
    connection: Connection, secret: str, device: str, key: str, label: str, now: float, limit: int
) -> tuple[Device, str, dict[str, Any]]:
    """Use a link up: there is a new device then. Return it, with the link's kind and data.

    Raises:
        Refused: no such link, or it was used, or its time is over.

    A link that seems to last longer than its kind was made before the clock went back, and is refused, too.
    """
    connection.execute(delete(links).where(links.c.expires <= now))
    row = connection.execute(select(links).where(links.c.hash == hash_of(secret))).first()
    if row is None or row.expires > now + LIFETIMES[row.kind] + CLOCK:
        raise Refused("bad-link", "The link was used already, or is too old")
    connection.execute(delete(links).where(links.c.hash == row.hash))
    data = json.loads(row.data)
    values: dict[str, Any] = {"confirmed": True} if row.kind in ("confirm", "sign-in", "call") else {}
    if row.kind == "confirm" and "email" in data:
        if find(connection, email=data["email"]) not in (None, change(connection, row.user, {})):
            raise Refused("bad-link", "The address belongs to somebody else by now")
        values["email"] = data["email"]
    user = change(connection, row.user, values)
    return add_device(connection, user, device, key, label, now, limit), row.kind, data


def add_device(connection: Connection, user: User, device: str, key: str, label: str, now: float, limit: int) -> Device:
    """Keep a device; of too many, the one that was not seen for longest goes."""
    mine = connection.execute(select(devices.c.id).where(devices.c.user == user.id).order_by(devices.c.seen)).all()
    for old in mine[: max(0, len(mine) + 1 - limit)]:
        connection.execute(delete(devices).where(devices.c.id == old.id))
    row = {"id": device, "user": user.id, "key": key, "label": label, "created": now, "seen": now}
    connection.execute(insert(devices).values(**row))
    return Device(device, key, label, user)


def device(connection: Connection, device_id: str, now: float) -> Device | None:
    """Return a device, which is seen now."""
    row = connection.execute(select(devices).where(devices.c.id == device_id)).first()
    if row is None:
        return None
    connection.execute(update(devices).where(devices.c.id == device_id).values(seen=now))
    return Device(
        row.id, row.key, row.label, _user(connection.execute(select(users).where(users.c.id == row.user)).one())
    )


def remove_device(connection: Connection, user: str, device_id: str) -> bool:
    found = connection.execute(delete(devices).where((devices.c.user == user) & (devices.c.id == device_id)))
    return found.rowcount > 0


def set_contact(connection: Connection, user: str, other: str, kind: str, limit: int) -> None:
    """Keep how an account stands to another; "none" forgets it.

    Raises:
        Refused: nobody has that name, or there are too many.
    """
    connection.execute(delete(contacts).where((contacts.c.user == user) & (contacts.c.other == other)))
    if kind == "none":
        return
    if find(connection, name=other) is None:
        raise Refused("no-such-name", f"Nobody is called {other}")
    if (
        connection.execute(select(func.count()).select_from(contacts).where(contacts.c.user == user)).scalar_one()
        >= limit
    ):
        raise Refused("too-many-contacts", f"No more than {limit} contacts are kept")
    connection.execute(insert(contacts).values(user=user, other=other, kind=kind))


def contact_list(connection: Connection, user: str) -> dict[str, str]:
    rows = connection.execute(select(contacts.c.other, contacts.c.kind).where(contacts.c.user == user))
    return {row.other: row.kind for row in rows}


STANDING: Final = (  # made once, as it is asked at each ring
    select(users, contacts.c.kind)
    .select_from(users.outerjoin(contacts, (contacts.c.user == users.c.id) & (contacts.c.other == bindparam("caller"))))
    .where(users.c.name == bindparam("callee"))
)


def standing(connection: Connection, callee: str, caller: str) -> tuple[User | None, str]:
    """The account of a name, and what a caller is to it: contact, blocked or none."""
    row = connection.execute(STANDING, {"caller": caller, "callee": callee}).first()
    return standing_of(row)


def standing_of(row: Any) -> tuple[User | None, str]:
    """Read a row of `STANDING`."""
    if row is None or not row.confirmed:
        return None, "none"
    return _user(row), row.kind or "none"


def visible(connection: Connection, names: list[str], watcher: str) -> list[str]:
    """Whose presence somebody may see: of those who take calls from them."""
    seen = []
    for name in names:
        user, kind = standing(connection, name, watcher)
        if user is not None and kind != "blocked" and (user.callers == "anyone" or kind == "contact"):
            seen.append(name)
    return seen


def export(connection: Connection, user: str) -> dict[str, Any]:
    """Everything that is kept about an account, without secrets of others."""
    name = connection.execute(select(users.c.name).where(users.c.id == user)).scalar_one()

    def rows(table: Any, *columns: str) -> list[dict[str, Any]]:
        chosen = [table.c[column] for column in columns]
        return [dict(row._mapping) for row in connection.execute(select(*chosen).where(table.c.user == user))]

    mine = or_(calls.c.caller == name, calls.c.callee == name)
    return {
        "account": dict(connection.execute(select(users).where(users.c.id == user)).one()._mapping),
        "devices": rows(devices, "id", "key", "label", "created", "seen"),
        "contacts": rows(contacts, "other", "kind"),
        "passkeys": rows(passkeys, "id", "label", "created"),
        "subscriptions": rows(subscriptions, "endpoint", "created"),
        "rooms": rows(rooms, "id", "title", "waiting", "keep_chat", "created"),
        "calls": [dict(row._mapping) for row in connection.execute(select(calls).where(mine))],
        "lines": [
            dict(row._mapping)
            for row in connection.execute(
                select(lines).where(lines.c.room.in_(select(rooms.c.id).where(rooms.c.user == user)))
            )
        ],
    }


def erase(connection: Connection, user: str, now: float) -> None:
    """Delete an account and all that is kept about it; of its name a hash stays, so that nobody poses as it."""
    name = connection.execute(select(users.c.name).where(users.c.id == user)).scalar_one()
    connection.execute(delete(calls).where(or_(calls.c.caller == name, calls.c.callee == name)))
    connection.execute(delete(contacts).where(contacts.c.other == name))
    mine = select(rooms.c.id).where(rooms.c.user == user)
    connection.execute(delete(lines).where(lines.c.room.in_(mine)))
    for table in (devices, links, contacts, passkeys, subscriptions, rooms, notices):
        connection.execute(delete(table).where(table.c.user == user))
    connection.execute(delete(users).where(users.c.id == user))
    connection.execute(insert(gone).values(name=hash_of(name), at=now))


def remembered(connection: Connection, key: str, value: str) -> str:
    """A value of the service itself, such as a key: the first that was given."""
    kept = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    if kept is None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(meta).values(key=key, value=value).on_conflict_do_nothing())
        kept = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one()
    return str(kept)
