"""libp2p specs, "tls/tls.md": who is told what about whom, ALPN and muxers, and every way for a handshake to fail."""

from collections.abc import Callable
from typing import Any

import pytest
from OpenSSL import SSL

from tests.libp2p.tls.sides import (
    ALICE,
    ALICE_ID,
    BOB,
    BOB_ID,
    IDENTITIES,
    KEYS,
    TODAY,
    secured,
    shake,
    side,
)
from zwerm.core.errors import WireError
from zwerm.core.random import seeded
from zwerm.identity.keys import PrivateKey
from zwerm.identity.peer_id import PeerId
from zwerm.libp2p.secure import HandshakeFailed, Secured
from zwerm.libp2p.tls.handshake import MAX_HANDSHAKE, TlsHandshake, TlsIdentity

YAMUX = "/yamux/1.0.0"


def test_each_side_learns_who_the_other_is_and_both_can_talk() -> None:
    alice, bob = secured(muxers=[YAMUX])
    assert (alice.peer, bob.peer) == (BOB_ID, ALICE_ID)
    assert (alice.public_key, bob.public_key) == (BOB.public, ALICE.public)
    assert alice.muxer == bob.muxer == YAMUX
    for sender, receiver in ((alice.records, bob.records), (bob.records, alice.records)):
        assert b"".join(receiver.decrypt_untrusted(sender.encrypt([b"to the ", b"other"]))) == b"to the other"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_type_of_identity_is_proved(key: PrivateKey) -> None:
    expected = PeerId.of(key.public)
    alice, bob = shake(side(ALICE, is_initiator=True, expected=expected), side(key, is_initiator=False))
    assert isinstance(alice, Secured)
    assert isinstance(bob, Secured)
    assert alice.peer == expected


@pytest.mark.parametrize(
    ("initiator", "responder", "muxer"),
    [
        (["/mplex/6.7.0", YAMUX], [YAMUX, "/mplex/6.7.0"], "/mplex/6.7.0"),
        ([YAMUX], [], None),
        ([], [YAMUX], None),
        (["/mplex/6.7.0"], [YAMUX], None),
    ],
    ids=["the initiator's order", "the responder names none", "the initiator names none", "none in common"],
)
def test_the_muxer_is_the_first_of_the_initiators_that_both_have(
    initiator: list[str], responder: list[str], muxer: str | None
) -> None:
    events = shake(side(ALICE, is_initiator=True, muxers=initiator), side(BOB, is_initiator=False, muxers=responder))
    assert [event.muxer for event in events if isinstance(event, Secured)] == [muxer, muxer]


def test_somebody_else_than_expected_gets_an_alert() -> None:
    alice = side(ALICE, is_initiator=True, expected=ALICE_ID)
    failed, told = shake(alice, side(BOB, is_initiator=False))
    assert failed == HandshakeFailed(f"the peer is {BOB_ID}, expected {ALICE_ID}")
    assert isinstance(told, HandshakeFailed)
    assert "alert" in told.cause


def test_a_server_refuses_somebody_else_too() -> None:
    _, bob = shake(side(ALICE, is_initiator=True), side(BOB, is_initiator=False, expected=BOB_ID))
    assert bob == HandshakeFailed(f"the peer is {ALICE_ID}, expected {BOB_ID}")


@pytest.mark.parametrize("is_initiator", [True, False], ids=["client", "server"])
def test_a_certificate_of_another_time_is_refused(is_initiator: bool) -> None:
    sides = [side(ALICE, is_initiator=True), side(BOB, is_initiator=False)]
    judge = 0 if is_initiator else 1
    sides[judge] = side((ALICE, BOB)[judge], is_initiator=is_initiator, wall_time=TODAY - 86_400)
    event = shake(*sides)[judge]
    assert isinstance(event, HandshakeFailed)
    assert event.cause.startswith("certificate that is not valid before")


class Odd(TlsIdentity):
    """Of a peer that does something else than the specification wants."""

    def __init__(self, change: Callable[[SSL.Context], SSL.Context | None]) -> None:
        super().__init__(ALICE, seeded("odd"), TODAY)
        self._change = change

    def make_context(self, offered: tuple[bytes, ...] | None) -> SSL.Context:
        context = super().make_context(offered)
        return self._change(context) or context


def odd(change: Callable[[SSL.Context], SSL.Context | None], *, is_initiator: bool) -> TlsHandshake:
    return TlsHandshake(Odd(change), is_initiator=is_initiator, wall_time=TODAY)


def without_certificate(_: SSL.Context) -> SSL.Context:
    fresh = SSL.Context(SSL.TLS_METHOD)
    fresh.set_alpn_protos([b"libp2p"])
    return fresh


def with_a_chain(context: SSL.Context) -> None:
    context.add_extra_chain_cert(IDENTITIES["rsa"].certificate)


def with_tls_12(context: SSL.Context) -> None:
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)


def with_another_protocol(context: SSL.Context) -> None:
    context.set_alpn_protos([b"h2"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_certificate, "peer did not return a certificate"),
        (with_a_chain, "the peer sent more than one certificate"),
        (with_tls_12, "unsupported protocol"),
        (with_another_protocol, "the peer offers b'h2', of which nothing is spoken here"),
    ],
    ids=["no certificate", "a chain", "TLS 1.2", "another protocol"],
)
def test_a_client_that_departs_from_the_specification_is_refused(change: Any, reason: str) -> None:
    _, bob = shake(odd(change, is_initiator=True), side(BOB, is_initiator=False, muxers=[YAMUX]))
    assert isinstance(bob, HandshakeFailed)
    assert reason in bob.cause


def test_a_server_with_a_chain_is_refused() -> None:
    alice, _ = shake(side(BOB, is_initiator=True), odd(with_a_chain, is_initiator=False))
    assert alice == HandshakeFailed("the peer sent more than one certificate")


def test_what_is_no_tls_is_refused_by_its_first_bytes() -> None:
    bob = side(BOB, is_initiator=False)
    bob.receive_data(b"GET / HTTP/1.1\r\n", 0.0)
    assert bob.next_event() == HandshakeFailed("47 45 54 20 2f where a TLS record is expected")


def test_a_handshake_without_end_is_given_up() -> None:
    bob = side(BOB, is_initiator=False)
    hello = side(ALICE, is_initiator=True).data_to_send()
    bob._taken = MAX_HANDSHAKE
    bob.receive_data(hello, 0.0)
    event = bob.next_event()
    assert isinstance(event, HandshakeFailed)
    assert "bytes of TLS handshake, the limit is 131072" in event.cause


def test_every_truncation_ends_in_a_failure() -> None:
    hello = side(ALICE, is_initiator=True).data_to_send()
    for size in range(0, len(hello) + 1, 7):
        bob = side(BOB, is_initiator=False)
        bob.receive_data(hello[:size], 0.0)
        assert bob.next_event() is None
        bob.receive_eof(0.0)
        bob.receive_eof(0.0)
        assert bob.next_event() == HandshakeFailed("the peer closed the connection during the TLS handshake")
        assert bob.next_event() is None


def test_it_works_byte_by_byte() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    ends = []
    for one, other in ((alice, bob), (bob, alice), (alice, bob)):
        for byte in one.data_to_send():
            other.receive_data(bytes((byte,)), 0.0)
        ends.append(other.next_event())
    assert [type(end) for end in ends] == [type(None), Secured, Secured]


def test_what_stands_behind_the_handshake_is_left_for_the_records() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False)
    bob.receive_data(alice.data_to_send(), 0.0)
    alice.receive_data(bob.data_to_send(), 0.0)
    event = alice.next_event()
    assert isinstance(event, Secured)
    last = alice.data_to_send()
    data = last + bytes(event.records.encrypt([b"at once"]))
    assert bob.receive_data(data, 0.0) == len(last)
    done = bob.next_event()
    assert isinstance(done, Secured)
    assert b"".join(done.records.decrypt_untrusted(data[len(last) :])) == b"at once"
    assert bob.receive_data(b"more", 0.0) == 0


def test_a_client_that_a_server_refuses_hears_it_from_the_records() -> None:
    alice, bob = side(ALICE, is_initiator=True), side(BOB, is_initiator=False, expected=BOB_ID)
    bob.receive_data(alice.data_to_send(), 0.0)
    alice.receive_data(bob.data_to_send(), 0.0)
    event = alice.next_event()
    assert isinstance(event, Secured)  # TLS 1.3: the client is done before the server has seen its certificate
    bob.receive_data(alice.data_to_send(), 0.0)
    with pytest.raises(WireError, match=r"TLS: .*alert"):
        event.records.decrypt_untrusted(bob.data_to_send())
