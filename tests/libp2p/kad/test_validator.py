"""Namespaces, and the one of public keys."""

import pytest

from tests.libp2p.kad.validators import VALIDATORS
from zwerm.core.errors import WireError
from zwerm.identity.key_message import KeyType
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.kad.validator import Namespaces, PublicKeyValidator

KEYS = Namespaces({"pk": PublicKeyValidator()})


def test_a_key_is_valid_under_its_own_peer_id_only() -> None:
    key, other = PrivateKey.generate(KeyType.ECDSA).public, PrivateKey.generate().public
    KEYS.validate(b"/pk/" + PeerId.of(key).multihash, key.serialize())
    with pytest.raises(WireError, match="public key that is not"):
        KEYS.validate(b"/pk/" + PeerId.of(key).multihash, other.serialize())
    assert not KEYS.is_better(b"/pk/" + PeerId.of(key).multihash, key.serialize(), key.serialize())


@pytest.mark.parametrize(("key", "value"), [(b"/pk/", b""), (b"/pk/xx", b"y"), (b"/pk", b""), (b"//", b"")])
def test_nonsense_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(WireError):
        KEYS.validate(key, value)


def test_a_namespace_decides_what_is_better() -> None:
    numbers = Namespaces(VALIDATORS)
    assert numbers.is_better(b"/n/a", b"2", b"1")
    assert not numbers.is_better(b"/n/a", b"1", b"2")
    assert not numbers.is_better(b"/n/a", b"1", b"1")
