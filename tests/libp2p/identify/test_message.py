"""libp2p specs, "identify/README.md", "The Identify Message": what is said comes back, in one part or several."""

from __future__ import annotations

import pytest

from tests.libp2p.hosts import seeded_key
from zwerm.core import protobuf
from zwerm.core.errors import WireError
from zwerm.libp2p.identify.message import MAX_ADDRESSES, MAX_PROTOCOLS, Identify
from zwerm.multiformats.multiaddr import Multiaddr

ADDRESS = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
OTHER = Multiaddr.from_text("/ip6/2001:db8::1/udp/4001/quic-v1")
WHOLE = Identify(
    seeded_key(0).public.serialize(), (ADDRESS, OTHER), ("/a", "/b"), OTHER, "ipfs/0.1.0", "zwerm/1", b"envelope"
)


def test_a_message_comes_back_whole_and_in_parts() -> None:
    assert Identify.parse([WHOLE.serialize()]) == WHOLE
    parts = [WHOLE._replace(signed_record=None).serialize(), Identify(signed_record=b"envelope").serialize()]
    assert Identify.parse(parts) == WHOLE


def test_what_is_not_said_stays_open() -> None:
    assert Identify().serialize() == b""
    assert Identify.parse([]) == Identify.parse([b""]) == Identify()


def test_addresses_and_fields_of_later_versions_are_left_out() -> None:
    unknown = protobuf.serialize_field(2, b"\xff\x7fwhat") + protobuf.serialize_field(4, b"\xff\x7f")
    later = protobuf.serialize_field(99, 7) + protobuf.serialize_field(7, b"x")
    assert Identify.parse([unknown + later + WHOLE.serialize()]) == WHOLE


@pytest.mark.parametrize(
    "wire",
    [
        protobuf.serialize_field(3, 5),
        protobuf.serialize_field(5, b"\xff"),
        protobuf.serialize_field(3, b"x" * 513),
        b"\x0a\x05ab",
    ],
    ids=["a number", "no UTF-8", "a long name", "cut short"],
)
def test_what_is_no_identify_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        Identify.parse([wire])


def test_so_many_protocols_and_addresses_are_kept_and_no_more() -> None:
    protocols = b"".join(protobuf.serialize_field(3, f"/{number}".encode()) for number in range(MAX_PROTOCOLS + 5))
    addresses = protobuf.serialize_field(2, bytes(ADDRESS)) * (MAX_ADDRESSES + 5)
    message = Identify.parse([protocols, addresses])
    assert (len(message.protocols), len(message.listen_addresses)) == (MAX_PROTOCOLS, MAX_ADDRESSES)
