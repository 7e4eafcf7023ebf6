"""The username fragment and password of one ICE generation (RFC 8839 section 5.4, RFC 8445 section 5.3)."""

from __future__ import annotations

import dataclasses
import re
import string
from random import Random
from typing import Final

from zwerm.core.errors import WireError

UFRAG_LENGTH: Final = 8  # characters; 4 or more are demanded, 8 make collisions on one port unlikely
PASSWORD_LENGTH: Final = 24  # characters, 142 bits; 22 or more (128 bits) are demanded

_ALPHABET: Final = string.ascii_letters + string.digits + "+/"
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")  # `=`, `_` and `-` are not allowed, and met in the field
_PASSWORD: Final = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What one side proves itself by: the other side's requests carry its fragment and are sealed with its password."""

    ufrag: str
    password: str = dataclasses.field(repr=False)

    @classmethod
    def random(cls, random: Random) -> Credentials:
        def draw(length: int) -> str:
            return "".join(random.choice(_ALPHABET) for _ in range(length))

        return cls(draw(UFRAG_LENGTH), draw(PASSWORD_LENGTH))

    @classmethod
    def parse(cls, ufrag: str, password: str) -> Credentials:
        """Check what a description says.

        Raises:
            WireError: too short, too long, or of other characters.
        """
        if not _UFRAG.fullmatch(ufrag):
            raise WireError(f"ice-ufrag {ufrag[:32]!r}, expected 4 to 256 letters, digits, + and /")
        if not _PASSWORD.fullmatch(password):
            raise WireError(f"ice-pwd of {len(password)} characters, expected 22 to 256 letters, digits, + and /")
        return cls(ufrag, password)

    @property
    def key(self) -> bytes:
        """What MESSAGE-INTEGRITY is made with."""
        return self.password.encode()
