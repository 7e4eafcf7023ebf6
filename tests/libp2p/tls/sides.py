"""Two sides of a TLS handshake."""

from __future__ import annotations

from typing import Any, Final

from tests.libp2p.noise.sides import ALICE, ALICE_ID, BOB, BOB_ID, KEYS
from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.libp2p.secure import HandshakeEvent, HandshakeFailed, Secured
from zwerm.libp2p.tls.handshake import TlsHandshake, TlsIdentity

__all__ = ["ALICE", "ALICE_ID", "BOB", "BOB_ID", "KEYS"]

TODAY: Final = 1_800_000_000.0  # seconds since 1970
IDENTITIES: Final = {name: TlsIdentity(key, seeded("tls", name), TODAY) for name, key in KEYS.items()}


def identity(key: PrivateKey) -> TlsIdentity:
    return next(IDENTITIES[name] for name, each in KEYS.items() if each is key)


def side(key: PrivateKey, *, is_initiator: bool, **options: Any) -> TlsHandshake:
    return TlsHandshake(identity(key), is_initiator=is_initiator, **{"wall_time": TODAY, **options})


def shake(initiator: TlsHandshake, responder: TlsHandshake) -> tuple[HandshakeEvent | None, HandshakeEvent | None]:
    """Carry messages between both until neither has any; return how it ended for each.

    What comes for a side that is done is a record: of a ticket, or of an alert.
    """
    events: list[HandshakeEvent | None] = [None, None]
    while True:
        said = [initiator.data_to_send(), responder.data_to_send()]
        if not any(said):
            return events[0], events[1]
        for number, handshake in enumerate((initiator, responder)):
            data = said[1 - number]
            used = handshake.receive_data(data, 0.0)
            events[number] = handshake.next_event() or events[number]
            event = events[number]
            if isinstance(event, Secured) and used < len(data):
                try:
                    event.records.decrypt_untrusted(data[used:])
                except WireError as error:
                    events[number] = HandshakeFailed(str(error))


def secured(**options: Any) -> tuple[Secured, Secured]:
    """Return what an undisturbed handshake gives to Alice, who initiates, and to Bob."""
    alice, bob = shake(side(ALICE, is_initiator=True, **options), side(BOB, is_initiator=False, **options))
    assert isinstance(alice, Secured)
    assert isinstance(bob, Secured)
    return alice, bob
