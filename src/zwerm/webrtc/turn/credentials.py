"""What opens a TURN server: names and passwords, and passwords that a web service hands out for a while.

A time-limited credential (the "TURN REST API", draft-uberti-behave-turn-rest) needs no list of users. The name says
when it ends, `1893456000:alice` as coturn has it or `28224511:1379330808` with the time last, and the password is the
HMAC-SHA1 of the name with a secret that the service and the relay share.
"""

from __future__ import annotations

import base64
import dataclasses
import hmac
from collections.abc import Mapping
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.integrity import opaque_string, userhash

FIRST_TIME: Final = 1_000_000_000  # seconds since 1970; a smaller number in a name is part of who it is
MAX_AHEAD: Final = 366 * 86_400.0  # seconds; a name that ends later is no time but a number, and would never expire


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """A name and its password."""

    username: str
    password: str = dataclasses.field(repr=False)


def time_limited(secret: str, user: str, expires_at: int) -> Credential:
    """Make a credential that opens a relay until `expires_at`, in seconds since 1970.

    Raises:
        LocalProtocolError: a user with a colon, or a time that no server would take.
    """
    if ":" in user or expires_at < FIRST_TIME:
        raise LocalProtocolError(f"user {user!r} until {expires_at}: no colon, and a time after 2001, are expected")
    username = f"{expires_at}:{user}" if user else f"{expires_at}"
    return Credential(username, password_of(secret, username))


def password_of(secret: str, username: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def expiry_of(username: str) -> int | None:
    """When a time-limited name ends, in seconds since 1970; None when it has no time in it.

    The first part decides if it can be a time: a user who is called by a large number gains nothing by it.
    """
    for part in username.split(":", 1):
        if part.isascii() and part.isdigit() and len(part) <= 12 and int(part) >= FIRST_TIME:
            return int(part)
    return None


class Users:
    """Whom a server lets in. Passwords are looked up, never told."""

    __slots__ = ("_by_hash", "_passwords", "_secrets", "realm")

    def __init__(self, realm: str, passwords: Mapping[str, str] | None = None, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are those of time-limited credentials; more than one while they are being changed.

        Raises:
            LocalProtocolError: nobody could ever get in, or a name or password that cannot be.
        """
        passwords = passwords or {}
        if not passwords and not any(secrets):
            raise LocalProtocolError("a relay without users and without a secret lets nobody in: give one of them")
        self.realm = realm
        self._passwords = {opaque_string(name): opaque_string(password) for name, password in passwords.items()}
        self._secrets = tuple(secret for secret in secrets if secret)
        self._by_hash = {userhash(name, realm): name for name in self._passwords}

    @property
    def can_be_anonymous(self) -> bool:
        """Whether a name can be found by its hash: not where names are made up by somebody else."""
        return not self._secrets

    def name_of(self, hashed: bytes) -> str | None:
        """The user whose USERHASH this is."""
        return self._by_hash.get(hashed)

    def passwords(self, username: str, unix_time: float) -> tuple[str, ...]:
        """Every password that opens the server to this name now; none when the name is not known, or has ended."""
        fixed = self._passwords.get(username)
        if fixed is not None:
            return (fixed,)
        expires_at = expiry_of(username)
        if not self._secrets or expires_at is None or not unix_time < expires_at <= unix_time + MAX_AHEAD:
            return ()
        return tuple(password_of(secret, username) for secret in self._secrets)


def person_of(username: str) -> str:
    """Who is behind a name, for quotas: a new time-limited name of the same user is the same person."""
    expires_at = expiry_of(username)
    if expires_at is None:
        return username
    parts = [part for part in username.split(":", 1) if part != f"{expires_at}"]
    return parts[0] if parts else ""
