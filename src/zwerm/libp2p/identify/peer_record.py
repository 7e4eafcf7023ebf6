"""Peer records (libp2p RFC 0003): where a peer is reached, signed by itself and numbered, for anybody to pass on.

The sequence number only grows; a record replaces those with smaller ones.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Self

from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.identity.envelope import Envelope
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.multiformats.multiaddr import Multiaddr

DOMAIN: Final = "libp2p-peer-record"
PAYLOAD_TYPE: Final = b"\x03\x01"  # the multicodec libp2p-peer-record, as both implementations write it
MAX_ADDRESSES: Final = 128  # that are kept

_PEER_ID: Final = 1
_SEQUENCE: Final = 2
_ADDRESS: Final = 3
_MULTIADDR: Final = 1


class PeerRecord(NamedTuple):
    """Where a peer is reached."""

    peer: PeerId
    sequence: int  # uint64
    addresses: tuple[Multiaddr, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the payload of an envelope. Addresses of kinds we do not know are left out.

        Raises:
            WireError: malformed, or of no peer.
        """
        peer, sequence = None, 0
        addresses: list[Multiaddr] = []
        for number, value in protobuf.parse_fields(data):
            match number, value:
                case (1, bytes(name)):
                    peer = PeerId.parse(name)
                case (2, int(count)):
                    sequence = count
                case (3, bytes(entry)):
                    if len(addresses) < MAX_ADDRESSES and (address := _address_untrusted(entry)) is not None:
                        addresses.append(address)
                case (1 | 2 | 3, _):
                    raise WireError(f"peer record field {number} is of the wrong kind")
        if peer is None:
            raise WireError("peer record without a peer ID")
        return cls(peer, sequence, tuple(addresses))

    @classmethod
    def open_untrusted(cls, envelope: bytes) -> Self:
        """Read a sealed record and verify that its peer sealed it.

        Raises:
            WireError: not an envelope, of something else, or sealed by somebody else.
        """
        opened = Envelope.open_untrusted(envelope, domain=DOMAIN, payload_type=PAYLOAD_TYPE)
        record = cls.parse(opened.payload)
        if record.peer != opened.peer_id:
            raise WireError(f"peer record of {record.peer}, sealed by {opened.peer_id}")
        return record

    def serialize(self) -> bytes:
        return b"".join(
            (
                protobuf.serialize_field(_PEER_ID, bytes(self.peer)),
                protobuf.serialize_field(_SEQUENCE, self.sequence),
                *(
                    protobuf.serialize_field(_ADDRESS, protobuf.serialize_field(_MULTIADDR, bytes(address)))
                    for address in self.addresses
                ),
            )
        )

    def seal(self, key: PrivateKey) -> bytes:
        """Return the envelope to pass around."""
        return Envelope.seal(key, domain=DOMAIN, payload_type=PAYLOAD_TYPE, payload=self.serialize()).serialize()


def _address_untrusted(entry: bytes) -> Multiaddr | None:
    for number, value in protobuf.parse_fields(entry):
        if number == _MULTIADDR and isinstance(value, bytes):
            try:
                return Multiaddr.parse(value)
            except WireError:
                return None  # of a transport that we do not know
    return None
