"""Which records are valid, and which of two is better (libp2p specs, kad-dht, "Entry validation").

Every namespace has its own rules; a key is `/namespace/name`. A record of a namespace that nobody here knows is
refused, as the public DHT's rules want it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from zwerm.core.errors import WireError
from zwerm.identity.keys import PublicKey
from zwerm.identity.peer_id import PeerId


class Validator(Protocol):
    """The rules of one namespace. Pure but for the wall clock, which it may hold."""

    def validate(self, key: bytes, value: bytes) -> None:
        """Check an untrusted record.

        Raises:
            WireError: malformed, signed by another, or past its end of life.
        """
        ...

    def select(self, key: bytes, values: Sequence[bytes]) -> int:
        """Return the index of the best of several valid values; equally good ones: the first."""
        ...


@runtime_checkable
class Doubter(Protocol):
    """A validator that can say more of valid records than that they are."""

    def doubt(self, key: bytes, value: bytes) -> str | None:
        """Return what no holder in earnest would sign of a valid record, in words; None: there is nothing."""
        ...


class PublicKeyValidator:
    """`/pk/`: the key that a peer ID is the hash of (ipfs specs, "Public Keys")."""

    def validate(self, key: bytes, value: bytes) -> None:
        peer = PeerId.parse(key.removeprefix(b"/pk/"))
        if not peer.matches(PublicKey.parse(value)):
            raise WireError(f"public key that is not {peer}'s")

    def select(self, _key: bytes, _values: Sequence[bytes]) -> int:
        """A peer ID has one key, so all valid values are equal."""
        return 0


class Namespaces:
    """Validators by namespace, as one."""

    def __init__(self, validators: Mapping[str, Validator]) -> None:
        self._validators = dict(validators)

    def validate(self, key: bytes, value: bytes) -> None:
        """Check an untrusted record by the rules of its namespace; WireError also when there are none."""
        self._of(key).validate(key, value)

    def select(self, key: bytes, values: Sequence[bytes]) -> int:
        return self._of(key).select(key, values)

    def doubt(self, key: bytes, value: bytes) -> str | None:
        """Return what is odd about a valid record, where its namespace has such."""
        validator = self._of(key)
        return validator.doubt(key, value) if isinstance(validator, Doubter) else None

    def is_better(self, key: bytes, value: bytes, than: bytes) -> bool:
        """Whether `value` should take the place of another valid one."""
        return value != than and self.select(key, (than, value)) == 1

    def _of(self, key: bytes) -> Validator:
        namespace = key[1:].partition(b"/")[0] if key[:1] == b"/" else b""
        validator = self._validators.get(namespace.decode("ascii", "replace"))
        if validator is None:
            raise WireError(f"record of namespace {namespace[:32]!r}, expected one of {sorted(self._validators)}")
        return validator
