"""qh3's TLS with a certificate on both sides: who is refused, and when."""

from __future__ import annotations

import pytest
from qh3 import tls

from tests.libp2p.transports.quic.sides import DIALER, PEERS, WALL_TIME, Sides
from zwerm.libp2p.tls.certificate import MAX_CERTIFICATE
from zwerm.libp2p.transports.quic.admission import Begin
from zwerm.libp2p.transports.quic.packet import parse_long_untrusted
from zwerm.libp2p.transports.quic.tls import MAX_MESSAGE, MutualTls, certificate_request


def server_of(sides: Sides) -> MutualTls:
    context: MutualTls = sides.far._library._tls.tls
    return context


def test_the_request_can_be_read_by_the_library_and_names_what_tls_allows() -> None:
    request = tls.pull_certificate_request(tls.Buffer(data=certificate_request()))
    assert request.request_context == b""
    assert request.signature_algorithms[:2] == [0x0403, 0x0807]
    assert 0x0401 not in request.signature_algorithms  # PKCS #1 v1.5 signs no handshake (RFC 8446 section 4.2.3)


def test_nobody_is_proved_before_the_handshake_is_done() -> None:
    sides = Sides()
    sides.step()
    assert sides.near._library.proved is None
    assert server_of(sides).proved is None
    sides.connect()
    assert server_of(sides).proved == PEERS[0]


def without_certificate(sides: Sides) -> None:
    sides.near._library._tls.tls.certificate = None
    sides.near._library._tls.tls.certificate_private_key = None


def with_two_certificates(sides: Sides) -> None:
    context = sides.near._library._tls.tls
    context.certificate_chain = [context.certificate]


def with_the_key_of_another(sides: Sides) -> None:
    sides.near._library._tls.tls.certificate_private_key = Sides().near._library._tls.tls.certificate_private_key


def years_later(sides: Sides) -> None:
    server_of(sides)._wall_time = WALL_TIME + 200 * 365 * 86_400


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (without_certificate, "the peer shows 0 certificates, expected 1"),
        (with_two_certificates, "the peer shows 2 certificates, expected 1"),
        (with_the_key_of_another, "the peer does not hold its certificate's key"),
        (years_later, "certificate that was valid until"),
    ],
    ids=["none", "two", "somebody else's", "too old"],
)
def test_a_dialer_that_does_not_prove_who_it_is_is_refused(spoil: object, cause: str) -> None:
    sides = Sides()
    sides.step()
    spoil(sides)  # type: ignore[operator]
    sides.run(lambda: sides.far.is_over)
    assert cause in sides.far.reason
    assert sides.far.peer is None
    sides.run(lambda: sides.near.is_over)
    assert "TLS alert" in sides.near.reason


def test_a_dialer_that_leaves_its_proof_out_is_refused() -> None:
    sides = Sides()
    sides.step()
    sides.near._library._tls.tls._client_handle_certificate_request = lambda buffer: _unasked(sides, buffer)
    sides.run(lambda: sides.far.is_over or sides.near.is_over)
    sides.run(lambda: sides.far.is_over)
    assert sides.far.peer is None


def _unasked(sides: Sides, buffer: object) -> None:
    """Take the request into the transcript and forget it: what qh3's client does when nobody asks."""
    context = sides.near._library._tls.tls
    MutualTls._client_handle_certificate_request(context, buffer)
    context._certificate_request = None


def test_a_listener_that_does_not_ask_who_dials_is_refused() -> None:
    sides = Sides()
    sides.near._library._tls.tls._client_handle_certificate_request = lambda buffer: _unasked(sides, buffer)
    sides.run(lambda: sides.near.is_over)
    assert sides.near.reason == "the peer did not ask who this is"


def test_a_handshake_message_without_end_is_refused() -> None:
    context = MutualTls(is_client=False, wall_time=WALL_TIME, expected=None)
    output = {epoch: tls.Buffer(capacity=65_536) for epoch in tls.Epoch}
    endless = b"\x01" + (MAX_MESSAGE * 2).to_bytes(3, "big") + bytes(MAX_MESSAGE)
    with pytest.raises(tls.AlertUnexpectedMessage, match="bytes of handshake"):
        context.handle_message(endless, output)
    assert MAX_MESSAGE > MAX_CERTIFICATE


def test_zeros_that_fill_up_a_first_datagram_count_towards_what_may_be_answered() -> None:
    sides = Sides()
    (first,) = sides._take(sides.near)
    begin = Begin(parse_long_untrusted(first).destination, None)
    received = []
    for zeros in (0, 1_000):
        far = sides._identity.accept(begin, now=sides.now, wall_time=WALL_TIME)
        far.receive_datagram(first + bytes(zeros), DIALER, sides.now)
        received.append(far._library.core.active_path[4])
    assert received == [len(first), len(first) + 1_000]
