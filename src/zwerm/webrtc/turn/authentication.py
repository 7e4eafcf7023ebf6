"""The client's side of long-term credentials (RFC 8489 section 9.2).

The first request goes out bare and is refused with a challenge: realm, nonce, and what the server can do. From then on
every request is sealed. A server that offers PASSWORD-ALGORITHMS is held to it, so that nobody on the way can have the
weaker ones used.
"""

from __future__ import annotations

import enum
from typing import Final

from zwerm.core.errors import LocalProtocolError
from zwerm.webrtc.stun.attributes import (
    ERROR_CODE,
    NONCE,
    PASSWORD_ALGORITHM,
    PASSWORD_ALGORITHMS,
    REALM,
    USERHASH,
    USERNAME,
    Algorithm,
    Attribute,
)
from zwerm.webrtc.stun.integrity import Integrity, PasswordAlgorithm, long_term_key, userhash
from zwerm.webrtc.stun.message import Message, MessageClass
from zwerm.webrtc.stun.nonce import SecurityFeatures, features_of
from zwerm.webrtc.turn.credentials import Credential

_SUPPORTED: Final = {algorithm.value: algorithm for algorithm in PasswordAlgorithm}
_CHALLENGES: Final = (401, 438)


class Challenged(enum.Enum):
    """What a 401 or 438 response means for the request it refused."""

    RETRY = "send it again, sealed anew"
    WRONG_CREDENTIALS = "the server does not know the name, or the password is wrong"
    BROKEN = "the challenge lacks what it must have"
    DOWNGRADED = "somebody took the password algorithms out of the challenge, or none is known here"


class Authentication:
    """What one client knows of the realm it is let into, and how it seals its requests."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._realm: str | None = None
        self._nonce = b""
        self._offered: tuple[Algorithm, ...] | None = None  # as the server wrote it, to be repeated
        self._algorithm = PasswordAlgorithm.MD5
        self._is_anonymous = False
        self._key: bytes | None = None

    @property
    def is_challenged(self) -> bool:
        """Whether requests are sealed already."""
        return self._key is not None

    def seal(self, message: Message) -> bytes:
        """Write a request with what proves who sends it, as far as the server has asked for that yet."""
        if self._key is None or self._realm is None:
            return message.serialize()
        attributes = [*message.attributes, *self._attributes(self._realm)]
        sealed = Message(message.method, message.message_class, message.transaction_id, attributes)
        integrity = Integrity.SHA1 if self._offered is None else Integrity.SHA256
        return sealed.serialize(self._key, integrity=integrity)

    def accepts(self, response: Message) -> bool:
        """Whether a response is authentic, or one that cannot be.

        Unsealed errors are taken, although RFC 8489 section 9.2.5 would have them dropped: several servers do not seal
        them, and who can forge one has read the request, and could as well have stopped it.
        """
        if response.message_class is MessageClass.ERROR and response.integrity is None:
            return True
        if self._key is None:
            return True
        if self._offered is not None and response.integrity is Integrity.SHA1:
            return False
        return response.has_integrity(self._key)

    def receive_challenge(self, response: Message) -> Challenged:
        """Learn from a 401 or 438 response."""
        error, nonce = response.find(ERROR_CODE), response.find(NONCE)
        realm = response.find(REALM) or self._realm
        if error is None or error.code not in _CHALLENGES or nonce is None or realm is None:
            return Challenged.BROKEN
        if error.code == 401 and self._realm == realm:
            return Challenged.WRONG_CREDENTIALS
        features, offered = features_of(nonce), response.find(PASSWORD_ALGORITHMS)
        if SecurityFeatures.PASSWORD_ALGORITHMS in features and offered is None:
            return Challenged.DOWNGRADED
        if self._offered is not None and offered is None:
            return Challenged.DOWNGRADED
        algorithm = _first_supported(offered)
        if algorithm is None:
            return Challenged.DOWNGRADED
        try:
            key = long_term_key(self._credential.username, realm, self._credential.password, algorithm)
        except LocalProtocolError:
            return Challenged.WRONG_CREDENTIALS
        self._realm, self._nonce, self._offered, self._algorithm, self._key = realm, nonce, offered, algorithm, key
        self._is_anonymous = SecurityFeatures.USERNAME_ANONYMITY in features
        return Challenged.RETRY

    def _attributes(self, realm: str) -> list[Attribute]:
        username = self._credential.username
        name = USERHASH(userhash(username, realm)) if self._is_anonymous else USERNAME(username)
        attributes = [name, REALM(realm), NONCE(self._nonce)]
        if self._offered is not None:
            attributes += [PASSWORD_ALGORITHMS(self._offered), PASSWORD_ALGORITHM(Algorithm(self._algorithm))]
        return attributes


def _first_supported(offered: tuple[Algorithm, ...] | None) -> PasswordAlgorithm | None:
    if offered is None:
        return PasswordAlgorithm.MD5
    return next((_SUPPORTED[number] for number, _ in offered if number in _SUPPORTED), None)
