"""Reservation vouchers: a relay's word that it serves a peer (libp2p specs, circuit-v2.md, "Reservation Vouchers")."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.core.errors import WireError
from zwerm.core.protobuf import parse_fields, serialize_field
from zwerm.identity.envelope import Envelope
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId

DOMAIN: Final = "libp2p-relay-rsvp"
PAYLOAD_TYPE: Final = b"\x03\x02"  # multicodec 0x0302, as the specification writes it


class Voucher(NamedTuple):
    """Who relays for whom, and until when."""

    relay: PeerId
    peer: PeerId
    expiration: int  # seconds since 1970

    def seal(self, key: PrivateKey) -> bytes:
        """Sign it with the relay's key; return the envelope's bytes."""
        payload = (
            serialize_field(1, bytes(self.relay))
            + serialize_field(2, bytes(self.peer))
            + serialize_field(3, self.expiration)
        )
        return Envelope.seal(key, domain=DOMAIN, payload_type=PAYLOAD_TYPE, payload=payload).serialize()

    @classmethod
    def open_untrusted(cls, data: bytes) -> Self:
        """Read an envelope and check its signature.

        Raises:
            WireError: not a voucher, or not signed by the relay that it names.
        """
        envelope = Envelope.open_untrusted(data, domain=DOMAIN, payload_type=PAYLOAD_TYPE)
        fields = dict(parse_fields(envelope.payload))
        relay, peer, expiration = fields.get(1), fields.get(2), fields.get(3, 0)
        if not isinstance(relay, bytes) or not isinstance(peer, bytes) or not isinstance(expiration, int):
            raise WireError("voucher without a relay, a peer or an expiration")
        voucher = cls(PeerId.parse(relay), PeerId.parse(peer), expiration)
        if voucher.relay != envelope.peer_id:
            raise WireError(f"voucher of {voucher.relay} signed by {envelope.peer_id}")
        return voucher
