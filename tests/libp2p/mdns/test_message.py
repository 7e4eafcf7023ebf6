"""libp2p's multicast DNS messages: as the specification draws them, and hostile ones."""

from __future__ import annotations

import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.libp2p.hosts import seeded_key
from zwerm.core.errors import WireError
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.mdns.message import (
    MAX_ADDRESSES,
    MAX_DATAGRAM,
    META,
    SERVICE,
    Answered,
    Asked,
    answer,
    parse,
    question,
    services,
)
from zwerm.multiformats.multiaddr import Multiaddr

PEER = PeerId.of(seeded_key(1).public)
NAME = "a" * 32
ADDRESSES = [
    Multiaddr.from_text(f"/ip4/192.0.2.7/tcp/4001/p2p/{PEER}"),
    Multiaddr.from_text(f"/ip6/2001:db8::7/udp/4001/quic-v1/p2p/{PEER}"),
]


def test_the_question_asks_for_pointers_of_the_service() -> None:
    assert question().hex() == "000000000001000000000000" + "045f703270045f756470056c6f63616c00" + "000c0001"
    assert parse(question()) == Asked(frozenset([SERVICE]), wants_unicast=False)


def test_the_answer_points_to_the_peer_and_gives_its_addresses_beside() -> None:
    wire = answer(NAME, ADDRESSES)
    message = dns.message.from_wire(wire)
    (pointer,), (texts,) = message.answer, message.additional
    assert (pointer.name.to_text(), pointer[0].to_text(), pointer.ttl) == (SERVICE, f"{NAME}.{SERVICE}", 120)
    assert texts.name.to_text() == f"{NAME}.{SERVICE}"
    assert texts[0].strings == tuple(f"dnsaddr={address}".encode() for address in ADDRESSES)
    assert parse(wire) == Answered(tuple(ADDRESSES))


def test_a_question_may_want_its_answer_for_itself() -> None:
    wire = bytearray(question())
    wire[-2] |= 0x80
    assert parse(bytes(wire)) == Asked(frozenset([SERVICE]), wants_unicast=True)


def test_names_are_read_without_regard_to_case() -> None:
    assert parse(question("_P2P._UDP.Local.")) == Asked(frozenset([SERVICE]), wants_unicast=False)


def test_questions_for_addresses_are_none_of_ours() -> None:
    wire = bytearray(question())
    wire[-3] = dns.rdatatype.AAAA
    assert parse(bytes(wire)) == Asked(frozenset(), wants_unicast=False)


def test_a_goodbye_gives_no_address() -> None:
    assert parse(answer(NAME, ADDRESSES, ttl=0)) == Answered(())


def test_no_more_addresses_are_sent_than_a_datagram_holds() -> None:
    many = [Multiaddr.from_text(f"/ip4/192.0.2.{number}/tcp/4001/p2p/{PEER}") for number in range(100)]
    wire = answer(NAME, many)
    found = parse(wire)
    assert isinstance(found, Answered)
    assert 10 < len(found.addresses) < 20
    assert found.addresses == tuple(many[: len(found.addresses)])
    assert len(wire) <= MAX_DATAGRAM


def test_no_more_addresses_are_read_than_the_limit() -> None:
    def record(text: bytes) -> bytes:
        content = bytes([len(text)]) + text
        return b"\x01x\x00" + bytes.fromhex("0010 0001 00000078") + len(content).to_bytes(2, "big") + content

    texts = [f"dnsaddr=/ip4/10.0.0.{number}/tcp/1/p2p/{PEER}".encode() for number in range(MAX_ADDRESSES + 6)]
    wire = bytes.fromhex("0000 8400 0000") + len(texts).to_bytes(2, "big") + bytes(4) + b"".join(map(record, texts))
    found = parse(wire)
    assert isinstance(found, Answered)
    assert len(found.addresses) == MAX_ADDRESSES


@pytest.mark.parametrize(
    "text",
    ["other=/ip4/192.0.2.7/tcp/1", "dnsaddr=nonsense", "dnsaddr=/ip4/192.0.2.7/tcp/1", "dnsaddr=/p2p/" + str(PEER)],
    ids=["another key", "no address", "whose", "where"],
)
def test_what_is_no_address_of_a_peer_is_passed_over(text: str) -> None:
    content = bytes([len(text)]) + text.encode()
    record = b"\x01x\x00" + bytes.fromhex("0010 0001 00000078") + len(content).to_bytes(2, "big") + content
    assert parse(bytes.fromhex("0000 8400 0000 0001 0000 0000") + record) == Answered(())


def test_who_asks_for_every_service_is_told_of_this_one() -> None:
    assert parse(question(META)) == Asked(frozenset([META]), wants_unicast=False)
    (pointer,) = dns.message.from_wire(services()).answer
    assert (pointer.name.to_text(), pointer[0].to_text()) == (META, SERVICE)


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(WireError, match="at most 9000"):
        parse(bytes(9_001))


@pytest.mark.parametrize("end", range(len(answer(NAME, ADDRESSES[:1]))))
def test_a_message_cut_short_is_refused_or_says_less(end: int) -> None:
    try:
        found = parse(answer(NAME, ADDRESSES[:1])[:end])
    except WireError:
        return
    assert isinstance(found, Answered)


@given(st.binary(max_size=200))
def test_untrusted_bytes_are_parsed_or_refused_and_never_anything_else(data: bytes) -> None:
    try:
        parse(data)
    except WireError:
        return
