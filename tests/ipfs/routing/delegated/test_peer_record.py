"""Records of delegated routing: what is read of them, and the filters of IPIP-484."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.routing.delegated.peer_record import MAX_ADDRESSES, MAX_RECORD, PeerRecord, parse_filter
from zwerm.multiformats.multiaddr import Multiaddr

ID = "12D3KooWLU2znyJMtDiHArqAGbZn8CgUGp92kxDBtefftEEaHSZS"
PEER = PeerId.from_text(ID)
TCP = Multiaddr.from_text("/ip4/192.0.2.1/tcp/4001")
QUIC = Multiaddr.from_text("/ip6/2001:db8::1/udp/4001/quic-v1")
RECORD = PeerRecord(PEER, (TCP, QUIC), ("transport-bitswap",))


def test_what_is_written_is_read() -> None:
    assert PeerRecord.parse(json.dumps(RECORD.to_json()).encode()) == RECORD


@pytest.mark.parametrize(
    "document",
    [
        {"Schema": "peer", "ID": ID, "Addrs": [str(TCP)], "Protocols": ["transport-bitswap"], "more": {"x": 1}},
        {"Schema": "bitswap", "Protocol": "transport-bitswap", "ID": ID, "Addrs": [str(TCP)]},
        {
            "Schema": "peer",
            "ID": "bafzaajaiaejcbhr3im6l2mocxctoxpoktgf5b5gccqojzgxviixjoycrwhtdv4kn",
            "Addrs": [str(TCP), "/x/y", 7],
            "Protocols": ["transport-bitswap", None],
        },
    ],
    ids=["unknown fields", "legacy schema", "peer as CID, addresses we cannot read"],
)
def test_records_of_others_are_read(document: object) -> None:
    assert PeerRecord.parse(json.dumps(document).encode()) == PeerRecord(PEER, (TCP,), ("transport-bitswap",))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"Schema":"peer"}',
        b'{"Schema":"peer","ID":7}',
        b'{"Schema":"peer","ID":"x"}',
        b'{"Schema":"new","ID":"x"}',
        b"[" * 60_000,
        bytes(MAX_RECORD + 1),
    ],
    ids=["nothing", "list", "empty", "no peer", "number", "no ID", "other schema", "deep", "giant"],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        PeerRecord.parse(data)


@given(st.binary(max_size=100))
def test_untrusted_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        PeerRecord.parse(data)
    except WireError:
        return


def test_addresses_have_a_limit() -> None:
    document = {"Schema": "peer", "ID": ID, "Addrs": [str(TCP)] * (MAX_ADDRESSES + 1)}
    assert len(PeerRecord.from_json(document).addresses) == MAX_ADDRESSES


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ("", (TCP, QUIC)),
        ("tcp", (TCP,)),
        ("quic-v1,tcp", (TCP, QUIC)),
        ("!tcp", (QUIC,)),
        ("!ip6,!quic-v1", (TCP,)),
        ("udp,!quic-v1", None),
        ("webtransport", None),
        ("TCP", (TCP,)),
        ("unknown", None),
    ],
)
def test_filters_of_addresses(filters: str, kept: tuple[Multiaddr, ...] | None) -> None:
    found = RECORD.filtered(parse_filter(filters), ())
    assert (found.addresses if found else None) == kept


@pytest.mark.parametrize(("filters", "is_kept"), [("unknown", True), ("tcp", False), ("unknown,tcp", True)])
def test_a_peer_without_addresses_is_kept_when_unknown_is_wanted(filters: str, is_kept: bool) -> None:
    assert (PeerRecord(PEER).filtered(parse_filter(filters), ()) is not None) == is_kept


@pytest.mark.parametrize(
    ("filters", "protocols", "is_kept"),
    [
        ("transport-bitswap", ("transport-bitswap",), True),
        ("Transport-Bitswap,unknown", ("transport-bitswap",), True),
        ("transport-ipfs-gateway-http", ("transport-bitswap",), False),
        ("unknown", (), True),
        ("unknown", ("transport-bitswap",), False),
        ("", (), True),
    ],
)
def test_filters_of_protocols(filters: str, protocols: tuple[str, ...], is_kept: bool) -> None:
    assert (PeerRecord(PEER, (TCP,), protocols).filtered((), parse_filter(filters)) is not None) == is_kept


@pytest.mark.parametrize("text", ["x" * 65, ",".join("x" * 65)], ids=["a long name", "many names"])
def test_filters_have_limits(text: str) -> None:
    with pytest.raises(WireError):
        parse_filter(text)
