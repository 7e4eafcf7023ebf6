"""Rooms and the chat they keep, as rows."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from zwerm.calls.limits import Refused
from zwerm.calls.rooms import Line, RoomRecord
from zwerm.calls.store.accounts import hash_of
from zwerm.calls.store.tables import lines, rooms, users


def open_room(connection: Connection, room: RoomRecord, user: str, link: str, now: float, limit: int) -> None:
    """Keep a new room.

    Raises:
        Refused: the account has too many.
    """
    count = connection.execute(select(func.count()).select_from(rooms).where(rooms.c.user == user)).scalar_one()
    if count >= limit:
        raise Refused("too-many-rooms", f"No more than {limit} rooms are kept; end one first")
    row = {"id": room.id, "link": hash_of(link), "user": user, "title": room.title, "waiting": room.waiting}
    connection.execute(insert(rooms).values(**row, locked=False, keep_chat=room.keep_chat, created=now))


def of(connection: Connection, user: str) -> list[dict[str, object]]:
    rows = connection.execute(select(rooms).where(rooms.c.user == user).order_by(rooms.c.created))
    return [
        {
            "room": row.id,
            "title": row.title,
            "waiting": row.waiting,
            "locked": row.locked,
            "keep_chat": row.keep_chat,
            "created": row.created,
        }
        for row in rows
    ]


def behind(connection: Connection, link: str, now: float) -> tuple[RoomRecord, list[Line]]:
    """The room that a link opens, and the chat it has kept.

    Raises:
        Refused: none.
    """
    row = connection.execute(
        select(rooms, users.c.name).join(users, users.c.id == rooms.c.user).where(rooms.c.link == hash_of(link))
    ).first()
    if row is None:
        raise Refused("bad-link", "There is no room behind this link any more")
    connection.execute(delete(lines).where(lines.c.expires <= now))
    kept = connection.execute(select(lines).where(lines.c.room == row.id).order_by(lines.c.n))
    chat = [Line(line.n, line.member, line.label, line.text, line.at) for line in kept]
    record = RoomRecord(row.id, row.title, row.name, waiting=row.waiting, keep_chat=row.keep_chat, locked=row.locked)
    return record, chat


def claim(connection: Connection, room: str, process: str, living: frozenset[str]) -> str:
    """The process that has a room: this one from now on, when none that lives has it."""
    is_free = rooms.c.home.is_(None) | rooms.c.home.not_in(living)
    connection.execute(update(rooms).where((rooms.c.id == room) & is_free).values(home=process))
    home = connection.execute(select(rooms.c.home).where(rooms.c.id == room)).scalar()
    return process if home is None else str(home)


def say(connection: Connection, room: str, line: Line, expires: float, limit: int) -> None:
    """Keep a line; of too many, the oldest goes."""
    connection.execute(insert(lines).values(room=room, **line._asdict(), expires=expires))
    connection.execute(delete(lines).where((lines.c.room == room) & (lines.c.n <= line.n - limit)))


def lock(connection: Connection, room: str, *, locked: bool) -> None:
    connection.execute(update(rooms).where(rooms.c.id == room).values(locked=locked))


def end(connection: Connection, room: str) -> None:
    connection.execute(delete(lines).where(lines.c.room == room))
    connection.execute(delete(rooms).where(rooms.c.id == room))
