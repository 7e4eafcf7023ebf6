"""Mails and push messages that wait to be sent, and where push messages go, as rows."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from zwerm.calls.limits import Refused
from zwerm.calls.store.accounts import hash_of
from zwerm.calls.store.tables import notices, subscriptions


@dataclasses.dataclass(frozen=True, slots=True)
class Notice:
    """One message to one address."""

    id: str
    user: str
    kind: str  # mail, push
    call: str | None
    body: dict[str, Any]
    tries: int
    due: float
    expires: float


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """Where the push messages of one browser go (RFC 8030), and how they are encrypted."""

    endpoint: str
    p256dh: str
    auth: str


def put(connection: Connection, new: list[Notice]) -> None:
    for notice in new:
        connection.execute(insert(notices).values(**dataclasses.asdict(notice) | {"body": json.dumps(notice.body)}))


def waiting(connection: Connection, process: str | None = None) -> list[Notice]:
    """All that is to be sent, the first due first: after a start they are taken up again.

    Of one process only, when it is named; "" has those that were made before there were several.
    """
    query = select(notices).order_by(notices.c.due)
    if process == "":
        query = query.where(notices.c.id.not_like("%.%"))
    elif process is not None:
        query = query.where(notices.c.id.startswith(f"n_{process}.", autoescape=True))
    rows = connection.execute(query)
    return [Notice(**dict(row._mapping) | {"body": json.loads(row.body)}) for row in rows]


def put_off(connection: Connection, notice: str, tries: int, due: float) -> None:
    connection.execute(update(notices).where(notices.c.id == notice).values(tries=tries, due=due))


def done(connection: Connection, notice: str) -> None:
    connection.execute(delete(notices).where(notices.c.id == notice))


def subscribe(connection: Connection, user: str, new: Subscription, now: float, limit: int) -> None:
    """Keep where a browser is reached; it belongs to whoever said so last.

    Raises:
        Refused: too many.
    """
    hashed = hash_of(new.endpoint)
    connection.execute(delete(subscriptions).where(subscriptions.c.hash == hashed))
    mine = select(func.count()).select_from(subscriptions).where(subscriptions.c.user == user)
    if connection.execute(mine).scalar_one() >= limit:
        raise Refused("too-many-subscriptions", f"No more than {limit} browsers get push messages")
    row = {"hash": hashed, "user": user, "created": now, **dataclasses.asdict(new)}
    connection.execute(insert(subscriptions).values(**row))


def unsubscribe(connection: Connection, endpoint: str, user: str | None = None) -> None:
    """Forget one; of this account only, if one is named."""
    where = subscriptions.c.hash == hash_of(endpoint)
    connection.execute(delete(subscriptions).where(where if user is None else where & (subscriptions.c.user == user)))


def subscriptions_of(connection: Connection, user: str) -> list[Subscription]:
    rows = connection.execute(select(subscriptions).where(subscriptions.c.user == user))
    return [Subscription(row.endpoint, row.p256dh, row.auth) for row in rows]
