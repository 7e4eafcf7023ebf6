"""Who sent a request (RFC 8489 section 9.2.4).

The nonce is looked at before the password, against the order of the RFC: otherwise a made-up nonce would tell, by 401
or 438, whether a guessed password was right, and guessing could not be limited. With a right nonce the address is
proved, so failures are counted for it; a host with too many is not listened to until the window has passed.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from zwerm.core.bounded import LruCache
from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Instant
from zwerm.webrtc.stun.address import pack_host
from zwerm.webrtc.stun.attributes import (
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    USERHASH,
    USERNAME,
    Algorithm,
)
from zwerm.webrtc.stun.integrity import Integrity, PasswordAlgorithm, long_term_key
from zwerm.webrtc.stun.message import Message
from zwerm.webrtc.stun.nonce import SecurityFeatures
from zwerm.webrtc.turn.credentials import Users
from zwerm.webrtc.turn.server.bucket import TokenBucket
from zwerm.webrtc.turn.server.config import FiveTuple, TurnServerConfig
from zwerm.webrtc.turn.server.nonce import Nonces

OFFERED: Final = (Algorithm(PasswordAlgorithm.SHA256), Algorithm(PasswordAlgorithm.MD5))


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """Somebody we know, and how the answer is to be sealed."""

    username: str
    key: bytes = dataclasses.field(repr=False)
    integrity: Integrity


class Authenticator:
    """Tells known users from all others."""

    def __init__(
        self, config: TurnServerConfig, users: Users, nonce_key: bytes, *, started: Instant, unix_offset: float
    ) -> None:
        """`unix_offset` added to an instant gives seconds since 1970, for credentials that end."""
        features = SecurityFeatures.PASSWORD_ALGORITHMS
        if users.can_be_anonymous:
            features |= SecurityFeatures.USERNAME_ANONYMITY
        self.failures = 0  # wrong names and passwords so far
        self._config = config
        self._users = users
        self._nonces = Nonces(nonce_key, config.nonce_lifetime, features, started)
        self._unix_offset = unix_offset
        self._guesses: LruCache[bytes, TokenBucket] = LruCache(config.max_watched_hosts)
        self._challenges: LruCache[bytes, TokenBucket] = LruCache(config.max_watched_hosts)

    def authenticate(
        self, request: Message, client: FiveTuple, now: Instant, known_since: tuple[str, Instant] | None
    ) -> Authenticated | Message | None:
        """Return who sent it, or the refusal to answer with, or None for no answer at all.

        `known_since` is the user who made the client's allocation, and when: a time-limited name that has ended since
        still refreshes what it opened.
        """
        if request.integrity is None:
            return self._challenge(request, client, now, 401, "Unauthorized")
        nonce = request.find(NONCE)
        if nonce is None or request.find(REALM) is None or not (request.find(USERNAME) or request.find(USERHASH)):
            return request.error(400, "Bad Request")
        host = _host_key(client)
        if not self._bucket(self._guesses, host, now).has(1, now):
            return None
        if not self._nonces.is_valid(nonce, client.source, now):
            return self._challenge(request, client, now, 438, "Stale Nonce")
        algorithm = self._algorithm(request)
        if algorithm is None:
            return request.error(400, "Bad Request")
        authenticated = self._find(request, algorithm, now, known_since)
        if authenticated is None:
            self.failures += 1
            self._bucket(self._guesses, host, now).take(1, now)
            return self._challenge(request, client, now, 401, "Unauthorized")
        return authenticated

    def _find(
        self,
        request: Message,
        algorithm: PasswordAlgorithm,
        now: Instant,
        known_since: tuple[str, Instant] | None,
    ) -> Authenticated | None:
        username = request.find(USERNAME)
        if username is None:
            username = self._users.name_of(request.find(USERHASH) or b"")
        if username is None or request.find(REALM) != self._users.realm:
            return None
        at = known_since[1] if known_since is not None and known_since[0] == username else now
        for password in self._users.passwords(username, at + self._unix_offset):
            try:
                key = long_term_key(username, self._users.realm, password, algorithm)
            except LocalProtocolError:
                return None
            if request.has_integrity(key):
                has_offer = request.find(PASSWORD_ALGORITHMS) is not None
                return Authenticated(username, key, Integrity.SHA256 if has_offer else Integrity.SHA1)
        return None

    def _algorithm(self, request: Message) -> PasswordAlgorithm | None:
        """What makes the key; None when the request does not repeat what was offered."""
        offered, chosen = request.find(PASSWORD_ALGORITHMS), request.find(PASSWORD_ALGORITHM)
        if offered is None and chosen is None:
            return PasswordAlgorithm.MD5
        if offered != OFFERED or chosen is None or chosen not in OFFERED:
            return None
        return PasswordAlgorithm(chosen.number)

    def _challenge(self, request: Message, client: FiveTuple, now: Instant, code: int, reason: str) -> Message | None:
        if not self._bucket(self._challenges, _host_key(client), now).take(1, now):
            return None
        nonce = self._nonces.make(client.source, now)
        return request.error(code, reason, REALM(self._users.realm), NONCE(nonce), PASSWORD_ALGORITHMS(OFFERED))

    def _bucket(self, buckets: LruCache[bytes, TokenBucket], host: bytes, now: Instant) -> TokenBucket:
        bucket = buckets.find(host)
        if bucket is None:
            if buckets is self._guesses:
                burst = float(self._config.max_failures)
                bucket = TokenBucket(burst / self._config.failure_window, burst, now)
            else:
                bucket = TokenBucket(self._config.challenges_per_second, 2 * self._config.challenges_per_second, now)
            buckets.put(host, bucket)
        return bucket


def _host_key(client: FiveTuple) -> bytes:
    """The part of an address that one person holds: all of IPv4, the network of IPv6."""
    packed = pack_host(client.source[0])
    return packed if len(packed) == 4 else packed[:8]
