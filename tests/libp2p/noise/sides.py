"""Two sides of a noise handshake, with keys from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.noise.handshake import NoiseHandshake, NoiseIdentity
from zwerm.libp2p.secure import HandshakeEvent, Secured

_VECTORS: Final = Path(__file__).parents[2] / "vectors"
KEYS: Final = {
    name: PrivateKey.parse(bytes.fromhex(vector["private"]))
    for name, vector in json.loads((_VECTORS / "libp2p_keys.json").read_text()).items()
}
XX: Final[list[dict[str, Any]]] = json.loads((_VECTORS / "noise_xx.json").read_text())

ALICE: Final = KEYS["ed25519"]
BOB: Final = KEYS["secp256k1"]
ALICE_ID: Final = PeerId.of(ALICE.public)
BOB_ID: Final = PeerId.of(BOB.public)

MUXERS: Final = ("/yamux/1.0.0",)


def side(key: PrivateKey, *, is_initiator: bool, seed: str = "", **options: Any) -> NoiseHandshake:
    """Make one side whose keys depend on its role and `seed` alone."""
    random = seeded("noise", str(is_initiator), seed)
    return NoiseHandshake(NoiseIdentity(key, random), is_initiator=is_initiator, random=random, **options)


def shake(initiator: NoiseHandshake, responder: NoiseHandshake) -> tuple[HandshakeEvent | None, HandshakeEvent | None]:
    """Carry messages between both until neither has any; return how it ended for each."""
    while True:
        forth, back = initiator.data_to_send(), responder.data_to_send()
        if not forth and not back:
            return initiator.next_event(), responder.next_event()
        assert responder.receive_data(forth, 0.0) == len(forth) or responder.is_over
        assert initiator.receive_data(back, 0.0) == len(back) or initiator.is_over


def secured(**options: Any) -> tuple[Secured, Secured]:
    """Return what an undisturbed handshake gives to Alice, who initiates, and to Bob."""
    alice, bob = shake(side(ALICE, is_initiator=True, **options), side(BOB, is_initiator=False, **options))
    assert isinstance(alice, Secured)
    assert isinstance(bob, Secured)
    return alice, bob
