"""The tables of the calls service (SQLAlchemy Core), the same in SQLite and PostgreSQL.

Times are seconds since 1970. Secrets that people carry, links and the like, are kept as their SHA-256 only.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

VERSION: Final = 1
ADDED: Final = (("calls", "party", "TEXT"), ("rooms", "home", "VARCHAR(8)"))  # columns since then, which may be null

metadata = MetaData()


def _of_user() -> Column[str]:
    return Column("user", String(40), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)


meta = Table("meta", metadata, Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))

users = Table(
    "users",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(32), nullable=False, unique=True),
    Column("email", String(255), unique=True),  # null where the service sends no mail
    Column("confirmed", Boolean, nullable=False),
    Column("language", String(2), nullable=False),
    Column("callers", String(10), nullable=False),  # anyone, contacts
    Column("disturb", Boolean, nullable=False),
    Column("created", Float, nullable=False),
)

gone = Table(  # names of accounts that were deleted: nobody else may take them
    "gone", metadata, Column("name", String(64), primary_key=True), Column("at", Float, nullable=False)
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(40), primary_key=True),
    _of_user(),
    Column("key", String(87), nullable=False),
    Column("label", String(64), nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("hash", String(64), primary_key=True),
    _of_user(),
    Column("kind", String(10), nullable=False),  # confirm, sign-in, device, call
    Column("data", Text, nullable=False),
    Column("expires", Float, nullable=False, index=True),
)

contacts = Table(
    "contacts",
    metadata,
    Column("user", String(40), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("other", String(32), primary_key=True),
    Column("kind", String(10), nullable=False),  # contact, blocked
)

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(400), primary_key=True),  # the credential's, base64url
    _of_user(),
    Column("key", LargeBinary, nullable=False),
    Column("count", Integer, nullable=False),
    Column("label", String(64), nullable=False),
    Column("created", Float, nullable=False),
)

subscriptions = Table(  # of browsers, for push messages
    "subscriptions",
    metadata,
    Column("hash", String(64), primary_key=True),  # of the endpoint
    _of_user(),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", String(87), nullable=False),
    Column("auth", String(22), nullable=False),
    Column("created", Float, nullable=False),
)

calls = Table(
    "calls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("caller", String(32), nullable=False),
    Column("callee", String(32), nullable=False),
    Column("media", String(20), nullable=False),
    Column("began", Float, nullable=False),
    Column("answered", Float),
    Column("ended", Float),
    Column("reason", String(20)),
    Column("missed", Boolean, nullable=False),
    Column("seen", Boolean, nullable=False),
    Column("party", Text),  # the caller's `Party` in JSON, for whoever takes the call over
    Index("calls_of_caller", "caller", "began"),
    Index("calls_of_callee", "callee", "began"),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("link", String(64), nullable=False, unique=True),  # hash
    _of_user(),
    Column("title", String(64), nullable=False),
    Column("waiting", Boolean, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("keep_chat", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("home", String(8)),  # the process that has it, if that lives
)

lines = Table(  # of chat, where a room keeps it
    "lines",
    metadata,
    Column("room", String(40), ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("member", String(64), nullable=False),
    Column("label", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires", Float, nullable=False, index=True),
)

notices = Table(  # mails and push messages that are still to be sent
    "notices",
    metadata,
    Column("id", String(40), primary_key=True),
    _of_user(),
    Column("kind", String(10), nullable=False),  # mail, push
    Column("call", String(64)),  # the call it is about
    Column("body", Text, nullable=False),  # JSON
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False, index=True),
    Column("expires", Float, nullable=False),
)
