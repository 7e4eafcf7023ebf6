"""The file `swarm.key` (libp2p specs, "pnet/Private-Networks-PSK-V1.md", "Interface"): what makes a network private.

/key/swarm/psk/1.0.0/
/base16/
64 hexadecimal digits
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Final, Self

from zwerm.core.errors import WireError
from zwerm.core.random import Random

CODEC: Final = b"/key/swarm/psk/1.0.0/"
KEY_SIZE: Final = 32
MAX_FILE: Final = 4_096  # bytes


class NetworkKey:
    """The secret of a private network. Its text form shows a fingerprint, and nothing of the key."""

    __slots__ = ("secret",)

    def __init__(self, secret: bytes) -> None:
        """Wrap the 32 bytes of a key."""
        if len(secret) != KEY_SIZE:
            raise WireError(f"key of a private network of {len(secret)} bytes, expected {KEY_SIZE}")
        self.secret = secret

    @classmethod
    def generate(cls, random: Random) -> Self:
        return cls(random.randbytes(KEY_SIZE))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the bytes of a `swarm.key`.

        Raises:
            WireError: not such a file. The message holds nothing of the key.
        """
        if len(data) > MAX_FILE:
            raise WireError(f"swarm.key of {len(data)} bytes, the limit is {MAX_FILE}")
        codec, _, rest = data.partition(b"\n")
        if codec.strip() != CODEC:
            raise WireError(f"swarm.key that begins with {codec[:32]!r}, expected {CODEC!r}")
        encoding, _, body = rest.partition(b"\n")
        try:
            match encoding.strip():
                case b"/base16/":
                    return cls(bytes.fromhex(body.decode("ascii")))
                case b"/base64/":
                    return cls(base64.b64decode(body.strip(), validate=True))
                case b"/bin/":
                    return cls(body)
        except (binascii.Error, ValueError) as error:
            if isinstance(error, WireError):
                raise
            raise WireError(f"swarm.key whose key is not in {encoding.strip().decode(errors='replace')}") from None
        raise WireError(f"swarm.key in the encoding {encoding[:32]!r}, expected /base16/, /base64/ or /bin/")

    def serialize(self) -> bytes:
        """Return the file: secret, for mode 0600 only."""
        return CODEC + b"\n/base16/\n" + self.secret.hex().encode() + b"\n"

    @property
    def fingerprint(self) -> str:
        """What members can compare without showing the key."""
        return hashlib.sha256(b"zwerm private network" + self.secret).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return self.secret == other.secret if isinstance(other, NetworkKey) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.secret)

    def __repr__(self) -> str:
        return f"NetworkKey({self.fingerprint})"
