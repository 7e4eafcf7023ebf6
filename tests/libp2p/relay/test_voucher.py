"""Circuit relay v2, "Reservation Vouchers": only the relay that is named can sign one."""

from __future__ import annotations

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.core.protobuf import serialize_field
from zwerm.identity.envelope import Envelope
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.relay.voucher import DOMAIN, PAYLOAD_TYPE, Voucher

RELAY, PEER = seeded_key(0), PeerId.of(seeded_key(1).public)
VOUCHER = Voucher(PeerId.of(RELAY.public), PEER, 1_700_000_000)


def test_a_voucher_is_opened_as_it_was_sealed() -> None:
    assert Voucher.open_untrusted(VOUCHER.seal(RELAY)) == VOUCHER


def test_a_voucher_in_somebody_elses_name_is_refused() -> None:
    with pytest.raises(WireError, match="signed by"):
        Voucher.open_untrusted(VOUCHER.seal(seeded_key(2)))


def test_a_changed_voucher_is_refused() -> None:
    sealed = bytearray(VOUCHER.seal(RELAY))
    sealed[-1] ^= 1
    with pytest.raises(WireError):
        Voucher.open_untrusted(bytes(sealed))


@pytest.mark.parametrize(
    "payload",
    [b"", serialize_field(1, bytes(PEER)), serialize_field(1, 5) + serialize_field(2, bytes(PEER))],
    ids=["empty", "no peer", "relay of number"],
)
def test_a_voucher_without_its_parts_is_refused(payload: bytes) -> None:
    sealed = Envelope.seal(RELAY, domain=DOMAIN, payload_type=PAYLOAD_TYPE, payload=payload).serialize()
    with pytest.raises(WireError, match="voucher without"):
        Voucher.open_untrusted(sealed)
